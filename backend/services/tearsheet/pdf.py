"""The sheet as PDF, printed by whichever browser of Chromium's family the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from backend.services.errors import NoBrowserError

_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "brave-browser",
)
_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_TIMEOUT_S = 120


def pdf_of(page: str, *, which: Callable[[str], str | None] = shutil.which) -> bytes:
    """Print a self-contained page.

    Raises
    ------
    NoBrowserError
        If no browser is found, or the one that was found does not print; it names the remedy.
    """
    browser = _browser(which)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={Path(folder, 'profile')}",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        # Chromium's sandbox refuses root, as whom containers run; the page is ours and has no script.
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  ours
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoBrowserError(f"{browser} did not print ({error})") from error
        if not target.is_file():
            raise NoBrowserError(f"{browser} did not print: {done.stderr.decode(errors='replace')[-300:].strip()}")
        return target.read_bytes()


def _browser(which: Callable[[str], str | None]) -> str:
    found = next(filter(None, map(which, _NAMES)), None) or _playwright_browser()
    if found is None and _MACOS.is_file():
        return str(_MACOS)
    if found is None:
        raise NoBrowserError("no browser was found that can print")
    return found


def _playwright_browser() -> str | None:
    """The Chromium that Playwright installed, where it is a package of this environment."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  a test dependency: not in every environment
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.is_file() else None
