"""`parakeet restatement`: which figures a rewritten fact moved."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from backend.cli import app
from backend.config import Settings
from backend.database.connection import transaction
from backend.database.models.market import Bar
from support.platform import opened

LAST = dt.date(2012, 12, 31)
RUN = ["backtest", "equal_weight", "SAMPLE_US5", "--end", LAST.isoformat(), "--json"]


async def rewritten(settings: Settings) -> dt.datetime:
    """Let the last close of one ticker be 0.1 % higher from an hour later on; returns that moment, a whole second."""
    async with opened(settings) as resources, transaction(resources.engine) as connection:
        query = select(Bar.ticker, Bar.close, Bar.known_at).where(Bar.date == LAST).limit(1)
        ticker, close, known_at = (await connection.execute(query)).one()
        later: dt.datetime = (known_at + dt.timedelta(hours=1)).replace(microsecond=0)
        change = update(Bar).where(Bar.date == LAST, Bar.ticker == ticker)
        await connection.execute(change.values(close=close * 1.001, high=close * 1.1, known_at=later))
    return later


def test_a_rewritten_close_is_shown_with_the_figures_it_moved(parakeet: CliRunner, sample_settings: Settings) -> None:
    document: Any = json.loads(parakeet.invoke(app, RUN).stdout)  # Any: JSON
    later = asyncio.run(rewritten(sample_settings))
    asked = ["restatement", document["id"][:12], "--as-of", f"{later:%Y-%m-%dT%H:%M:%S}"]
    drawn = parakeet.invoke(app, asked)
    assert drawn.exit_code == 0, drawn.output
    for word in ("final equity", "Rewritten facts", "close", "no further trial"):
        assert word in drawn.stdout
    found = json.loads(parakeet.invoke(app, [*asked, "--json"]).stdout)
    moved = {metric["key"]: metric["difference"] for metric in found["metrics"]}
    assert moved["final_equity"] > 0
    assert found["id"] == document["id"] != found["other_id"]


def test_at_its_own_moment_nothing_differs(parakeet: CliRunner) -> None:
    document: Any = json.loads(parakeet.invoke(app, RUN).stdout)  # Any: JSON
    as_of = dt.datetime.fromisoformat(document["meta"]["as_of"]) + dt.timedelta(seconds=1)
    drawn = parakeet.invoke(app, ["restatement", document["id"], "--as-of", f"{as_of:%Y-%m-%dT%H:%M:%S}"])
    assert "no figure differs" in drawn.stdout, drawn.output


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("0" * 64, "--as-of", "2024-01-01"), 3, "unknown backtest"),
        (("0" * 64, "--as-of", "yesterday"), 2, "as-of"),
        (("0" * 64,), 2, "as-of"),
    ],
)
def test_bad_input_has_an_exit_code_and_a_reason(
    parakeet: CliRunner, arguments: tuple[str, ...], code: int, word: str
) -> None:
    done = parakeet.invoke(app, ["restatement", *arguments])
    assert (done.exit_code, word in done.stderr) == (code, True), done.output
