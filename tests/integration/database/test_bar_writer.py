"""Bars into both databases: what is written, what is left alone, and what becomes of the version before."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.bar_edges import newest_dates, oldest_dates
from backend.database.bar_writer import merge_bars
from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from support.bars import DAY, Row, bar, to_merge

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
WEDNESDAY = MONDAY + dt.timedelta(days=2)
NEXT_DAY = DAY + dt.timedelta(days=1)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the rows of a merge."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    late: int = 0


async def merge(
    engine: AsyncEngine,
    *rows: Row,
    known_at: dt.datetime = MONDAY,
    source: str = "vendor",
    data_quality: str = "good",
    **metadata: object,
) -> Counts:
    bars = to_merge(rows, source=source, data_quality=data_quality, metadata=metadata)
    async with transaction(engine) as connection:
        result = await merge_bars(connection, bars, known_at=known_at)
    return Counts(
        inserted=result.inserted, changed=result.changed, unchanged=result.unchanged, late=result.late.num_rows
    )


async def stored(engine: AsyncEngine, table: type[Bar | SupersededBar] = Bar) -> list[dict[str, Any]]:
    """All rows, by ticker, date and known_at; Any: mixed columns."""
    columns = table.__table__.c
    async with transaction(engine) as connection:
        query = select(table.__table__).order_by(columns.ticker, columns.date, columns.known_at)
        return [dict(row._mapping) for row in (await connection.execute(query)).all()]


async def physical_versions(engine: AsyncEngine) -> list[str]:
    """What tells a row that was written again: its transaction in PostgreSQL; SQLite has only the columns."""
    async with transaction(engine) as connection:
        version = "xmin::text" if engine.dialect.name == "postgresql" else "updated_at"
        query = text(f"SELECT {version} FROM market_data ORDER BY ticker, date")  # noqa: S608  one of two constants
        return list((await connection.scalars(query)).all())


async def test_new_bars_are_inserted_as_they_are(engine: AsyncEngine) -> None:
    rows = [bar("A"), bar("B", volume=None, adjusted_close=None), bar("B", NEXT_DAY, 20.0)]
    assert await merge(engine, *rows, basis="traded") == Counts(inserted=3)
    found = await stored(engine)
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    for row in found:
        assert (row["source"], row["metadata"], row["known_at"]) == ("vendor", {"basis": "traded"}, MONDAY)
        assert row["data_quality"] == "good"
        assert row["created_at"] == row["updated_at"]


async def test_bars_of_closes_only_are_inserted_without_open_high_and_low(engine: AsyncEngine) -> None:
    row = bar(open=None, high=None, low=None)
    assert await merge(engine, row) == Counts(inserted=1)
    (found,) = await stored(engine)
    assert {name: found[name] for name in row} == row


async def test_floats_come_back_to_the_last_bit(engine: AsyncEngine) -> None:
    closes = [1 / 3, 0.1 + 0.2, 1e-7, 5e-324, 123456789.12345679, 999999999999999.9]
    rows = [bar(f"T{n}") | dict.fromkeys(("open", "high", "low", "close"), close) for n, close in enumerate(closes)]
    await merge(engine, *rows)
    assert [row["close"] for row in await stored(engine)] == closes
    assert await merge(engine, *rows, known_at=TUESDAY) == Counts(unchanged=len(closes))


async def test_tickers_of_any_characters_are_stored_as_they_are(engine: AsyncEngine) -> None:
    tickers = ["BRK.B", 'A"B', "A,B", "A'B", " A", "\u00c9", "\\N", "NULL", "A\nB", ""]
    rows = [bar(ticker) for ticker in tickers]
    assert await merge(engine, *rows) == Counts(inserted=len(tickers))
    assert {row["ticker"] for row in await stored(engine)} == set(tickers)
    assert await merge(engine, *rows, known_at=TUESDAY) == Counts(unchanged=len(tickers))


async def test_inserted_changed_and_unchanged_rows_are_counted_exactly(engine: AsyncEngine) -> None:
    await merge(engine, bar("A"), bar("A", NEXT_DAY), bar("B"))
    counts = await merge(
        engine, bar("A"), bar("A", NEXT_DAY, volume=1.0), bar("B"), bar("C"), bar("D"), bar("E"), known_at=TUESDAY
    )
    assert counts == Counts(inserted=3, changed=1, unchanged=2)


async def test_no_bars_change_nothing(engine: AsyncEngine) -> None:
    assert await merge(engine) == Counts()


async def test_an_unchanged_row_is_not_written_at_all(engine: AsyncEngine) -> None:
    await merge(engine, bar("A"), bar("B", volume=None))
    before, versions = await stored(engine), await physical_versions(engine)
    counts = await merge(engine, bar("A"), bar("B", volume=None), known_at=TUESDAY, source="other", basis="other")
    assert counts == Counts(unchanged=2)
    assert await stored(engine) == before
    assert await physical_versions(engine) == versions
    assert await stored(engine, SupersededBar) == []


async def test_another_adjusted_close_alone_is_no_restatement(engine: AsyncEngine) -> None:
    # A vendor's adjusted closes move with every dividend; the raw prices do not.
    await merge(engine, bar(adjusted_close=11.0))
    assert await merge(engine, bar(adjusted_close=10.5), known_at=TUESDAY) == Counts(unchanged=1)
    assert [row["adjusted_close"] for row in await stored(engine)] == [11.0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"open": 10.0}, {"open": 10.5}),
        ({"high": 12.0}, {"high": 12.5}),
        ({"low": 9.0}, {"low": 8.5}),
        ({"close": 11.0}, {"close": 11.0000001}),
        ({"volume": 1000.0}, {"volume": 1001.0}),
        ({"volume": None}, {"volume": 0.0}),
        ({"volume": 0.0}, {"volume": None}),
        ({"open": None}, {"open": 10.0}),
    ],
    ids=str,
)
async def test_a_change_of_any_raw_value_is_a_restatement(
    engine: AsyncEngine, before: dict[str, object], after: dict[str, object]
) -> None:
    await merge(engine, bar() | before)
    assert await merge(engine, bar() | after, known_at=TUESDAY) == Counts(changed=1)
    (now,), (then,) = await stored(engine), await stored(engine, SupersededBar)
    assert {name: now[name] for name in after} == after
    assert {name: then[name] for name in before} == before


async def test_a_restatement_replaces_the_row_and_keeps_the_version_before(engine: AsyncEngine) -> None:
    await merge(engine, bar(close=11.0, adjusted_close=5.0), basis="one")
    (old,) = await stored(engine)
    await merge(engine, bar(close=11.5, adjusted_close=6.0), known_at=TUESDAY, source="other", basis="two")
    (new,) = await stored(engine)
    assert new == old | bar(close=11.5, adjusted_close=6.0) | {
        "source": "other",
        "metadata": {"basis": "two"},
        "updated_at": TUESDAY,
        "known_at": TUESDAY,
    }
    (kept,) = await stored(engine, SupersededBar)
    unchanged = {name: value for name, value in old.items() if name not in {"created_at", "updated_at"}}
    assert kept == unchanged | {"superseded_at": TUESDAY}


async def test_another_verdict_is_a_new_version_and_the_one_before_is_kept(engine: AsyncEngine) -> None:
    await merge(engine, bar())
    rules = ["stale_close"]
    assert await merge(engine, bar(), known_at=TUESDAY, data_quality="suspect", rules=rules) == Counts(changed=1)
    (now,), (then,) = await stored(engine), await stored(engine, SupersededBar)
    assert (now["data_quality"], now["metadata"]) == ("suspect", {"rules": rules})
    assert (then["data_quality"], then["metadata"], then["superseded_at"]) == ("good", {}, TUESDAY)


async def test_each_row_has_its_own_source_verdict_and_metadata(engine: AsyncEngine) -> None:
    parts = [
        to_merge([bar("A")], source="one", metadata={"basis": "traded"}),
        to_merge([bar("B")], source="two", data_quality="bad", metadata={"rules": ["unit_error"]}),
    ]
    async with transaction(engine) as connection:
        await merge_bars(connection, pa.concat_tables(parts), known_at=MONDAY)
    assert [(row["source"], row["data_quality"], row["metadata"]) for row in await stored(engine)] == [
        ("one", "good", {"basis": "traded"}),
        ("two", "bad", {"rules": ["unit_error"]}),
    ]


async def test_a_ticker_without_bars_among_others_does_no_harm(engine: AsyncEngine) -> None:
    parts = [to_merge([]), to_merge([bar("A")]), to_merge([]), to_merge([bar("B")]), to_merge([])]
    async with transaction(engine) as connection:
        assert (await merge_bars(connection, pa.concat_tables(parts), known_at=MONDAY)).inserted == 2
    assert [row["ticker"] for row in await stored(engine)] == ["A", "B"]


async def test_a_value_that_comes_back_is_one_more_version(engine: AsyncEngine) -> None:
    for close, known_at in ((11.0, MONDAY), (11.5, TUESDAY), (11.0, WEDNESDAY)):
        await merge(engine, bar(close=close), known_at=known_at)
    assert [(row["close"], row["known_at"]) for row in await stored(engine)] == [(11.0, WEDNESDAY)]
    history = await stored(engine, SupersededBar)
    assert [(row["close"], row["known_at"], row["superseded_at"]) for row in history] == [
        (11.0, MONDAY, TUESDAY),
        (11.5, TUESDAY, WEDNESDAY),
    ]


@pytest.mark.parametrize("step", [dt.timedelta(0), -dt.timedelta(hours=1), dt.timedelta(microseconds=-1)], ids=str)
async def test_a_version_is_known_later_than_the_one_before_whatever_the_clock_says(
    engine: AsyncEngine, step: dt.timedelta
) -> None:
    for microsecond in (0, 1, 499, 500, 123_456, 999_499, 999_500, 999_999):
        # The last second of a year: rounding up carries through every digit.
        moment = dt.datetime(2023, 12, 31, 23, 59, 59, microsecond, tzinfo=dt.UTC)
        ticker = f"T{microsecond:06}"
        for number in range(4):
            counts = await merge(engine, bar(ticker, volume=float(number)), known_at=moment + number * step)
            assert counts == (Counts(changed=1) if number else Counts(inserted=1))
        history = [row for row in await stored(engine, SupersededBar) if row["ticker"] == ticker]
        versions = [*history, *(row for row in await stored(engine) if row["ticker"] == ticker)]
        assert [row["volume"] for row in versions] == [0.0, 1.0, 2.0, 3.0]
        moments = [row["known_at"] for row in versions]
        assert moments[0] == moment
        assert all(earlier < later for earlier, later in pairwise(moments))
        assert moments[-1] - moment < dt.timedelta(milliseconds=10)
        assert [row["superseded_at"] for row in history] == moments[1:]


async def test_a_clock_that_is_only_a_little_later_is_believed(engine: AsyncEngine) -> None:
    later = MONDAY + dt.timedelta(microseconds=1)
    await merge(engine, bar())
    await merge(engine, bar(volume=1.0), known_at=later)
    assert [row["known_at"] for row in await stored(engine)] == [later]


async def test_what_a_transaction_does_not_commit_is_not_stored(engine: AsyncEngine) -> None:
    async def fails() -> None:
        async with transaction(engine) as connection:
            await merge_bars(connection, to_merge([bar()]), known_at=MONDAY)
            raise ValueError("a defect of ours")

    with pytest.raises(ValueError, match="a defect of ours"):
        await fails()
    assert await stored(engine) == []
    assert await merge(engine, bar()) == Counts(inserted=1)


async def test_two_merges_can_share_a_transaction(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        for row in (bar("A"), bar("B")):
            assert (await merge_bars(connection, to_merge([row]), known_at=MONDAY)).inserted == 1
    assert [row["ticker"] for row in await stored(engine)] == ["A", "B"]


async def test_two_writers_of_the_same_bars_at_once_store_them_once(engine: AsyncEngine) -> None:
    rows = [bar("A", DAY + dt.timedelta(days=number)) for number in range(50)]
    first, second = await asyncio.gather(merge(engine, *rows), merge(engine, *reversed(rows)))
    assert {first, second} == {Counts(inserted=50), Counts(unchanged=50)}
    assert len(await stored(engine)) == 50
    assert await stored(engine, SupersededBar) == []


async def test_the_edges_of_what_is_stored_are_the_first_and_last_session_of_each_ticker(engine: AsyncEngine) -> None:
    await merge(engine, bar("A"), bar("A", NEXT_DAY), bar("B", NEXT_DAY), bar("C"))
    async with transaction(engine) as connection:
        assert await newest_dates(connection, ["A", "B", "Z"]) == {"A": NEXT_DAY, "B": NEXT_DAY}
        assert await oldest_dates(connection, ["A", "B", "Z"]) == {"A": DAY, "B": NEXT_DAY}
        assert await newest_dates(connection, []) == {}


async def test_more_tickers_than_one_statement_takes_can_be_asked_for(engine: AsyncEngine) -> None:
    await merge(engine, bar("T00000"), bar("T39999"))
    async with transaction(engine) as connection:
        found = await newest_dates(connection, [f"T{number:05}" for number in range(40_000)])
    assert found == {"T00000": DAY, "T39999": DAY}


async def test_new_tickers_are_stored_beside_tickers_that_are_stored_already(engine: AsyncEngine) -> None:
    await merge(engine, bar("B", volume=5.0))
    rows = [
        bar("A"),
        bar("B"),
        bar("B", NEXT_DAY),
        bar("C", open=None, high=None, low=None),
        bar("LONGER", volume=None),
    ]
    assert await merge(engine, *rows, known_at=TUESDAY) == Counts(inserted=4, changed=1)
    found = await stored(engine)
    assert [{name: row[name] for name in rows[0]} for row in found] == rows
    assert {row["known_at"] for row in found} == {TUESDAY}
