"""The image of backend/Dockerfile: what the file says, and the image once it is built."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.buildah import Store
from support.locks import Pin

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "backend" / "Dockerfile"
BASE, IMAGE = "localhost/base", "localhost/parakeet"
#: What a checkout may hold and an image must not; .dockerignore names what is sent to a build.
PLANTED = (
    "backend/.env",
    "backend/handlers/.env",
    "backend/__pycache__/app.cpython-310.pyc",
    "data/trades.db",
    "frontend/index.html",
    "frontend/node_modules/left-pad/index.js",
    "infrastructure/terraform.tfstate",
)

#: Folder with every wheel that an image of a Python version is built from.
Wheels = Callable[[str], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The built image, and where this machine sees the files of a container of it."""

    store: Store
    container: str
    root: Path

    @property
    def task(self) -> Path:
        """The functions' code."""
        return self.root / "var" / "task"


def default_of(argument: str) -> str:
    """Default of a build argument of the Dockerfile."""
    found = re.search(rf"^ARG {argument}=\"?(?P<value>[^\"\n]+)", DOCKERFILE.read_text(), flags=re.MULTILINE)
    assert found is not None, argument
    return found["value"]


def build_tool() -> Pin:
    """What the Dockerfile builds the project with; it is in no lock."""
    found = re.fullmatch(r"(?P<name>\w+)==(?P<version>\S+) --hash=(?P<hash>sha256:\w+)", default_of("SETUPTOOLS"))
    assert found is not None
    return Pin(name=found["name"], version=found["version"], marker=None, hashes=(found["hash"],))


def copy_checkout(folder: Path) -> None:
    """Copy the project's files, and put among them some that no image may hold."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607  git of the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in (name for name in listed.stdout.splitlines() if (ROOT / name).is_file()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("NEON_DATABASE_URL=postgresql://me:secret@example.com/db\n")
