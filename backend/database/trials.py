"""The trial ledger: one line for each distinct spec that was ever run, never changed and never removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownBacktestError
from backend.database.inserts import insert_if_absent, row_of
from backend.database.models.results import Trial

#: Lines that are sent at once.
_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One distinct spec that was run, with the moments of its session returns (None where undefined).

    Parameters
    ----------
    backtest_id : str
        Hash of the spec.
    design : str
        What was chosen: `strategy.backtest.design.design_of`, or the id of the pre-registration that is extended.
        However many snapshots it is run on, it is one trial.
    strategy, universe : str
        Keys.
    origin : {"http", "cli", "sweep", "restatement", "preregistration"}
    n_returns : int
    mean, std, skewness, kurtosis : float or None
        Of the session returns, not annualised.
    equity_key, equity_column : str or None
        Object of the cache and its column with the trial's equity at each session, in any unit, beside a column
        `session`. Trials of a sweep can share an object. None: kept nowhere, so that the trial cannot be clustered.
    created_at : datetime
    """

    backtest_id: str
    design: str
    strategy: str
    universe: str
    origin: str
    n_returns: int
    mean: float | None
    std: float | None
    skewness: float | None
    kurtosis: float | None
    equity_key: str | None
    equity_column: str | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCounts:
    """Distinct designs of a strategy, and the specs that they were run as."""

    n_trials: int
    n_specs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEquity:
    """Where the equity of a trial is."""

    design: str
    equity_key: str
    equity_column: str


async def add_trials(connection: AsyncConnection, records: Sequence[TrialRecord]) -> None:
    """Write lines, in the caller's transaction and so together with the results; one that is there stays as it is."""
    statement = insert_if_absent(connection, Trial)
    for first in range(0, len(records), _BATCH):
        await connection.execute(statement, [row_of(record) for record in records[first : first + _BATCH]])


async def get_trial(connection: AsyncConnection, backtest_id: str) -> TrialRecord:
    """The line of a backtest; `UnknownBacktestError` when it was never run."""
    row = (await connection.execute(select(Trial.__table__).where(Trial.backtest_id == backtest_id))).one_or_none()
    if row is None:
        raise UnknownBacktestError(backtest_id)
    return TrialRecord(**row._mapping)


async def count_trials(connection: AsyncConnection) -> dict[str, TrialCounts]:
    """Trials so far by strategy."""
    query = (
        select(Trial.strategy, func.count(Trial.design.distinct()).label("n_trials"), func.count().label("n_specs"))
        .group_by(Trial.strategy)
        .order_by(Trial.strategy)
    )
    rows = (await connection.execute(query)).all()
    return {row.strategy: TrialCounts(n_trials=row.n_trials, n_specs=row.n_specs) for row in rows}


async def trial_sharpe_ratios(connection: AsyncConnection, *, strategy: str | None = None) -> list[float]:
    """Sharpe ratio of session returns (not annualised) of each trial whose returns vary, in order of its design.

    A design that was run on several snapshots has the mean of their ratios. `strategy` None: the whole ledger.
    """
    query = select(func.avg(Trial.mean / Trial.std)).where(Trial.std > 0).group_by(Trial.design).order_by(Trial.design)
    if strategy is not None:
        query = query.where(Trial.strategy == strategy)
    return list((await connection.execute(query)).scalars())


async def newest_equities(connection: AsyncConnection, *, limit: int, strategy: str | None = None) -> list[TrialEquity]:
    """Equity of the newest `limit` trials that keep one, newest first; of a design that of its newest spec."""
    newest = func.max(Trial.created_at).label("newest")
    designs = select(Trial.design, newest).where(Trial.equity_key.is_not(None)).group_by(Trial.design)
    if strategy is not None:
        designs = designs.where(Trial.strategy == strategy)
    chosen = designs.order_by(newest.desc(), Trial.design).limit(limit).subquery()
    query = (
        select(Trial.design, Trial.equity_key, Trial.equity_column)
        .join(chosen, (Trial.design == chosen.c.design) & (Trial.created_at == chosen.c.newest))
        .where(Trial.equity_key.is_not(None))
        .order_by(Trial.created_at.desc(), Trial.design, Trial.backtest_id)
    )
    found: dict[str, TrialEquity] = {}
    for row in (await connection.execute(query)).all():
        found.setdefault(row.design, TrialEquity(**row._mapping))
    return list(found.values())
