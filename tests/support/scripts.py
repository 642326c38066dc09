"""Scripts, run as a person runs them, in an environment that holds nothing but what the test says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_script(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/`name`; blank URLs keep a developer's own settings out."""
    clean = {"PATH": os.environ["PATH"], "NEON_DATABASE_URL": "", "NEON_DIRECT_URL": "", "DATABASE_URL": ""}
    return subprocess.run(  # noqa: S603  the script under test
        [sys.executable, str(ROOT / "scripts" / name), *(str(argument) for argument in arguments)],
        env=clean | {"COLUMNS": "140"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
