"""Versions of bars whose source states when it published them: merged in any order, each moment shows what was known.

Orders are enumerated; the expectation is a plain loop over the versions, with the rules of `merge_bars` in words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.bar_writer import MergeResult, merge_bars
from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.market import Bar, SupersededBar
from backend.database.visible_bars import visible_bars
from support.bars import DAY, bar, to_merge

#: Moments at which a source may publish.
SLOTS = [dt.datetime(2024, 1, 8 + number, 22, tzinfo=dt.UTC) for number in range(3)]
INSTANT = dt.timedelta(microseconds=1)
#: Just before, at and just after every moment.
MOMENTS = [slot + offset for slot in SLOTS for offset in (-INSTANT, dt.timedelta(0), INSTANT)]
NOW = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
NEXT_DAY = DAY + dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A close, and the number of the moment at which it was published."""

    slot: int
    close: float


@dataclass(slots=True)
class Expected:
    """What a bar should have become: the versions that are stored by increasing moment, and counts."""

    stored: list[Version]
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    late: int = 0

    def take(self, version: Version) -> None:
        known = [earlier for earlier in self.stored if earlier.slot <= version.slot]
        if known and known[-1].close == version.close:
            self.unchanged += 1
        elif self.stored and version.slot <= self.stored[-1].slot:
            self.late += 1
        else:
            self.changed += bool(self.stored)
            self.inserted += not self.stored
            self.stored.append(version)

    def visible(self, as_of: dt.datetime) -> float | None:
        known = [version.close for version in self.stored if SLOTS[version.slot] <= as_of]
        return known[-1] if known else None


def arrivals() -> Iterator[tuple[tuple[Version, ...], tuple[Version, ...]]]:
    """Every way in which up to three versions of two closes, in any order, come in two merges."""
    for n_versions in (1, 2, 3):
        orders, all_closes = permutations(range(3), n_versions), product((10.0, 11.0), repeat=n_versions)
        for slots, closes, cut in product(orders, all_closes, range(n_versions + 1)):
            versions = [Version(slot=slot, close=close) for slot, close in zip(slots, closes, strict=True)]
            yield tuple(versions[:cut]), tuple(versions[cut:])


ARRIVALS = dict(enumerate(arrivals()))


def expected(merges: Sequence[Sequence[Version]]) -> Expected:
    found = Expected(stored=[])
    for versions in merges:
        for version in sorted(versions, key=lambda version: version.slot):
            found.take(version)
    return found


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    """One transaction on an empty migrated database of either kind."""
    migrate(database_url)
    engine: AsyncEngine = make_engine(database_url)
    async with transaction(engine) as opened:
        yield opened
    await engine.dispose()


async def merge(connection: AsyncConnection, versions: dict[str, Sequence[Version]]) -> MergeResult:
    """Merge versions of the bar of one day, by ticker."""
    pairs = [(ticker, version) for ticker, some in versions.items() for version in some]
    rows = [bar(ticker, close=version.close) for ticker, version in pairs]
    moments = [SLOTS[version.slot] for _, version in pairs]
    return await merge_bars(connection, to_merge(rows, moments=moments), known_at=NOW)


async def test_every_order_of_arrival_shows_at_each_moment_what_was_known(connection: AsyncConnection) -> None:
    # 3 slots x 2 closes x 2 cuts, 6 orders x 4 x 3, 6 orders x 8 x 4.
    assert len(ARRIVALS) == 276
    ends = {f"T{number}": expected(merges) for number, merges in ARRIVALS.items()}
    results = [
        await merge(connection, {f"T{number}": merges[turn] for number, merges in ARRIVALS.items()}) for turn in (0, 1)
    ]
    for name in ("inserted", "changed", "unchanged"):
        assert sum(getattr(result, name) for result in results) == sum(getattr(end, name) for end in ends.values())
    assert sum(result.late.num_rows for result in results) == sum(end.late for end in ends.values()) > 0
    for as_of in MOMENTS:
        bars = visible_bars(as_of)
        found = {row.ticker: row.close for row in (await connection.execute(select(bars))).all()}
        assert found == {ticker: end.visible(as_of) for ticker, end in ends.items() if end.visible(as_of)}, as_of
    n_superseded = await connection.scalar(select(func.count()).select_from(SupersededBar))
    assert n_superseded == sum(len(end.stored) - 1 for end in ends.values())


async def test_the_same_vintages_again_change_nothing(connection: AsyncConnection) -> None:
    versions = [Version(slot=slot, close=close) for slot, close in ((0, 10.0), (1, 11.0), (2, 10.0))]
    first = await merge(connection, {"A": versions})
    assert (first.inserted, first.changed) == (1, 2)
    before = (await connection.execute(select(Bar.__table__))).all()
    again = await merge(connection, {"A": versions[::-1]})
    assert (again.inserted, again.changed, again.unchanged, again.late.num_rows) == (0, 0, 3, 0)
    assert (await connection.execute(select(Bar.__table__))).all() == before


async def test_a_version_that_comes_too_late_is_handed_back_as_it_came(connection: AsyncConnection) -> None:
    await merge(connection, {"A": [Version(slot=1, close=10.0)], "B": [Version(slot=1, close=10.0)]})
    result = await merge(connection, {"A": [Version(slot=0, close=11.0)], "B": [Version(slot=2, close=11.0)]})
    (row,) = result.late.to_pylist()
    assert (row["ticker"], row["date"], row["close"], row["known_at"]) == ("A", DAY, 11.0, SLOTS[0])
    assert (result.changed, result.inserted, result.unchanged) == (1, 0, 0)


async def test_of_two_versions_of_one_moment_the_first_holds(connection: AsyncConnection) -> None:
    twins = [Version(slot=0, close=10.0), Version(slot=0, close=11.0), Version(slot=0, close=10.0)]
    result = await merge(connection, {"A": twins})
    assert (result.inserted, result.unchanged) == (1, 1)
    assert [row["close"] for row in result.late.to_pylist()] == [11.0]


async def test_the_moment_a_source_states_is_the_one_that_is_kept(connection: AsyncConnection) -> None:
    moments = [SLOTS[0] + 123 * INSTANT, SLOTS[0] + 124 * INSTANT]
    await merge_bars(connection, to_merge([bar(), bar(close=12.0)], moments=moments), known_at=NOW)
    assert await connection.scalar(select(Bar.known_at)) == moments[1]
    kept = (await connection.execute(select(SupersededBar.known_at, SupersededBar.superseded_at))).one()
    assert tuple(kept) == tuple(moments)


async def test_a_removed_bar_comes_back_only_with_a_later_moment(connection: AsyncConnection) -> None:
    await merge(connection, {"A": [Version(slot=0, close=10.0)]})
    # The trigger notes now, which is long after the moments of these tests.
    await connection.execute(delete(Bar))
    result = await merge(connection, {"A": [Version(slot=1, close=11.0)]})
    assert (result.inserted, result.late.num_rows) == (0, 1)


async def test_versions_and_bars_without_a_moment_follow_each_other(connection: AsyncConnection) -> None:
    await merge(connection, {"A": [Version(slot=0, close=10.0)]})
    result = await merge_bars(connection, to_merge([bar(close=11.0), bar(date=NEXT_DAY)]), known_at=SLOTS[1])
    assert (result.inserted, result.changed, result.late.num_rows) == (1, 1, 0)
    result = await merge(connection, {"A": [Version(slot=1, close=12.0), Version(slot=2, close=12.0)]})
    assert (result.changed, result.late.num_rows) == (1, 1)
