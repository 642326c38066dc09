"""Corporate actions of instruments, as known at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.models.market import CorporateAction
from backend.database.versions import in_lists, later_than

ACTION_KINDS = ("split", "dividend", "symbol_change", "delisting")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """One action; value None: withdrawn.

    Parameters
    ----------
    ticker : str
        Id of the instrument.
    ex_date : date
        First session that the action concerns; of a delisting the first without a bar.
    kind : {"split", "dividend", "symbol_change", "delisting"}
    value : float or None
        Split: new shares per old. Dividend: cash per share held after a split of that day, quote currency. Symbol
        change: 1. Delisting: return on the last close that a holder got, -1: nothing.
    known_at : datetime
    new_symbol : str or None
        Of a symbol change: the symbol from `ex_date` on.
    """

    ticker: str
    ex_date: dt.date
    kind: str
    value: float | None
    known_at: dt.datetime
    new_symbol: str | None = None


async def actions(
    connection: AsyncConnection, tickers: Sequence[str], *, as_of: dt.datetime | None = None
) -> list[ActionRecord]:
    """Actions of the instruments as known at `as_of` (None: now), withdrawn ones left out, sorted."""
    found = await _newest_versions(connection, tickers, as_of)
    return [found[key] for key in sorted(found) if found[key].value is not None]


async def put_actions(connection: AsyncConnection, records: Sequence[ActionRecord], *, source: str) -> int:
    """Append the actions that are new or say otherwise than known so far; returns how many."""
    known = await _newest_versions(connection, sorted({record.ticker for record in records}), None)
    rows = []
    for record in records:
        before = known.get((record.ticker, record.ex_date, record.kind))
        if _content(before) != _content(record):
            moment = later_than(before.known_at if before else None, record.known_at)
            rows.append(asdict(record) | {"known_at": moment, "source": source})
    if rows:
        await connection.execute(insert(CorporateAction), rows)
    return len(rows)


def _content(record: ActionRecord | None) -> tuple[float | None, str | None]:
    return (None, None) if record is None or record.value is None else (record.value, record.new_symbol)


async def _newest_versions(
    connection: AsyncConnection, tickers: Sequence[str], as_of: dt.datetime | None
) -> dict[tuple[str, dt.date, str], ActionRecord]:
    found: dict[tuple[str, dt.date, str], ActionRecord] = {}
    table = CorporateAction
    for some in in_lists(tickers):
        query = (
            select(table.ticker, table.ex_date, table.kind, table.value, table.known_at, table.new_symbol)
            .where(table.ticker.in_(some))
            .where(*([table.known_at <= as_of] if as_of else []))
            .order_by(table.known_at)
        )
        for row in (await connection.execute(query)).all():
            # Later versions come later and replace earlier ones.
            found[row.ticker, row.ex_date, row.kind] = ActionRecord(**row._mapping)
    return found
