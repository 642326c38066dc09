"""Audits of stored bars: what hindsight changes, what stands, and what a report tells at which moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord
from backend.database.verdict_store import NewVerdict, store_verdicts
from backend.database.visible_bars import price_columns
from backend.services.ingest import ingest_universe
from backend.services.quality_audit import Audit, audit_universe
from backend.services.quality_report import quality_report
from support.bars import DAY, Row, Vendor, actions_of, bar

MONDAY = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)
TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(days=number)


def series(closes: list[float], ticker: str = "A") -> list[Row]:
    return [
        bar(ticker, day(number), close, open=close, high=close * 1.01, low=close * 0.99)
        for number, close in enumerate(closes)
    ]


async def ingest(engine: AsyncEngine, *rows: Row, now: dt.datetime = MONDAY, split: float | None = None) -> None:
    actions = actions_of([] if split is None else [("A", day(10), "split", split)])
    await ingest_universe(engine, Vendor(rows, actions=actions), UNIVERSE, clock=lambda: now)


async def audit(engine: AsyncEngine, *, is_stored: bool = True, now: dt.datetime = TUESDAY) -> Audit:
    return await audit_universe(engine, "U", is_stored=is_stored, clock=lambda: now)


async def stored_verdicts(engine: AsyncEngine) -> dict[dt.date, tuple[str, list[str]]]:
    """Those that are not good."""
    async with transaction(engine) as connection:
        query = select(Bar.date, Bar.data_quality, Bar.metadata_).where(Bar.data_quality != "good")
        rows = (await connection.execute(query)).all()
    return {row.date: (row.data_quality, row.metadata["rules"]) for row in rows}


async def served(engine: AsyncEngine, as_of: dt.datetime) -> int:
    async with transaction(engine) as connection:
        page = await price_columns(connection, ["A"], span=(None, None), as_of=as_of, after=None, limit=1_000)
    return len(page["ticker"])


async def with_late_split(engine: AsyncEngine) -> None:
    """Ten bars, stored as good, that a vendor had multiplied by 4 for a split to come; then ten from its day on."""
    rows = series([400.0, 404.0] * 5 + [25.0, 25.25] * 5)
    await ingest(engine, *rows[:10])
    await ingest(engine, *rows, split=4.0)


async def test_an_audit_finds_in_hindsight_what_no_ingest_could_know(engine: AsyncEngine) -> None:
    await with_late_split(engine)
    before = await stored_verdicts(engine)
    assert day(0) not in before
    done = await audit(engine)
    assert await stored_verdicts(engine) == {day(number): ("bad", ["bad_split"]) for number in range(10)}
    assert done.n_bars == 20
    assert done.n_changed == done.n_stored > 0
    assert done.report.quality == {"good": 10, "suspect": 0, "bad": 10}


async def test_what_was_served_before_an_audit_can_still_be_asked_for(engine: AsyncEngine) -> None:
    await with_late_split(engine)
    before = await served(engine, MONDAY + dt.timedelta(hours=1))
    await audit(engine)
    assert before > 10
    assert await served(engine, MONDAY + dt.timedelta(hours=1)) == before
    assert await served(engine, TUESDAY) == 10


async def test_a_second_audit_changes_nothing(engine: AsyncEngine) -> None:
    await with_late_split(engine)
    await audit(engine)
    again = await audit(engine, now=WEDNESDAY)
    assert (again.n_changed, again.n_stored) == (0, 0)


async def test_an_audit_that_is_not_stored_writes_nothing(engine: AsyncEngine) -> None:
    await with_late_split(engine)
    before = await stored_verdicts(engine)
    done = await audit(engine, is_stored=False)
    assert done.n_changed > 0
    assert done.n_stored == 0
    assert await stored_verdicts(engine) == before


async def test_a_split_that_becomes_known_later_clears_the_jump_it_made(engine: AsyncEngine) -> None:
    rows = series([100.0, 101.0] * 5 + [25.0, 25.25] * 5)
    await ingest(engine, *rows)
    assert await stored_verdicts(engine) == {day(10): ("suspect", ["jump_without_action"])}
    await ingest(engine, *rows, split=4.0)
    await audit(engine)
    assert await stored_verdicts(engine) == {}


async def test_an_adjusted_close_of_another_answer_does_not_overturn_a_verdict(engine: AsyncEngine) -> None:
    rows = series([100.0, 101.0] * 5 + [35.0, 35.35] * 5)
    for row in rows[:10]:
        row["adjusted_close"] = row["close"] * 0.35
    await ingest(engine, *rows)
    verdict = {day(10): ("suspect", ["missing_action"])}
    assert await stored_verdicts(engine) == verdict
    # The bar before comes again, changed: from then on the two are of two answers.
    rows[9]["volume"] = 5.0
    await ingest_universe(engine, Vendor(rows), UNIVERSE, clock=lambda: TUESDAY, is_full=True)
    await audit(engine, now=WEDNESDAY)
    assert await stored_verdicts(engine) == verdict


async def test_a_session_without_a_bar_is_found_at_ingest_and_by_an_audit_alike(engine: AsyncEngine) -> None:
    # New York, from Tuesday 2024-01-02 on: the 6th and 7th were a weekend, the 9th was a session.
    rows = [row for row in series([50.0, 50.5] * 5) if row["date"].day not in {6, 7, 9}]
    await ingest(engine, *rows)
    verdict = {dt.date(2024, 1, 10): ("suspect", ["missing_session"])}
    assert await stored_verdicts(engine) == verdict
    assert (await audit(engine)).n_changed == 0
    assert await stored_verdicts(engine) == verdict


async def test_a_verdict_on_sessions_stands_when_no_calendar_is_known_any_more(engine: AsyncEngine) -> None:
    rows = [row for row in series([50.0, 50.5] * 5) if row["date"].day not in {6, 7, 9}]
    await ingest(engine, *rows)
    elsewhere = replace(UNIVERSE, calendar="MOON")
    await ingest_universe(engine, Vendor(series([20.0], "B")), elsewhere, clock=lambda: TUESDAY)
    done = await audit(engine, now=WEDNESDAY)
    assert (done.n_changed, done.report.quality["suspect"]) == (0, 1)


async def test_other_rules_of_the_same_quality_make_no_version(engine: AsyncEngine) -> None:
    rows = series([50.0] * 3)
    await ingest(engine, *rows)
    for moment, quality, rules in (
        (TUESDAY, "suspect", ["stale_close"]),
        (WEDNESDAY, "suspect", ["stale_close", "zero_volume"]),
    ):
        async with transaction(engine) as connection:
            (row,) = (await connection.execute(select(Bar.__table__).where(Bar.date == day(1)))).all()
            verdict = NewVerdict(
                ticker="A",
                date=day(1),
                known_at=row.known_at,
                quality=quality,
                metadata={"rules": rules},
                is_version=row.data_quality != quality,
            )
            assert await store_verdicts(connection, [verdict], now=moment) == 1
    async with transaction(engine) as connection:
        (now,) = (await connection.execute(select(Bar.__table__).where(Bar.date == day(1)))).all()
        n_before = await connection.scalar(select(func.count()).select_from(SupersededBar))
    assert (now.known_at, now.metadata, n_before) == (TUESDAY, {"rules": ["stale_close", "zero_volume"]}, 1)


async def test_a_bar_that_was_changed_meanwhile_keeps_its_newer_verdict(engine: AsyncEngine) -> None:
    await ingest(engine, *series([50.0]))
    old = NewVerdict(ticker="A", date=day(0), known_at=TUESDAY, quality="bad", metadata={}, is_version=True)
    async with transaction(engine) as connection:
        assert await store_verdicts(connection, [old], now=WEDNESDAY) == 0
    assert await stored_verdicts(engine) == {}


async def test_a_report_counts_by_rule_and_ticker_as_of_a_moment(engine: AsyncEngine) -> None:
    jump, quiet = series([50.0] * 9 + [20.0], "B"), series([50.0, 50.5] * 5, "C")
    await ingest(engine, *series([50.0, 50.5] * 5 + [5_000.0]), *jump, *quiet)
    async with transaction(engine) as connection:
        now = await quality_report(connection, "U", as_of=TUESDAY)
        before = await quality_report(connection, "U", as_of=MONDAY - dt.timedelta(days=1))
    assert now.quality == {"good": 29, "suspect": 1, "bad": 1}
    assert {item.rule: (item.bars, item.tickers) for item in now.rules if item.bars} == {
        "unit_error": (1, 1),
        "jump_without_action": (1, 1),
    }
    assert [(item.ticker, item.bars, item.bad, item.suspect) for item in now.worst] == [
        ("A", 11, 1, 0),
        ("B", 10, 0, 1),
    ]
    assert [(item.ticker, item.close) for item in now.flagged] == [("A", 5_000.0), ("B", 20.0)]
    assert before.quality == {"good": 0, "suspect": 0, "bad": 0}


async def test_an_unknown_universe_cannot_be_audited(engine: AsyncEngine) -> None:
    with pytest.raises(UnknownUniverseError, match="MARS"):
        await audit_universe(engine, "MARS", is_stored=False)


async def test_a_universe_without_bars_has_an_empty_audit(engine: AsyncEngine) -> None:
    await ingest(engine, *series([50.0]))
    async with transaction(engine) as connection:
        report = await quality_report(connection, "U", as_of=MONDAY - dt.timedelta(days=1))
    assert (report.worst, report.flagged) == ((), ())
