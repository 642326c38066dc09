"""The bundled sample is what database/sample/PROVENANCE.md says."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from backend.ingest.errors import SourceSettingsError, TickerNotFoundError
from backend.ingest.quality.actions import checked_actions
from backend.ingest.quality.versions import checked
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest, PriceSource
from backend.ingest.sources.sample import SAMPLES, SampleSource, sample

FOLDER = Path(__file__).resolve().parents[5] / "database" / "sample"
#: Rows and sha256 of each file, by its name.
STATED = {
    name: (int(rows.replace(",", "")), digest)
    for name, rows, digest in re.findall(
        r"^\| (\S+\.parquet) \| ([\d,]+) \| `([0-9a-f]{64})` \|$", (FOLDER / "PROVENANCE.md").read_text(), re.MULTILINE
    )
}


async def everything(which: str) -> dict[str, Fetched]:
    source: PriceSource = SampleSource(which)
    tickers = await source.tickers()
    return {ticker: await source.fetch(FetchRequest(ticker=ticker, start=None, end=None)) for ticker in tickers}


def rows_of(tables: list[pa.Table]) -> int:
    return sum(table.num_rows for table in tables)


def test_the_statement_covers_every_file() -> None:
    assert set(STATED) == {path.name for path in FOLDER.glob("*.parquet")}


@pytest.mark.parametrize("name", sorted(STATED))
def test_each_file_has_the_stated_digest(name: str) -> None:
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == STATED[name][1]


async def test_us5_gives_every_stated_bar_and_action() -> None:
    found = await everything("us5")
    assert sorted(found) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert rows_of([answer.bars for answer in found.values()]) == STATED["us5_bars.parquet"][0]
    assert rows_of([answer.actions for answer in found.values()]) == STATED["us5_actions.parquet"][0]
    assert {tuple(answer.metadata) for answer in found.values()} == {()}


async def test_us20_gives_every_stated_close() -> None:
    found = await everything("us20")
    assert len(found) == 20
    assert all(ticker.endswith(".ADJ") for ticker in found)
    assert rows_of([answer.bars for answer in found.values()]) == STATED["us20_closes.parquet"][0]


async def test_us20_marks_its_bars_as_adjusted_closes_only() -> None:
    for answer in (await everything("us20")).values():
        assert answer.metadata == {"fields": "close", "basis": "adjusted"}
        assert answer.actions.num_rows == 0
        assert [answer.bars[name].null_count for name in ("open", "high", "low")] == [answer.bars.num_rows] * 3


@pytest.mark.parametrize("which", ["us5", "us20"])
async def test_every_bar_and_action_passes_quality_control(which: str) -> None:
    today = dt.date(2024, 1, 2)
    for ticker, answer in (await everything(which)).items():
        assert answer.bars.schema == BAR_SCHEMA
        assert answer.actions.schema == ACTION_SCHEMA
        is_closes_only = answer.metadata.get("fields") == "close"
        assert not checked(answer.bars, ticker=ticker, today=today, is_closes_only=is_closes_only).quarantined
        assert not checked_actions(answer.actions, ticker=ticker).quarantined


async def test_the_splits_are_those_of_the_statement() -> None:
    found = await everything("us5")
    actions = pa.concat_tables([answer.actions for answer in found.values()])
    splits = actions.filter(pc.equal(actions["kind"], "split")).to_pylist()
    assert [(row["ticker"], str(row["ex_date"]), row["value"]) for row in splits] == [
        ("AAPL", "2000-06-21", 2.0),
        ("AAPL", "2005-02-28", 2.0),
        ("MSFT", "2003-02-18", 2.0),
    ]


async def test_a_request_cuts_bars_and_actions_to_its_span() -> None:
    # The sessions of that week; Monday 2005-02-21 was a holiday.
    request = FetchRequest(ticker="AAPL", start=dt.date(2005, 2, 22), end=dt.date(2005, 2, 28))
    answer = await SampleSource("us5").fetch(request)
    assert [day.day for day in answer.bars["date"].to_pylist()] == [22, 23, 24, 25, 28]
    assert [row["ex_date"] for row in answer.actions.to_pylist()] == [dt.date(2005, 2, 28)]


async def test_the_sample_can_be_read_again_after_it_was_closed() -> None:
    source = SampleSource("us5")
    before = await source.tickers()
    await source.close()
    assert await source.tickers() == before


async def test_a_ticker_that_is_not_in_the_sample_is_not_found() -> None:
    with pytest.raises(TickerNotFoundError, match="not in the sample SAMPLE_US5"):
        await SampleSource("us5").fetch(FetchRequest(ticker="TSLA", start=None, end=None))


def test_a_sample_is_known_by_its_short_name_and_by_its_universe() -> None:
    for bundled in SAMPLES.values():
        assert sample(bundled.which) is sample(bundled.universe) is bundled


def test_an_unknown_sample_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SourceSettingsError, match="the bundled samples are us5, us20"):
        SampleSource("us500")
