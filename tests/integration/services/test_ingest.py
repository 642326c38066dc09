"""Ingest of a universe into both databases: what is asked for, stored, counted and recorded."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.actions import ActionRecord, actions
from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.ingest_runs import FailureRecord, RunRecord, failures_of, get_run, recent_runs
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord, get_universe, members, put_members, put_universe
from backend.ingest.errors import (
    AllTickersFailedError,
    BadDataError,
    DelistedError,
    SourceSettingsError,
    TickerNotFoundError,
)
from backend.services.ingest import IngestOptions, IngestReport, ingest_by_key, ingest_universe, sample_universe
from strategy.universe import Membership
from support.bars import Row, Vendor, actions_of, bar

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)
JAN_2, JAN_3, JAN_4, JAN_5, JAN_8 = (dt.date(2024, 1, day) for day in (2, 3, 4, 5, 8))
ROWS = [bar("A", JAN_2), bar("A", JAN_5), bar("B", JAN_4, 20.0)]
NOT_FOUND = TickerNotFoundError("vendor", "X", "unknown")
DELISTED = DelistedError("vendor", "Y", "gone")


async def ingest(
    engine: AsyncEngine, source: Vendor, *, now: dt.datetime = MONDAY, **options: Unpack[IngestOptions]
) -> IngestReport:
    return await ingest_universe(engine, source, UNIVERSE, clock=lambda: now, **options)


async def closes(engine: AsyncEngine, table: type[Bar | SupersededBar] = Bar) -> list[tuple[str, dt.date, float]]:
    async with transaction(engine) as connection:
        rows = await connection.execute(
            select(table.ticker, table.date, table.close).order_by(table.ticker, table.date)
        )
        return [(row.ticker, row.date, row.close) for row in rows]


async def last_run(engine: AsyncEngine) -> tuple[RunRecord, list[FailureRecord]]:
    async with transaction(engine) as connection:
        (run,) = await recent_runs(connection, "U", limit=1)
        return run, await failures_of(connection, run.id)


def counts_of(found: IngestReport | RunRecord) -> dict[str, int]:
    names = ("tickers", "rows_in", "inserted", "changed", "unchanged", "quarantined", "failed")
    return {name: getattr(found, name) for name in names}


def starts_of(source: Vendor) -> dict[str, dt.date | None]:
    assert all(request.end is None for request in source.requests)
    return {request.ticker: request.start for request in source.requests}


async def test_the_first_run_fetches_and_stores_everything(engine: AsyncEngine) -> None:
    source = Vendor(ROWS)
    report = await ingest(engine, source)
    assert starts_of(source) == {"A": None, "B": None}
    assert await closes(engine) == [(row["ticker"], row["date"], row["close"]) for row in ROWS]
    assert (report.status, report.rows_in, report.inserted, report.failures) == ("succeeded", 3, 3, {})


async def test_the_run_is_recorded_with_the_counts_of_the_report(engine: AsyncEngine) -> None:
    report = await ingest(engine, Vendor(ROWS), lookback_days=5)
    async with transaction(engine) as connection:
        run = await get_run(connection, report.run_id)
    assert counts_of(run) == counts_of(report)
    assert (run.status, run.source, run.lookback_days, run.error) == ("succeeded", "vendor", 5, None)
    assert run.started_at == run.finished_at == report.started_at == report.finished_at == MONDAY


async def test_tickers_join_the_universe_with_their_first_stored_bar(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS, failures={"X": NOT_FOUND}))
    async with transaction(engine) as connection:
        assert await get_universe(connection, "U") == UNIVERSE
        stays, known_at = await members(connection, "U")
    assert stays == [
        Membership(ticker="A", start_date=JAN_2, end_date=None),
        Membership(ticker="B", start_date=JAN_4, end_date=None),
    ]
    assert known_at == MONDAY


async def test_a_ticker_that_is_a_member_already_does_not_join_again(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    await ingest(engine, Vendor([*ROWS, bar("A", dt.date(2023, 12, 29))]), now=TUESDAY, is_full=True)
    async with transaction(engine) as connection:
        stays, known_at = await members(connection, "U")
    assert [stay.start_date for stay in stays] == [JAN_2, JAN_4]
    assert known_at == MONDAY


async def test_a_delta_run_looks_back_from_the_newest_stored_bar_of_each_ticker(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    source = Vendor([*ROWS, bar("C", JAN_8)])
    await ingest(engine, source, now=TUESDAY, lookback_days=7, start=dt.date(2020, 1, 1))
    # 5 January less a week is 29 December, the 4th less a week the 28th; C is not stored yet.
    assert starts_of(source) == {
        "A": dt.date(2023, 12, 29),
        "B": dt.date(2023, 12, 28),
        "C": dt.date(2020, 1, 1),
    }


async def test_a_full_run_asks_for_everything_whatever_is_stored(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    source = Vendor(ROWS)
    report = await ingest(engine, source, now=TUESDAY, is_full=True)
    assert starts_of(source) == {"A": None, "B": None}
    assert (report.inserted, report.changed, report.unchanged) == (0, 0, 3)
    run, _ = await last_run(engine)
    assert run.lookback_days is None


async def test_a_restatement_within_the_lookback_is_found(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    report = await ingest(engine, Vendor([bar("A", JAN_2, 11.5), *ROWS[1:]]), now=TUESDAY, lookback_days=3)
    assert (report.rows_in, report.changed, report.unchanged) == (3, 1, 2)
    assert (await closes(engine))[0] == ("A", JAN_2, 11.5)
    assert await closes(engine, SupersededBar) == [("A", JAN_2, 11.0)]


async def test_a_restatement_before_the_lookback_is_not_asked_for(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    restated = [bar("A", JAN_2, 11.5), *ROWS[1:]]
    assert (await ingest(engine, Vendor(restated), now=TUESDAY, lookback_days=2)).changed == 0
    assert (await ingest(engine, Vendor(restated), now=TUESDAY, is_full=True)).changed == 1


async def test_bars_of_every_kind_are_counted_once(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    rows = [bar("A", JAN_2), bar("A", JAN_5, 11.5), bar("A", JAN_8), bar("B", JAN_4, 20.0), bar("B", JAN_8, low=-1.0)]
    report = await ingest(engine, Vendor(rows), now=TUESDAY)
    assert counts_of(report) == {
        "tickers": 2,
        "rows_in": 5,
        "inserted": 1,
        "changed": 1,
        "unchanged": 2,
        "quarantined": 1,
        "failed": 0,
    }
    assert report.failures == {"non_positive_price": 1}


async def test_quarantined_bars_are_recorded_one_by_one_and_the_good_ones_stored(engine: AsyncEngine) -> None:
    bad: list[Row] = [bar("A", JAN_3, volume=-1.0), bar("A", JAN_5), bar("A", JAN_8, high=1.0)]
    await ingest(engine, Vendor([*ROWS, *bad]))
    assert await closes(engine) == [(row["ticker"], row["date"], row["close"]) for row in ROWS]
    run, failures = await last_run(engine)
    assert (run.status, run.quarantined) == ("succeeded", 3)
    assert [(row.ticker, row.date, row.error_class, row.reason) for row in failures] == [
        ("A", JAN_3, "BAD_DATA", "negative_volume"),
        ("A", JAN_5, "BAD_DATA", "duplicate"),
        ("A", JAN_8, "BAD_DATA", "high_below_low, open_outside_range, close_outside_range"),
    ]
    expected: dict[str, Any] = bad[0] | {"date": "2024-01-03"}  # Any: JSON values
    assert failures[0].payload == expected
    assert failures[1].payload["is_identical"] is True


async def test_a_ticker_that_fails_leaves_the_others_stored(engine: AsyncEngine) -> None:
    report = await ingest(engine, Vendor(ROWS, failures={"X": NOT_FOUND, "Y": DELISTED}))
    assert (report.status, report.tickers, report.failed, report.inserted) == ("partial", 4, 2, 3)
    assert report.failures == {"DELISTED": 1, "NOT_FOUND": 1}
    run, failures = await last_run(engine)
    assert (run.status, counts_of(run)) == ("partial", counts_of(report))
    assert run.error in {str(NOT_FOUND), str(DELISTED)}
    assert sorted((row.ticker, row.date, row.error_class, row.reason, len(row.payload)) for row in failures) == [
        ("X", None, "NOT_FOUND", "unknown", 0),
        ("Y", None, "DELISTED", "gone", 0),
    ]


async def test_a_run_of_which_every_ticker_fails_raises_and_is_recorded_as_failed(engine: AsyncEngine) -> None:
    bad = BadDataError("vendor", "Z", "not JSON")
    with pytest.raises(AllTickersFailedError, match="all 3 tickers failed") as caught:
        await ingest(engine, Vendor([], failures={"X": NOT_FOUND, "Y": DELISTED, "Z": bad}))
    run, failures = await last_run(engine)
    assert (run.id, run.status, run.failed, run.finished_at) == (caught.value.run_id, "failed", 3, MONDAY)
    assert sorted((row.ticker, row.error_class) for row in failures) == [
        ("X", "NOT_FOUND"),
        ("Y", "DELISTED"),
        ("Z", "BAD_DATA"),
    ]


async def test_a_ticker_of_which_no_bar_is_good_has_failed_and_its_bars_are_recorded(engine: AsyncEngine) -> None:
    report = await ingest(engine, Vendor([*ROWS, bar("C", volume=-1.0), bar("C", JAN_3, volume=-2.0)]))
    assert (report.status, report.failed, report.rows_in, report.quarantined) == ("partial", 1, 5, 2)
    assert report.failures == {"BAD_DATA": 1, "negative_volume": 2}
    _, failures = await last_run(engine)
    assert [(row.ticker, row.date) for row in failures] == [("C", JAN_2), ("C", JAN_3), ("C", None)]


async def test_a_run_that_finds_nothing_new_has_succeeded(engine: AsyncEngine) -> None:
    await ingest(engine, Vendor(ROWS))
    report = await ingest(engine, Vendor([bar("A", JAN_2), bar("B", JAN_2)]), now=TUESDAY, lookback_days=0)
    assert (report.status, report.rows_in) == ("succeeded", 0)


async def test_actions_are_stored_once_and_a_new_value_is_one_more_version(engine: AsyncEngine) -> None:
    def vendor(dividend: float) -> Vendor:
        table: pa.Table = actions_of([("A", JAN_3, "dividend", dividend), ("A", JAN_5, "split", 2.0)])
        return Vendor(ROWS, actions=table)

    assert (await ingest(engine, vendor(0.25))).actions == 2
    assert (await ingest(engine, vendor(0.25), now=TUESDAY)).actions == 0
    assert (await ingest(engine, vendor(0.5), now=TUESDAY)).actions == 1
    async with transaction(engine) as connection:
        found = await actions(connection, ["A"])
    assert found == [
        ActionRecord(ticker="A", ex_date=JAN_3, kind="dividend", value=0.5, known_at=TUESDAY),
        ActionRecord(ticker="A", ex_date=JAN_5, kind="split", value=2.0, known_at=MONDAY),
    ]


async def test_refused_actions_are_recorded_but_are_no_rows(engine: AsyncEngine) -> None:
    report = await ingest(engine, Vendor(ROWS, actions=actions_of([("A", JAN_3, "split", 0.0)])))
    assert (report.rows_in, report.quarantined, report.actions) == (3, 0, 0)
    assert report.failures == {"bad_action": 1}
    _, failures = await last_run(engine)
    assert [(row.ticker, row.date, row.reason, row.payload["value"]) for row in failures] == [
        ("A", JAN_3, "bad_action", 0.0)
    ]


async def test_only_the_named_tickers_are_asked_for_each_once(engine: AsyncEngine) -> None:
    source = Vendor(ROWS)
    report = await ingest(engine, source, tickers=["B", "B"])
    assert [request.ticker for request in source.requests] == ["B"]
    assert report.tickers == 1


async def test_progress_is_told_after_each_ticker(engine: AsyncEngine) -> None:
    told: list[tuple[int, int]] = []
    await ingest(engine, Vendor(ROWS), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("option", [{"lookback_days": -1}, {"concurrency": 0}, {"batch_rows": 0}], ids=str)
async def test_an_option_out_of_range_is_refused_before_anything_begins(
    engine: AsyncEngine, option: IngestOptions
) -> None:
    source = Vendor(ROWS)
    with pytest.raises(SourceSettingsError, match="must be at least"):
        await ingest(engine, source, **option)
    assert source.requests == []


async def test_a_run_without_a_ticker_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(SourceSettingsError, match="cannot list its tickers: name them"):
        await ingest(engine, Vendor([]))


@pytest.fixture
async def stored_universe(engine: AsyncEngine, tmp_path: Path) -> AsyncEngine:
    """A universe of a file with three tickers, of which C has left."""
    path = tmp_path / "prices.csv"
    path.write_text("ticker,date,close\nA,2024-01-02,11\nB,2024-01-02,20\nC,2024-01-02,30\n")
    options = {"path": str(path)}
    async with transaction(engine) as connection:
        await put_universe(
            connection,
            UniverseRecord(**(asdict(UNIVERSE) | {"source": "files", "source_options": options})),
            known_at=MONDAY,
        )
    return engine


async def test_a_stored_universe_without_members_takes_all_that_its_source_lists(stored_universe: AsyncEngine) -> None:
    report = await ingest_by_key(stored_universe, "U", clock=lambda: MONDAY)
    assert (report.source, report.tickers, report.inserted) == ("files", 3, 3)


async def test_a_stored_universe_takes_its_present_members_only(stored_universe: AsyncEngine) -> None:
    stays = [
        Membership(ticker="A", start_date=JAN_2, end_date=None),
        Membership(ticker="B", start_date=JAN_2, end_date=JAN_8),  # today, the last day
        Membership(ticker="C", start_date=JAN_2, end_date=JAN_5),
    ]
    async with transaction(stored_universe) as connection:
        await put_members(connection, "U", stays, known_at=MONDAY)
    await ingest_by_key(stored_universe, "U", clock=lambda: MONDAY)
    assert [ticker for ticker, _, _ in await closes(stored_universe)] == ["A", "B"]


async def test_a_universe_that_is_not_stored_is_unknown(engine: AsyncEngine) -> None:
    with pytest.raises(UnknownUniverseError, match="MARS"):
        await ingest_by_key(engine, "MARS")


def test_a_sample_makes_its_own_universe() -> None:
    universe = sample_universe("us20")
    assert (universe.key, universe.source, universe.source_options) == ("SAMPLE_US20", "sample", {"which": "us20"})
