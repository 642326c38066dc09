"""The ledger of trials: append-only, one line for each spec, counted by what was chosen."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine, transaction
from backend.database.migrations import migrate
from backend.database.models.results import Trial
from backend.database.trials import (
    TrialCounts,
    TrialEquity,
    TrialRecord,
    add_trials,
    count_trials,
    newest_equities,
    trial_sharpe_ratios,
)

NOON = dt.datetime(2024, 1, 8, 12, tzinfo=dt.UTC)


def trial(
    backtest_id: str,
    *,
    design: str = "",
    strategy: str = "s",
    mean: float | None = 0.1,
    equity_key: str | None = None,
    minute: int = 0,
) -> TrialRecord:
    return TrialRecord(
        backtest_id=backtest_id,
        design=design or backtest_id,
        strategy=strategy,
        universe="U",
        origin="sweep",
        n_returns=2,
        mean=mean,
        std=0.2 if mean else mean,
        skewness=None,
        kurtosis=None,
        equity_key=equity_key,
        equity_column=equity_key and f"column of {backtest_id}",
        created_at=NOON + dt.timedelta(minutes=minute),
    )


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Both databases, migrated and empty."""
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()


async def added(engine: AsyncEngine, *records: TrialRecord) -> None:
    async with transaction(engine) as connection:
        await add_trials(connection, records)


async def test_a_line_that_is_there_stays_as_it_is(engine: AsyncEngine) -> None:
    await added(engine, trial("b1", mean=0.1))
    await added(engine, trial("b1", mean=0.9), trial("b2", mean=0.2))
    async with transaction(engine) as connection:
        assert await trial_sharpe_ratios(connection) == pytest.approx([0.5, 1.0])


async def test_of_writers_of_the_same_specs_at_once_each_spec_is_written_once(engine: AsyncEngine) -> None:
    batch = [trial(f"b{number:04d}") for number in range(40)]
    await asyncio.gather(*(added(engine, *batch) for _ in range(4)))
    async with transaction(engine) as connection:
        assert await count_trials(connection) == {"s": TrialCounts(n_trials=40, n_specs=40)}


async def test_a_sweep_is_written_in_one_transaction_or_not_at_all(engine: AsyncEngine) -> None:
    batch = [trial(f"b{number:05d}") for number in range(2_500)]

    async def broken_off() -> None:
        async with transaction(engine) as connection:
            await add_trials(connection, batch)
            raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        await broken_off()
    async with transaction(engine) as connection:
        assert await count_trials(connection) == {}
        await add_trials(connection, batch)
        assert await count_trials(connection) == {"s": TrialCounts(n_trials=2_500, n_specs=2_500)}


async def test_the_same_choice_on_other_data_is_no_further_trial(engine: AsyncEngine) -> None:
    await added(
        engine,
        trial("b1", design="d1", mean=0.1),
        trial("b2", design="d1", mean=0.3),
        trial("b3", design="d2", mean=0.2),
        trial("b4", design="d3", strategy="t", mean=0.4),
    )
    async with transaction(engine) as connection:
        counts = await count_trials(connection)
        # Means of 0.1 / 0.2 and 0.3 / 0.2, then 0.2 / 0.2.
        assert await trial_sharpe_ratios(connection, strategy="s") == pytest.approx([1.0, 1.0])
        assert await trial_sharpe_ratios(connection) == pytest.approx([1.0, 1.0, 2.0])
    assert counts == {"s": TrialCounts(n_trials=2, n_specs=3), "t": TrialCounts(n_trials=1, n_specs=1)}


async def test_a_trial_whose_returns_do_not_vary_is_counted_and_has_no_ratio(engine: AsyncEngine) -> None:
    await added(engine, trial("b1", mean=0.0), trial("b2", mean=None))
    async with transaction(engine) as connection:
        assert await count_trials(connection) == {"s": TrialCounts(n_trials=2, n_specs=2)}
        assert await trial_sharpe_ratios(connection) == []


async def test_the_newest_equities_are_one_for_each_choice_and_bounded(engine: AsyncEngine) -> None:
    await added(
        engine,
        trial("b1", design="d1", equity_key="k1", minute=1),
        trial("b2", design="d1", equity_key="k2", minute=5),
        trial("b3", design="d2", equity_key="k3", minute=3),
        trial("b4", design="d3", minute=9),
        trial("b5", design="d4", equity_key="k5", strategy="t", minute=4),
    )
    of_b2 = TrialEquity(design="d1", equity_key="k2", equity_column="column of b2")
    of_b3 = TrialEquity(design="d2", equity_key="k3", equity_column="column of b3")
    of_b5 = TrialEquity(design="d4", equity_key="k5", equity_column="column of b5")
    async with transaction(engine) as connection:
        assert await newest_equities(connection, limit=9) == [of_b2, of_b5, of_b3]
        assert await newest_equities(connection, limit=2) == [of_b2, of_b5]
        assert await newest_equities(connection, limit=9, strategy="s") == [of_b2, of_b3]


@pytest.mark.parametrize("table", ["trials", "preregistrations", "preregistration_runs"])
@pytest.mark.parametrize("change", ["UPDATE {} SET created_at = created_at", "DELETE FROM {}"])
async def test_what_was_written_is_never_changed_or_removed(engine: AsyncEngine, table: str, change: str) -> None:
    moment = "'2024-01-08 12:00:00.000000'"
    async with transaction(engine) as connection:
        for insert in (
            f"backtests VALUES ('b', '{{}}', '', 'e', 'o', 'h', {moment})",
            f"trials VALUES ('b', 'd', 's', 'U', 'cli', 1, NULL, NULL, NULL, NULL, NULL, NULL, {moment})",
            f"preregistrations VALUES ('p', '{{}}', 's', 'U', 'why', {moment})",
            f"preregistration_runs VALUES ('p', 'b', {moment})",
        ):
            await connection.execute(text(f"INSERT INTO {insert}"))
    statement = change.format(table)
    if table == "preregistrations":
        statement = statement.replace("created_at", "frozen_at")
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        async with transaction(engine) as connection:
            await connection.execute(text(statement))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.sampled_from("ab")), max_size=6), max_size=5
    )
)
async def test_the_ledger_only_ever_grows_and_keeps_the_first_word(
    engine: AsyncEngine, batches: list[list[tuple[int, int, str]]]
) -> None:
    async with transaction(engine) as connection:
        rows = await connection.execute(select(Trial.backtest_id, Trial.mean))
        before = {row.backtest_id: row.mean for row in rows}
    for batch in batches:
        records = [
            trial(f"{kind}{spec}", design=f"{kind}{spec}", strategy=kind, mean=mean) for spec, mean, kind in batch
        ]
        await added(engine, *records)
        expected = {record.backtest_id: record.mean for record in reversed(records)} | before
        async with transaction(engine) as connection:
            rows = await connection.execute(select(Trial.backtest_id, Trial.mean))
            before = {row.backtest_id: row.mean for row in rows}
            assert before == expected
            n_lines = await connection.scalar(select(func.count()).select_from(Trial))
            assert n_lines == sum(count.n_specs for count in (await count_trials(connection)).values())
