"""A result among all trials: counted by the ledger, clustered by their equity, deflated by the core's own function."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from statistics import variance

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import write_table
from backend.database.backtests import BacktestRecord, store_backtest
from backend.database.connection import make_engine, transaction
from backend.database.errors import UnknownBacktestError
from backend.database.migrations import migrate
from backend.database.trials import TrialRecord, add_trials
from backend.services.honesty import live_honesty
from strategy.backtest.metrics import return_moments
from strategy.panel import FloatArray
from strategy.validation.sharpe import deflated_sharpe_ratio, expected_maximum_sharpe
from support.panels import business_days
from support.stores import MemoryStore

NOON = dt.datetime(2024, 1, 8, 12, tzinfo=dt.UTC)
N_RETURNS = 250


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    migrate(sqlite_url)
    made = make_engine(sqlite_url)
    yield made
    await made.dispose()


def trial(name: str, returns: FloatArray, *, key: str | None, strategy: str = "s", column: str = "") -> TrialRecord:
    moments = return_moments(returns)
    return TrialRecord(
        backtest_id=name,
        design=name,
        strategy=strategy,
        universe="U",
        origin="sweep",
        n_returns=moments.n,
        mean=moments.mean,
        std=moments.std,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
        equity_key=key,
        equity_column=(column or name) if key else None,
        created_at=NOON,
    )


async def written(store: MemoryStore, columns: dict[str, FloatArray], start: str = "2020-01-01") -> str:
    """Key of a table of the equities that the returns of each column give."""
    table = {name: np.concatenate([[100.0], 100 * np.cumprod(1 + returns)]) for name, returns in columns.items()}
    return await write_table(store, pa.table({"session": pa.array(business_days(N_RETURNS + 1, start)), **table}))


async def stored(engine: AsyncEngine, store: MemoryStore, returns: FloatArray) -> TrialRecord:
    """The result `b`, whose returns these are."""
    key = await written(store, {"equity": returns})
    record = BacktestRecord(
        id="b", spec={}, document="{}", equity_key=key, orders_key="o", holdings_key="h", created_at=NOON
    )
    own = trial("b", returns, key=key, column="equity")
    async with transaction(engine) as connection:
        await store_backtest(connection, record, own)
    return own


def random_returns(seed: int, n: int = 1) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return list(rng.normal(0.0005, 0.01, size=(n, N_RETURNS)))


async def test_a_first_trial_is_judged_by_its_probabilistic_sharpe_ratio(engine: AsyncEngine) -> None:
    store = MemoryStore()
    own = await stored(engine, store, random_returns(1)[0])
    found = await live_honesty(engine, store, "b", clock=lambda: NOON)
    assert (found.as_of, found.strategy, found.n_returns) == (NOON, "s", N_RETURNS)
    assert (found.family.n_trials, found.family.n_independent, found.family.expected_maximum_sharpe) == (1, 1, 0.0)
    assert found.family == found.account
    assert own.mean is not None
    assert own.std is not None
    assert found.sharpe == own.mean / own.std


async def test_the_deflated_ratio_is_that_of_the_core_for_the_counts_of_the_ledger(engine: AsyncEngine) -> None:
    store = MemoryStore()
    own = await stored(engine, store, random_returns(1)[0])
    others = [trial(f"t{number}", returns, key=None) for number, returns in enumerate(random_returns(2, 30))]
    strangers = [trial(f"u{number}", row, key=None, strategy="u") for number, row in enumerate(random_returns(3, 20))]
    async with transaction(engine) as connection:
        await add_trials(connection, [*others, *strangers])
    found = await live_honesty(engine, store, "b")
    for statistics, trials in ((found.family, [own, *others]), (found.account, [own, *others, *strangers])):
        ratios = [(it.mean or 0.0) / (it.std or 1.0) for it in trials]
        assert statistics.n_trials == len(trials)
        assert statistics.sharpe_variance == pytest.approx(variance(ratios))
        assert statistics.deflated_sharpe == pytest.approx(
            deflated_sharpe_ratio(
                ratios[0],
                n_returns=N_RETURNS,
                skewness=own.skewness or 0.0,
                kurtosis=own.kurtosis or 0.0,
                n_trials=len(trials),
                variance=variance(ratios),
            )
        )
        assert statistics.expected_maximum_sharpe == pytest.approx(
            expected_maximum_sharpe(n_trials=len(trials), variance=variance(ratios))
        )


async def test_trials_that_move_together_are_one_independent_trial(engine: AsyncEngine) -> None:
    # Two ideas, each in eight variants of a sweep that share one object; the result itself is one of the first.
    store = MemoryStore()
    first, second = random_returns(4, 2)
    await stored(engine, store, first)
    noise = np.random.default_rng(5).normal(0, 0.0005, size=(16, N_RETURNS))
    variants = {f"v{number}": (first if number < 8 else second) + noise[number] for number in range(16)}
    key = await written(store, variants)
    async with transaction(engine) as connection:
        await add_trials(connection, [trial(name, returns, key=key) for name, returns in variants.items()])
    found = (await live_honesty(engine, store, "b")).family
    assert (found.n_trials, found.n_clustered, found.n_independent) == (17, 17, 2)
    assert found.deflated_sharpe is not None
    assert found.deflated_sharpe_independent is not None
    assert found.deflated_sharpe_independent > found.deflated_sharpe


async def test_a_trial_that_cannot_be_compared_counts_for_itself(engine: AsyncEngine) -> None:
    store = MemoryStore()
    returns = random_returns(6)[0]
    await stored(engine, store, returns)
    of_another_time = await written(store, {"x": returns}, start="2010-01-01")
    async with transaction(engine) as connection:
        others = [trial("same", returns, key=await written(store, {"same": returns}))]
        others += [trial("x", returns, key=of_another_time), trial("lost", returns, key="objects/gone.parquet")]
        await add_trials(connection, others)
    found = (await live_honesty(engine, store, "b")).family
    # The result and its double are one, beside one of other sessions and one whose object is gone.
    assert (found.n_trials, found.n_clustered, found.n_independent) == (4, 2, 3)


async def test_a_result_that_was_never_run_is_not_found(engine: AsyncEngine) -> None:
    with pytest.raises(UnknownBacktestError, match="nothing"):
        await live_honesty(engine, MemoryStore(), "nothing")


async def test_returns_that_do_not_vary_have_no_ratio_to_deflate(engine: AsyncEngine) -> None:
    store = MemoryStore()
    flat = np.zeros(N_RETURNS)
    key = await written(store, {"equity": flat})
    record = BacktestRecord(
        id="b", spec={}, document="{}", equity_key=key, orders_key="o", holdings_key="h", created_at=NOON
    )
    values = trial("b", flat, key=key, column="equity")
    async with transaction(engine) as connection:
        await store_backtest(connection, record, values)
    found = await live_honesty(engine, store, "b")
    assert (found.sharpe, found.family.deflated_sharpe, found.family.n_trials) == (None, None, 1)
