"""Event time and knowledge time: what is served is what was known at the moment asked for, no more and no less.

Orders of knowledge are enumerated, and the expectation is picked by a plain loop over the versions written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import ActionRecord, actions, put_actions
from backend.database.connection import make_engine, transaction
from backend.database.coverage import coverage
from backend.database.errors import UnknownTickerError, UnknownUniverseError
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from backend.database.universes import UniverseRecord, get_universe, members, put_members, put_universe, universe_keys
from backend.database.visible_bars import price_columns, visible_bars
from strategy.universe import Membership

DAY = dt.date(2024, 1, 5)
#: Moments at which somebody may learn something.
SLOTS = [dt.datetime(2024, 1, 8 + number, 22, tzinfo=dt.UTC) for number in range(4)]
INSTANT = dt.timedelta(microseconds=1)
#: Just before, at and just after every moment.
MOMENTS = [slot + offset for slot in SLOTS for offset in (-INSTANT, dt.timedelta(0), INSTANT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the bar of a ticker."""

    ticker: str
    known_at: dt.datetime
    close: float
    quality: str


def histories() -> Iterator[list[Version]]:
    """Every way in which a bar has one to three versions, of any quality, known at any of the moments."""
    number = 0
    for n_versions in (1, 2, 3):
        for slots, qualities in product(combinations(SLOTS, n_versions), product(("good", "bad"), repeat=n_versions)):
            ticker = f"T{number:03d}"
            number += 1
            yield [
                Version(ticker=ticker, known_at=slot, close=10.0 + place, quality=quality)
                for place, (slot, quality) in enumerate(zip(slots, qualities, strict=True))
            ]


HISTORIES = list(histories())


def expected(as_of: dt.datetime | None) -> dict[str, tuple[float, dt.datetime]]:
    """Close and `known_at` by ticker: the last version known by then, if it is not bad."""
    found = {}
    for versions in HISTORIES:
        known = [version for version in versions if as_of is None or version.known_at <= as_of]
        if known and known[-1].quality != "bad":
            found[known[-1].ticker] = (known[-1].close, known[-1].known_at)
    return found


def values(version: Version, date: dt.date = DAY) -> dict[str, object]:
    close = version.close
    prices = {"open": close, "high": close, "low": close, "close": close, "volume": 100.0}
    keys = {"ticker": version.ticker, "date": date, "source": "files"}
    return keys | prices | {"data_quality": version.quality, "known_at": version.known_at}


async def write(connection: AsyncConnection, versions: list[Version], date: dt.date = DAY) -> None:
    first, *later = versions
    await connection.execute(insert(Bar), [values(first, date)])
    for version in later:
        bar = update(Bar).where(Bar.ticker == version.ticker, Bar.date == date)
        await connection.execute(bar.values(values(version, date)))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction on an empty migrated database of either kind."""
    migrate(database_url)
    engine: AsyncEngine = make_engine(database_url)
    async with transaction(engine) as opened:
        yield opened
    await engine.dispose()


async def test_every_order_of_restatements_is_seen_as_it_was_known(connection: AsyncConnection) -> None:
    # 4 * 2 + 6 * 4 + 4 * 8: choices of moments times choices of qualities.
    assert len(HISTORIES) == 64
    for versions in HISTORIES:
        await write(connection, versions)
    for as_of in (*MOMENTS, None):
        bars = visible_bars(as_of)
        rows = (await connection.execute(select(bars))).all()
        assert {row.ticker: (row.close, row.known_at) for row in rows} == expected(as_of), as_of
        assert len(rows) == len(expected(as_of))


async def test_a_page_of_prices_is_of_one_moment(connection: AsyncConnection) -> None:
    for versions in HISTORIES:
        await write(connection, versions)
    tickers = [versions[0].ticker for versions in HISTORIES]
    for as_of in (*MOMENTS, None):
        page = await price_columns(connection, tickers, span=(None, None), as_of=as_of, after=None, limit=1_000)
        found = dict(zip(page["ticker"], zip(page["close"], page["known_at"], strict=True), strict=True))
        assert found == expected(as_of), as_of


async def test_pages_of_any_size_join_without_gap_or_repeat(connection: AsyncConnection) -> None:
    days = [DAY + dt.timedelta(days=number) for number in range(3)]
    for ticker, day in product("BAC", days):
        await write(connection, [Version(ticker=ticker, known_at=SLOTS[0], close=1.0, quality="good")], day)
    whole = list(product("ABC", days))
    for limit in range(1, len(whole) + 2):
        found: list[tuple[str, dt.date]] = []
        while True:
            page = await price_columns(
                connection,
                ["C", "A", "B"],
                span=(None, None),
                as_of=SLOTS[3],
                after=found[-1] if found else None,
                limit=limit,
            )
            if not page["ticker"]:
                break
            found += zip(page["ticker"], page["date"], strict=True)
        assert found == whole


async def test_a_span_has_both_its_ends(connection: AsyncConnection) -> None:
    days = [DAY + dt.timedelta(days=number) for number in range(4)]
    for day in days:
        await write(connection, [Version(ticker="A", known_at=SLOTS[0], close=1.0, quality="good")], day)
    page = await price_columns(connection, ["A"], span=(days[1], days[2]), as_of=None, after=None, limit=9)
    assert list(page["date"]) == days[1:3]


async def test_a_ticker_of_which_nothing_is_stored_is_named(connection: AsyncConnection) -> None:
    await write(connection, [Version(ticker="A", known_at=SLOTS[0], close=1.0, quality="good")])
    with pytest.raises(UnknownTickerError, match="ENRON"):
        await price_columns(connection, ["A", "ENRON"], span=(None, None), as_of=None, after=None, limit=9)


async def test_a_change_of_the_vendors_adjusted_close_is_no_restatement(connection: AsyncConnection) -> None:
    await write(connection, [Version(ticker="A", known_at=SLOTS[0], close=1.0, quality="good")])
    await connection.execute(update(Bar).values(adjusted_close=0.5))
    assert await connection.scalar(select(func.count()).select_from(SupersededBar)) == 0


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
async def test_a_change_of_any_raw_value_keeps_the_old_version(connection: AsyncConnection, field: str) -> None:
    bar = {"open": 10.0, "high": 12.0, "low": 8.0, "close": 10.0, "volume": 100.0}
    keys = {"ticker": "A", "date": DAY, "source": "files", "known_at": SLOTS[0]}
    await connection.execute(insert(Bar), [keys | bar])
    await connection.execute(update(Bar).values({field: bar[field] + 1, "known_at": SLOTS[1]}))
    old = (await connection.execute(select(SupersededBar.__table__))).one()
    assert {name: getattr(old, name) for name in bar} == bar
    assert (old.known_at, old.superseded_at) == (SLOTS[0], SLOTS[1])


async def test_a_value_that_goes_missing_is_a_restatement(connection: AsyncConnection) -> None:
    await write(connection, [Version(ticker="A", known_at=SLOTS[0], close=1.0, quality="good")])
    await connection.execute(update(Bar).values(volume=None, known_at=SLOTS[1]))
    assert await connection.scalar(select(SupersededBar.volume)) == 100.0


async def test_a_removed_bar_is_still_seen_at_moments_before_its_removal(connection: AsyncConnection) -> None:
    await write(connection, [Version(ticker="A", known_at=SLOTS[0], close=1.0, quality="good")])
    await connection.execute(delete(Bar))
    for as_of, n_rows in ((SLOTS[0] - INSTANT, 0), (SLOTS[0], 1), (SLOTS[3], 1), (None, 0)):
        assert len((await connection.execute(select(visible_bars(as_of)))).all()) == n_rows


async def test_coverage_counts_by_quality_and_is_empty_where_nothing_is(connection: AsyncConnection) -> None:
    for number, quality in enumerate(["good", "good", "suspect", "bad"]):
        day = DAY + dt.timedelta(days=number)
        await write(connection, [Version(ticker="A", known_at=SLOTS[number], close=1.0, quality=quality)], day)
    found = await coverage(connection, ["A", "B"])
    assert found["quality"] == {"good": 2, "suspect": 1, "bad": 1}
    assert (found["bars"], found["first_session"], found["known_at"]) == (4, DAY, SLOTS[3])
    assert (await coverage(connection, ["B"]))["last_session"] is None


def stay(ticker: str, end_date: dt.date | None = None) -> Membership:
    return Membership(ticker=ticker, start_date=DAY, end_date=end_date)


async def test_members_are_those_known_at_the_moment(connection: AsyncConnection) -> None:
    later = DAY + dt.timedelta(days=30)
    assert await put_members(connection, "U", [stay("A"), stay("B")], known_at=SLOTS[0]) == 2
    assert await put_members(connection, "U", [stay("A"), stay("B", later)], known_at=SLOTS[1]) == 1
    assert await put_members(connection, "OTHER", [stay("Z")], known_at=SLOTS[1]) == 1
    # The end of B's stay was an error.
    assert await put_members(connection, "U", [stay("B"), stay("C")], known_at=SLOTS[2]) == 2
    known = [[], [stay("A"), stay("B")], [stay("A"), stay("B", later)], [stay("A"), stay("B"), stay("C")]]
    for as_of in MOMENTS:
        n_learned = sum(slot <= as_of for slot in SLOTS[:3])
        stays, newest = await members(connection, "U", as_of=as_of)
        assert stays == known[n_learned], as_of
        assert newest == (SLOTS[n_learned - 1] if n_learned else None)
    assert (await members(connection, "U"))[0] == known[3]


async def test_actions_are_those_known_at_the_moment(connection: AsyncConnection) -> None:
    # A split is announced, corrected, withdrawn and announced again.
    heard: list[float | None] = [2.0, 3.0, None, 2.0]
    for value, slot in zip(heard, SLOTS, strict=True):
        split = ActionRecord(ticker="A", ex_date=DAY, kind="split", value=value, known_at=slot)
        assert await put_actions(connection, [split], source="files") == 1
        assert await put_actions(connection, [split], source="files") == 0
    for as_of in MOMENTS:
        known = [value for value, slot in zip(heard, SLOTS, strict=True) if slot <= as_of]
        found = [record.value for record in await actions(connection, ["A", "B"], as_of=as_of)]
        assert found == [value for value in known[-1:] if value is not None], as_of
    assert [record.value for record in await actions(connection, ["A"])] == [2.0]


@pytest.mark.parametrize("clock", [SLOTS[1], SLOTS[0]], ids=["stands still", "goes back"])
async def test_a_corrected_action_counts_whatever_the_clock_says(
    connection: AsyncConnection, clock: dt.datetime
) -> None:
    for value, moment in ((2.0, SLOTS[1]), (3.0, clock)):
        split = ActionRecord(ticker="A", ex_date=DAY, kind="split", value=value, known_at=moment)
        assert await put_actions(connection, [split], source="files") == 1
    assert [record.value for record in await actions(connection, ["A"], as_of=SLOTS[1])] == [2.0]
    assert [(record.value, record.known_at) for record in await actions(connection, ["A"])] == [
        (3.0, SLOTS[1] + INSTANT)
    ]


@pytest.mark.parametrize("clock", [SLOTS[1], SLOTS[0]], ids=["stands still", "goes back"])
async def test_a_corrected_stay_counts_whatever_the_clock_says(connection: AsyncConnection, clock: dt.datetime) -> None:
    for end, moment in ((None, SLOTS[1]), (DAY, clock)):
        stay = Membership(ticker="A", start_date=DAY, end_date=end)
        assert await put_members(connection, "U", [stay], known_at=moment) == 1
    stays, known_at = await members(connection, "U")
    assert [stay.end_date for stay in stays] == [DAY]
    assert known_at == SLOTS[1] + INSTANT


async def test_what_was_never_known_is_not_withdrawn(connection: AsyncConnection) -> None:
    nothing = ActionRecord(ticker="A", ex_date=DAY, kind="split", value=None, known_at=SLOTS[0])
    assert await put_actions(connection, [nothing], source="files") == 0


async def test_a_split_and_a_dividend_of_one_day_are_two_facts(connection: AsyncConnection) -> None:
    both = [
        ActionRecord(ticker="A", ex_date=DAY, kind=kind, value=value, known_at=SLOTS[0])
        for kind, value in (("split", 2.0), ("dividend", 0.25))
    ]
    assert await put_actions(connection, both, source="files") == 2
    assert [(record.kind, record.value) for record in await actions(connection, ["A"])] == [
        ("dividend", 0.25),
        ("split", 2.0),
    ]


async def test_a_universe_is_what_it_was_described_as_at_the_moment(connection: AsyncConnection) -> None:
    described = [
        UniverseRecord(
            key="U", name=name, currency="USD", calendar="XNYS", benchmark=None, source="files", source_options={"a": 1}
        )
        for name in ("first", "second", "first", "third")
    ]
    for universe, slot in zip(described, SLOTS, strict=True):
        assert await put_universe(connection, universe, known_at=slot)
        assert not await put_universe(connection, universe, known_at=slot)
    for as_of in MOMENTS:
        # Before the first description, the first one holds.
        n_known = max(1, sum(slot <= as_of for slot in SLOTS))
        assert await get_universe(connection, "U", as_of=as_of) == described[n_known - 1], as_of
    assert await get_universe(connection, "U") == described[-1]
    assert await universe_keys(connection) == ["U"]
    with pytest.raises(UnknownUniverseError, match="known are U"):
        await get_universe(connection, "MARS")


async def test_a_new_description_counts_when_the_clock_goes_back(connection: AsyncConnection) -> None:
    for name, moment in (("first", SLOTS[1]), ("second", SLOTS[0])):
        universe = UniverseRecord(
            key="U", name=name, currency="USD", calendar="XNYS", benchmark=None, source="files", source_options={}
        )
        await put_universe(connection, universe, known_at=moment)
    assert (await get_universe(connection, "U")).name == "second"
    assert (await get_universe(connection, "U", as_of=SLOTS[1])).name == "first"


async def test_a_symbol_change_and_a_delisting_are_versions_like_any_action(connection: AsyncConnection) -> None:
    renamed = ActionRecord(ticker="A", ex_date=DAY, kind="symbol_change", value=1.0, known_at=SLOTS[0], new_symbol="AA")
    corrected = replace(renamed, new_symbol="AAA", known_at=SLOTS[1])
    gone = ActionRecord(ticker="A", ex_date=DAY, kind="delisting", value=-1.0, known_at=SLOTS[0])
    for records, n_new in (([renamed, gone], 2), ([renamed, gone], 0), ([corrected], 1), ([corrected], 0)):
        assert await put_actions(connection, records, source="files") == n_new
    assert await actions(connection, ["A"], as_of=SLOTS[0]) == [gone, renamed]
    assert await actions(connection, ["A"]) == [gone, corrected]
