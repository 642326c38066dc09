"""What a command sets up before its work."""

from __future__ import annotations

import subprocess
import sys

from backend.commands.running import prepare_libraries


def test_libraries_are_told_how_to_work_unless_the_operator_did() -> None:
    none: dict[str, str] = {}
    prepare_libraries(none)
    assert none == {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    given = {"OPENBLAS_NUM_THREADS": "8", "ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}
    prepare_libraries(given)
    assert given == {"OPENBLAS_NUM_THREADS": "8", "ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}


def test_arrow_then_takes_its_memory_from_the_system() -> None:
    program = (
        "import os, backend.cli; backend.cli.prepare_libraries(os.environ); "
        "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  ours
    assert done.stdout.strip() == "system"


def test_numpy_and_pyarrow_are_not_imported_before_that() -> None:
    """Libraries read such settings when they are loaded, and never again."""
    program = "import sys, backend.cli; print({'numpy', 'pyarrow'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  ours
    assert done.stdout.strip() == "set()"
