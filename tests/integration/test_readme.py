"""What the README tells is there, and what is there it tells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from backend.cli import app
from backend.config import Settings
from backend.main import make_main_app
from backend.resources import open_resources
from support.platform import settings_in

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


async def test_every_route_is_in_the_readme(tmp_path: Path) -> None:
    resources = open_resources(settings_in(tmp_path))
    paths = {path.removeprefix("/api/v1") for path in make_main_app(resources).openapi()["paths"]}
    await resources.close()
    # The health of each area stands there once.
    told = {re.sub(r"^/\w+/health$", "/{area}/health", path) for path in paths}
    assert [path for path in sorted(told) if f"`{path}`" not in README] == []


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name.upper()}`" in README


def test_every_command_that_the_readme_shows_exists() -> None:
    group = typer.main.get_group(app)
    shown = set(re.findall(r"\.venv/bin/parakeet (\w+)", README))
    assert shown
    assert shown <= set(group.commands)


def test_every_file_that_the_readme_names_exists() -> None:
    links = re.findall(r"\]\(((?!http)[^)#]+)\)", README)
    scripts = re.findall(r"\bscripts/[\w.]+", README)
    assert [name for name in (*links, *scripts) if not (ROOT / name).exists()] == []
