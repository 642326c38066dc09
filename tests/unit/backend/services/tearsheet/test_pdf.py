"""The print: by the browser of the machine, or with the remedy where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.services.errors import NoBrowserError
from backend.services.tearsheet.pdf import pdf_of


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium on the PATH")
def test_a_browser_prints_the_page() -> None:
    assert pdf_of("<!doctype html><title>x</title><p>Hello").startswith(b"%PDF-")


def test_a_browser_that_does_not_print_is_named_with_the_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no display >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(NoBrowserError, match=r"no display; install Chromium .* --format html"):
        pdf_of("<p>", which=lambda name: str(broken) if name == "chromium" else None)
