"""A stand-in for AWS's base image, put together from this machine's own Python: no registry is asked.

It keeps what backend/Dockerfile and the functions rely on: python3 with pip on the PATH, /bin/sh, the task folder and
its environment variable, libraries in /var/lang/lib, and an entry point that hands the command to the runtime interface
client.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: As in AWS's image.
LANG = "var/lang"
CONTAINERFILE = """\
FROM scratch
COPY rootfs /
ENV PATH=/var/lang/bin:/bin LD_LIBRARY_PATH=/var/lang/lib LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime \
    PYTHONPATH=/var/runtime LANG=C.UTF-8
WORKDIR /var/task
ENTRYPOINT ["python3", "-m", "awslambdaric"]
"""
#: The runtime interface client, from the lock of the tests.
RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot-restore-py")
#: Parts of the standard library that no function and no build step imports.
_LEFT_OUT = (
    "test",
    "idlelib",
    "tkinter",
    "lib2to3",
    "turtledemo",
    "site-packages",
    "dist-packages",
    "__pycache__",
    "config-*",
)
#: Loaded by wheels, and part of Amazon Linux as well.
_LIBRARIES = (
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libz.so.1",
)
_DESCRIBE = """
import json, sys, sysconfig
print(json.dumps({"executable": sys.executable, "stdlib": sysconfig.get_path("stdlib"),
                  "version": sysconfig.get_python_version(),
                  "full_version": ".".join(str(part) for part in sys.version_info[:3])}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter of this machine."""

    executable: Path
    stdlib: Path
    version: str
    full_version: str


def find_python(version: str) -> Python:
    """The interpreter of this minor version where the machine has one, else the one that runs the tests."""
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}*/bin/python{version}"))
    for candidate in (*beside, shutil.which(f"python{version}")):
        if candidate is not None and (found := _described(candidate)) is not None and found.version == version:
            return found
    running = _described(Path(sys.base_prefix) / "bin" / f"python{sysconfig.get_python_version()}")
    if running is None:
        raise FileNotFoundError(f"no interpreter under {sys.base_prefix}")
    return running


def lay_out(python: Python, runtime_wheels: Iterable[Path], context: Path) -> None:
    """Write the context of the base image: its root folder with the runtime interface client, and its Containerfile."""
    root = context / "rootfs"
    for folder in ("bin", "etc", "tmp", "var/task", f"{LANG}/bin", f"{LANG}/lib"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    name = f"python{python.version}"
    stdlib = root / LANG / "lib" / name
    shutil.copytree(python.stdlib, stdlib, symlinks=False, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    shutil.copy2(python.executable, root / LANG / "bin" / name)
    (root / LANG / "bin" / "python3").symlink_to(name)
    shutil.copy2(Path("/bin/sh").resolve(), root / "bin" / "sh")
    _copy_libraries(root, [python.executable, Path("/bin/sh"), *stdlib.glob("lib-dynload/*.so")])
    shutil.copytree(Path(sysconfig.get_path("purelib")) / "pip", stdlib / "site-packages" / "pip")
    for wheel in runtime_wheels:
        zipfile.ZipFile(wheel).extractall(root / "var" / "runtime")
    (context / "Containerfile").write_text(CONTAINERFILE)


def _described(executable: Path | str) -> Python | None:
    try:
        done = subprocess.run(  # noqa: S603  an interpreter found by its own name
            [str(executable), "-c", _DESCRIBE], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None  # a name without the interpreter behind it
    facts = json.loads(done.stdout)
    return Python(
        executable=Path(facts["executable"]).resolve(),
        stdlib=Path(facts["stdlib"]),
        version=facts["version"],
        full_version=facts["full_version"],
    )


def _copy_libraries(root: Path, binaries: list[Path]) -> None:
    """Whatever those binaries and the wheels load, and the loader itself at the path that is written in them."""
    for line in _lines("ldd", *binaries):
        match line.split():
            case [name, "=>", path, _] if path.startswith("/"):
                _copy_once(Path(path), root / LANG / "lib" / name)
            case [loader, _] if loader.startswith("/"):
                _copy_once(Path(loader), root / loader.lstrip("/"))
            case _:
                pass  # the kernel's own, and the names of the files
    for line in _lines("ldconfig", "-p"):
        match line.split():
            case [name, *_, "=>", path] if name in _LIBRARIES:
                _copy_once(Path(path), root / LANG / "lib" / name)
            case _:
                pass  # all the others of this machine


def _lines(command: str, *arguments: object) -> list[str]:
    done = subprocess.run(  # noqa: S603  a tool of the C library, on files of this machine
        [command, *(str(argument) for argument in arguments)], capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines()


def _copy_once(source: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source.resolve(), target)
