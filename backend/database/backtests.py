"""Stored backtests, each with its line in the ledger of trials."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownBacktestError
from backend.database.inserts import insert_if_absent, row_of
from backend.database.models.results import Backtest
from backend.database.paging import newest_first
from backend.database.trials import TrialRecord, add_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRecord:
    """A finished backtest: its spec, the document that is served, and the keys of its tables in the cache."""

    id: str
    spec: dict[str, Any]  # Any: JSON values
    document: str
    equity_key: str
    orders_key: str
    holdings_key: str
    created_at: dt.datetime


async def find_backtest(connection: AsyncConnection, backtest_id: str) -> BacktestRecord | None:
    """The stored backtest of this id, None when it was never run."""
    query = select(Backtest.__table__).where(Backtest.id == backtest_id)
    row = (await connection.execute(query)).one_or_none()
    return BacktestRecord(**row._mapping) if row else None


async def get_backtest(connection: AsyncConnection, backtest_id: str) -> BacktestRecord:
    """The stored backtest of this id; `UnknownBacktestError` when it was never run."""
    found = await find_backtest(connection, backtest_id)
    if found is None:
        raise UnknownBacktestError(backtest_id)
    return found


async def ids_that_begin(connection: AsyncConnection, text: str, *, limit: int = 2) -> list[str]:
    """Ids of stored backtests that begin with a text: people copy a part of one."""
    query = select(Backtest.id).where(Backtest.id.startswith(text, autoescape=True)).order_by(Backtest.id).limit(limit)
    return list((await connection.scalars(query)).all())


async def list_backtests(
    connection: AsyncConnection, *, before: tuple[dt.datetime, str] | None, limit: int
) -> list[BacktestRecord]:
    """Stored backtests, newest first, those behind the cursor `before`."""
    query = newest_first(select(Backtest.__table__), Backtest.created_at, Backtest.id, before=before, limit=limit)
    return [BacktestRecord(**row._mapping) for row in (await connection.execute(query)).all()]


async def find_document(connection: AsyncConnection, backtest_id: str) -> str | None:
    """What is served of a backtest, None when it was never run."""
    document: str | None = await connection.scalar(select(Backtest.document).where(Backtest.id == backtest_id))
    return document


async def store_backtest(connection: AsyncConnection, backtest: BacktestRecord, trial: TrialRecord) -> str:
    """Store a result and its trial together, and return the document that is served: that of whoever came first."""
    inserted = await connection.execute(insert_if_absent(connection, Backtest), row_of(backtest))
    await add_trials(connection, [trial])
    before = None if inserted.rowcount else await find_document(connection, backtest.id)
    return backtest.document if before is None else before
