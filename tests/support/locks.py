"""The locks, read and narrowed to one Python on one platform.

pip evaluates a lock's environment markers for the Python that runs it, whatever --python-version says; so they are
evaluated here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker, default_environment

#: Newest first: what a machine with glibc 2.34 (Amazon Linux 2023) can load.
IMAGE_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)( ; (?P<marker>[^\\]+?))? \\$")
_HASH = re.compile(r"^ +--hash=(?P<hash>sha256:[0-9a-f]{64})( \\)?$")


def minor_version(python_version: str) -> str:
    """3.13 of 3.13.9."""
    return ".".join(python_version.split(".")[:2])


def full_version(python_version: str) -> str:
    """The version itself where it has a patch release, else a later one of the same minor than there will be."""
    return f"{python_version}.99" if minor_version(python_version) == python_version else python_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]

    def applies_to(self, python_version: str) -> bool:
        """Whether CPython of this version on Linux wants the package; "3.13" stands for its newest patch release."""
        if self.marker is None:
            return True
        environment = default_environment() | {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": full_version(python_version),
            "python_version": minor_version(python_version),
            "sys_platform": "linux",
        }
        return Marker(self.marker).evaluate({name: str(value) for name, value in environment.items()})


def read_lock(path: Path) -> tuple[Pin, ...]:
    """Every package of a lock, whatever its marker; each has at least one hash."""
    return tuple(_pins(path.read_text(encoding="utf-8").splitlines()))


def _pins(lines: Iterable[str]) -> Iterator[Pin]:
    found: re.Match[str] | None = None
    hashes: list[str] = []
    for line in (*lines, ""):
        if hash_line := _HASH.match(line):
            hashes.append(hash_line["hash"])
        elif found and hashes:
            yield Pin(name=found["name"], version=found["version"], marker=found["marker"], hashes=tuple(hashes))
            found, hashes = None, []
        found = _PIN.match(line) or found


def download(pins: Iterable[Pin], folder: Path, *, python_version: str, machine: str = "x86_64") -> None:
    """Download into `folder` a wheel with a locked hash for each pin; raises when one has none.

    pip verifies the hashes, and looks where this machine's settings tell it to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(
        "".join(f"{pin.name}=={pin.version} {' '.join(f'--hash={digest}' for digest in pin.hashes)}\n" for pin in pins)
    )
    platforms = [f"--platform={name}_{machine}" for name in IMAGE_PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "-qq", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603  pip of the interpreter that runs the tests
        [
            *command,
            f"--python-version={full_version(python_version)}",
            *platforms,
            f"--dest={folder}",
            f"--requirement={requirements}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pip download failed for Python {python_version}:\n{done.stderr}")
