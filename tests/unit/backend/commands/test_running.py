"""What a command sets up before its work."""

from __future__ import annotations

import subprocess
import sys

from backend.commands.running import without_threads_of_products


def test_products_have_no_threads_unless_the_operator_gave_them_some() -> None:
    none: dict[str, str] = {}
    without_threads_of_products(none)
    assert none == {"OPENBLAS_NUM_THREADS": "1"}
    given = {"OPENBLAS_NUM_THREADS": "8"}
    without_threads_of_products(given)
    assert given == {"OPENBLAS_NUM_THREADS": "8"}


def test_numpy_is_not_imported_before_that() -> None:
    """OpenBLAS reads the setting when it is loaded, and never again."""
    program = "import sys, backend.cli; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  ours
    assert done.stdout.strip() == "False"
