"""Tools that pin other versions than we do, each in a virtual environment of its own beside the project's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class NoToolError(Exception):
    """A tool is not to be had on this machine."""


def tool_venv(name: str) -> Path:
    """Folder of the programs of ``.venv-<name>``, made from ``tests/requirements-<name>.txt`` when that changed."""
    folder, requirements = ROOT / f".venv-{name}", ROOT / "tests" / f"requirements-{name}.txt"
    stamp, wanted = folder / "installed", requirements.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--requirement", requirements)
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def run(*command: object) -> str:
    """Standard output of a command; `NoToolError` with its complaint when it fails."""
    done = subprocess.run(  # noqa: S603  our own fixed commands
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode != 0:
        raise NoToolError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
