"""The description of the API from which the page's types are generated."""

from __future__ import annotations

from pathlib import Path

from backend.config import Settings
from backend.main import make_main_app
from scripts.openapi import PATH, rendered_document
from support.platform import opened, settings_in


async def test_the_committed_description_is_what_the_code_says(tmp_path: Path) -> None:
    settings: Settings = settings_in(tmp_path)
    async with opened(settings) as resources:
        app = make_main_app(resources)
    assert PATH.read_text(encoding="utf-8") == rendered_document(app), "run scripts/openapi and commit what it writes"
