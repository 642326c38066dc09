"""`parakeet tearsheet`: which backtest is meant, and what is written where."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from backend.commands.backtest import written_tearsheet
from backend.config import Settings
from backend.database.backtests import list_backtests
from backend.database.connection import transaction
from backend.resources import Resources
from backend.services.errors import RequestError
from support.platform import opened


@pytest.fixture
async def resources(sample_settings: Settings) -> AsyncIterator[Resources]:
    async with opened(sample_settings) as found:
        yield found


async def newest(resources: Resources) -> Any:  # Any: a JSON document
    async with transaction(resources.engine) as connection:
        (record,) = await list_backtests(connection, before=None, limit=1)
    return json.loads(record.document)


async def test_a_sheet_is_written_by_the_first_characters_of_an_id(resources: Resources, tmp_path: Path) -> None:
    document = await newest(resources)
    out = tmp_path / "sheet.html"
    path = await written_tearsheet(resources, document["id"][:12], form="html", part="series", out=out)
    assert path == out
    assert document["id"] in out.read_text(encoding="utf-8")


async def test_figures_are_written_where_nothing_else_is_said_beside_one(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = await newest(resources)
    path = await written_tearsheet(resources, document["id"], form="csv", part="metrics", out=None)
    assert path.name == f"{document['id'][:12]}-metrics.csv"
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(document["metrics"]) + 1


async def test_the_beginning_of_several_ids_is_refused(resources: Resources) -> None:
    with pytest.raises(RequestError, match="give more of it"):
        await written_tearsheet(resources, "", form="html", part="series", out=None)


async def test_a_file_that_cannot_be_written_is_named(resources: Resources, tmp_path: Path) -> None:
    document = await newest(resources)
    with pytest.raises(RequestError, match=r"nowhere.* cannot be written .*; name another file"):
        await written_tearsheet(
            resources, document["id"], form="csv", part="metrics", out=tmp_path / "nowhere" / "sheet.csv"
        )
