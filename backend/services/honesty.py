"""What grows with every trial: how far a stored result survives the number of others that were tried.

1. The result's own line in the ledger: moments of its session returns.
2. Trials of its strategy and of the whole ledger, counted by design, with the variance of their Sharpe ratios.
3. Clusters among the newest `MOST_CLUSTERED` of these trials whose equity covers the sessions of the result. Trials
   beyond them are taken to cluster in the same proportion; one that cannot be compared counts for itself.
4. The deflated Sharpe ratio, against the number of trials and against the number of independent ones.

Nothing of it is asked of the caller: every figure is the ledger's.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import variance
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.errors import ObjectNotFoundError
from aws.facts import numbers_of
from aws.object_store import ObjectStore
from aws.s3_cache import read_table
from backend.database.backtests import get_backtest
from backend.database.connection import transaction
from backend.database.trials import (
    TrialCounts,
    TrialEquity,
    TrialRecord,
    count_trials,
    get_trial,
    newest_equities,
    trial_sharpe_ratios,
)
from backend.services.clock import utc_now
from strategy.validation.sharpe import deflated_sharpe_ratio, expected_maximum_sharpe

Clock: TypeAlias = Callable[[], dt.datetime]

if TYPE_CHECKING:
    from strategy.panel import DateArray, FloatArray

#: Trials whose equity is read and compared: bounds a request to some seconds, and the matrix of their distances.
MOST_CLUSTERED = 300
#: Share of the result's sessions that a trial must cover to be compared with the others.
_LEAST_COVER = 0.9
_LEAST_SESSIONS = 60
#: Objects of the cache that are read at once.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStatistics:
    """Trials of one strategy or of the whole ledger, and what is left of a Sharpe ratio against them.

    Parameters
    ----------
    n_trials, n_specs : int
        Distinct designs, and the specs that they were run as.
    sharpe_variance : float
        Of the trials' Sharpe ratios per session; 0 of fewer than two.
    expected_maximum_sharpe : float
        Per session, of the best of `n_trials` without skill.
    deflated_sharpe : float or None
        Probability that the result is better than that; None where its own ratio is undefined.
    n_clustered, n_independent : int
        Trials that were compared, and the clusters there are of all.
    deflated_sharpe_independent : float or None
        Against `n_independent` trials instead of `n_trials`.
    """

    n_trials: int
    n_specs: int
    sharpe_variance: float
    expected_maximum_sharpe: float
    deflated_sharpe: float | None
    n_clustered: int
    n_independent: int
    deflated_sharpe_independent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveHonesty:
    """A result among the trials of its strategy (`family`) and of the whole ledger (`account`), as of now."""

    id: str
    as_of: dt.datetime
    strategy: str
    sharpe: float | None
    n_returns: int
    family: TrialStatistics
    account: TrialStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ledger:
    counts: TrialCounts
    ratios: Sequence[float]
    equities: Sequence[TrialEquity]


async def live_honesty(
    engine: AsyncEngine, store: ObjectStore, backtest_id: str, *, clock: Clock = utc_now
) -> LiveHonesty:
    """The result of this id among all trials so far; `UnknownBacktestError` when it was never run."""
    as_of = clock()
    async with transaction(engine) as connection:
        record = await get_backtest(connection, backtest_id)
        trial = await get_trial(connection, backtest_id)
        counts = await count_trials(connection)
        family, account = [
            _Ledger(
                counts=found,
                ratios=await trial_sharpe_ratios(connection, strategy=strategy),
                equities=await newest_equities(connection, limit=MOST_CLUSTERED, strategy=strategy),
            )
            for strategy, found in ((trial.strategy, counts[trial.strategy]), (None, _total(counts.values())))
        ]
    ((sessions, _),) = await _columns(store, record.equity_key, ["equity"])
    return LiveHonesty(
        id=record.id,
        as_of=as_of,
        strategy=trial.strategy,
        sharpe=_sharpe(trial),
        n_returns=trial.n_returns,
        family=await _statistics(store, trial, family, sessions),
        account=await _statistics(store, trial, account, sessions),
    )


def _total(counts: Iterable[TrialCounts]) -> TrialCounts:
    found = list(counts)
    return TrialCounts(n_trials=sum(count.n_trials for count in found), n_specs=sum(count.n_specs for count in found))


def _sharpe(trial: TrialRecord) -> float | None:
    return trial.mean / trial.std if trial.mean is not None and trial.std else None


async def _statistics(store: ObjectStore, trial: TrialRecord, ledger: _Ledger, sessions: DateArray) -> TrialStatistics:
    n_trials = ledger.counts.n_trials
    spread = variance(ledger.ratios) if len(ledger.ratios) > 1 else 0.0
    n_compared, n_clusters = await _clusters(store, ledger.equities, sessions)
    # What was not compared: in proportion where it was not looked at, each for itself where it cannot be.
    n_looked_at = len(ledger.equities)
    n_seen = n_clusters + n_looked_at - n_compared
    n_independent = max(1, math.ceil(n_trials * n_seen / n_looked_at)) if n_looked_at else n_trials
    return TrialStatistics(
        n_trials=n_trials,
        n_specs=ledger.counts.n_specs,
        sharpe_variance=spread,
        expected_maximum_sharpe=expected_maximum_sharpe(n_trials=n_trials, variance=spread),
        deflated_sharpe=_deflated(trial, n_trials, spread),
        n_clustered=n_compared,
        n_independent=n_independent,
        deflated_sharpe_independent=_deflated(trial, n_independent, spread),
    )


def _deflated(trial: TrialRecord, n_trials: int, spread: float) -> float | None:
    sharpe = _sharpe(trial)
    if sharpe is None or trial.skewness is None or trial.kurtosis is None or trial.n_returns < 2:  # noqa: PLR2004
        return None
    return deflated_sharpe_ratio(
        sharpe,
        n_returns=trial.n_returns,
        skewness=trial.skewness,
        kurtosis=trial.kurtosis,
        n_trials=n_trials,
        variance=spread,
    )


async def _clusters(store: ObjectStore, equities: Sequence[TrialEquity], sessions: DateArray) -> tuple[int, int]:
    """How many of the trials could be compared on sessions they have in common, and in how many clusters they are."""
    import numpy as np  # noqa: PLC0415  cold start

    from strategy.validation.clusters import effective_trials  # noqa: PLC0415  cold start

    common, levels = sessions, []
    for days, equity in await _equities(store, equities):
        covered = np.isin(sessions, days, assume_unique=True)
        if covered.mean() >= _LEAST_COVER:
            common = np.intersect1d(common, days, assume_unique=True)
            levels.append((days, equity))
    if len(levels) < 2 or common.size < _LEAST_SESSIONS:  # noqa: PLR2004  nothing to compare
        return 0, 0
    matrix = np.column_stack([equity[np.searchsorted(days, common)] for days, equity in levels])
    returns = matrix[1:] / matrix[:-1] - 1
    is_finite = np.isfinite(returns).all(axis=0)
    if not is_finite.any():
        return 0, 0
    n_clusters = await asyncio.to_thread(effective_trials, returns[:, is_finite])
    return int(is_finite.sum()), n_clusters


async def _equities(store: ObjectStore, equities: Sequence[TrialEquity]) -> list[tuple[DateArray, FloatArray]]:
    """Sessions and equity of the trials whose object is still in the cache; each object is read once."""
    columns: dict[str, list[str]] = defaultdict(list)
    for trial in equities:
        columns[trial.equity_key].append(trial.equity_column)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(key: str, names: list[str]) -> list[tuple[DateArray, FloatArray]]:
        async with gate:
            try:
                return await _columns(store, key, names)
            except ObjectNotFoundError:
                return []

    found = await asyncio.gather(*(read(key, names) for key, names in columns.items()))
    return [pair for pairs in found for pair in pairs]


async def _columns(store: ObjectStore, key: str, names: Sequence[str]) -> list[tuple[DateArray, FloatArray]]:
    table = await read_table(store, key, ["session", *names])
    sessions = numbers_of(table.column("session")).astype("datetime64[D]")
    return [(sessions, numbers_of(table.column(name))) for name in names]
