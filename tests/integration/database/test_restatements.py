"""What was rewritten between two moments, against a comparison of what was visible at each."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from functools import partial
from itertools import combinations, product

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from backend.database.actions import ActionRecord, put_actions
from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.market import Bar
from backend.database.restatements import Restatement, restated_actions, restated_bars
from backend.database.visible_bars import visible_bars
from support.bars import DAY

SLOTS = [dt.datetime(2024, 1, day, 12, tzinfo=dt.UTC) for day in (10, 11, 12, 13)]
MOMENTS = [dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (10, 11, 12, 13, 14)]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    migrate(database_url)
    engine: AsyncEngine = make_engine(database_url)
    async with transaction(engine) as opened:
        yield opened
    await engine.dispose()


async def learn(connection: AsyncConnection, ticker: str, closes: tuple[float | None, ...]) -> None:
    """Each close becomes known in its slot; None: nothing new."""
    is_known = False
    for close, slot in zip(closes, SLOTS, strict=True):
        if close is None:
            continue
        values = {"close": close, "known_at": slot, "source": "vendor"}
        if is_known:
            await connection.execute(update(Bar).where(Bar.ticker == ticker, Bar.close != close).values(values))
        else:
            row = {"ticker": ticker, "date": DAY, **values}
            await connection.execute(insert(Bar).values(row))
        is_known = True


async def visible_closes(connection: AsyncConnection, as_of: dt.datetime) -> dict[str, float]:
    bars = visible_bars(as_of)
    return {row.ticker: row.close for row in (await connection.execute(select(bars.c.ticker, bars.c.close))).all()}


async def test_for_every_order_of_events_the_changes_are_those_between_what_was_visible(
    connection: AsyncConnection,
) -> None:
    histories = {f"T{number}": closes for number, closes in enumerate(product((None, 1.0, 2.0), repeat=4))}
    for ticker, closes in histories.items():
        await learn(connection, ticker, closes)
    for earlier, later in combinations(MOMENTS, 2):
        before, after = await visible_closes(connection, earlier), await visible_closes(connection, later)
        expected = {t: (before[t], after[t]) for t in before if before[t] != after[t]}
        found = await restated_bars(connection, None, earlier=earlier, later=later, limit=1_000)
        assert {change.ticker: (change.before, change.after) for change in found} == expected, (earlier, later)
        assert all(change.field == "close" and change.source == "vendor" for change in found)


async def test_every_field_that_changed_is_named_with_both_values(connection: AsyncConnection) -> None:
    await learn(connection, "A", (10.0, None, None, None))
    changed = {"close": 11.0, "volume": 5.0, "data_quality": "suspect", "known_at": SLOTS[1]}
    await connection.execute(update(Bar).values(changed))
    found = await restated_bars(connection, ["A"], earlier=MOMENTS[1], later=MOMENTS[2], limit=10)
    said = {"ticker": "A", "date": DAY, "known_at": SLOTS[1], "source": "vendor"}
    assert found == [
        Restatement(field="close", before=10.0, after=11.0, **said),  # type: ignore[arg-type]
        Restatement(field="volume", before=None, after=5.0, **said),  # type: ignore[arg-type]
        Restatement(field="data_quality", before="good", after="suspect", **said),  # type: ignore[arg-type]
    ]
    assert await restated_bars(connection, ["B"], earlier=MOMENTS[1], later=MOMENTS[2], limit=10) == []


async def test_a_bar_that_was_removed_has_nothing_after(connection: AsyncConnection) -> None:
    await learn(connection, "A", (10.0, None, None, None))
    await connection.execute(delete(Bar))
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    found = await restated_bars(connection, None, earlier=MOMENTS[1], later=now, limit=10)
    assert [(change.field, change.before, change.after) for change in found] == [
        ("close", 10.0, None),
        ("data_quality", "good", None),
    ]


async def test_pages_follow_each_other(connection: AsyncConnection) -> None:
    for ticker in ("A", "B", "C"):
        await learn(connection, ticker, (1.0, 2.0, None, None))
    page = partial(restated_bars, connection, None, earlier=MOMENTS[1], later=MOMENTS[2], limit=2)
    first = await page()
    rest = await page(after=(first[-1].ticker, first[-1].date))
    assert [change.ticker for change in (*first, *rest)] == ["A", "B", "C"]


async def test_actions_corrected_withdrawn_or_learned_late_are_restatements(connection: AsyncConnection) -> None:
    def action(kind: str, ex_date: dt.date, value: float | None, slot: int) -> ActionRecord:
        return ActionRecord(ticker="A", ex_date=ex_date, kind=kind, value=value, known_at=SLOTS[slot])

    past, future = dt.date(2024, 1, 5), dt.date(2024, 2, 1)
    await put_actions(connection, [action("split", past, 2.0, 0), action("dividend", future, 1.0, 0)], source="files")
    await put_actions(connection, [action("split", past, 3.0, 1), action("dividend", future, None, 1)], source="files")
    await put_actions(connection, [action("dividend", past, 0.5, 1), action("split", future, 2.0, 1)], source="files")
    found = await restated_actions(connection, None, earlier=MOMENTS[1], later=MOMENTS[2])
    # The split of the future is news: nothing that was computed by then could have known it.
    assert [(change.date, change.field, change.before, change.after) for change in found] == [
        (past, "dividend", None, 0.5),
        (past, "split", 2.0, 3.0),
        (future, "dividend", 1.0, None),
    ]
    assert await restated_actions(connection, None, earlier=MOMENTS[2], later=MOMENTS[3]) == []
