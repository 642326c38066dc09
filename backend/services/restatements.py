"""What vendors rewrote between two moments, of a universe or of everything."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.restatements import Restatement, restated_actions, restated_bars
from backend.database.universes import get_universe
from backend.services.errors import RequestError
from backend.services.market_data import member_tickers


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementQuery:
    """Two moments, and whose facts; `universe` None: everybody's. `after` is the last bar already served."""

    earlier: dt.datetime
    later: dt.datetime
    universe: str | None
    after: tuple[str, dt.date] | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementPage:
    """Changes by ticker, date and field; those of actions come with the first page. `next_bar`: where to go on."""

    changes: list[Restatement]
    by_field: dict[str, int]
    next_bar: tuple[str, dt.date] | None


async def restatements(connection: AsyncConnection, query: RestatementQuery) -> RestatementPage:
    """The facts that said something else at the earlier moment; `RequestError` unless it is the earlier one."""
    if query.earlier >= query.later:
        raise RequestError("from", query.earlier.isoformat(), f"is not before {query.later.isoformat()}")
    tickers = None
    if query.universe is not None:
        await get_universe(connection, query.universe)
        tickers = await member_tickers(connection, query.universe)
    moments = {"earlier": query.earlier, "later": query.later}
    bars = await restated_bars(connection, tickers, **moments, after=query.after, limit=query.limit + 1)
    keys = list(dict.fromkeys((change.ticker, change.date) for change in bars))
    has_more = len(keys) > query.limit
    shown = [change for change in bars if (change.ticker, change.date) in set(keys[: query.limit])]
    if query.after is None:
        shown += await restated_actions(connection, tickers, **moments)
    return RestatementPage(
        changes=shown,
        by_field=dict(Counter(change.field for change in shown)),
        next_bar=keys[query.limit - 1] if has_more else None,
    )
