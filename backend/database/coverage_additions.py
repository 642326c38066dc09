"""What an insert of bars adds to `ticker_coverage` of PostgreSQL (see `backend.database.coverage`)."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.column_types import UtcDateTime

#: Columns of `ticker_coverage` but the last.
Counts: TypeAlias = dict[str, list[Any]]  # Any: names, counts or dates

#: `added` has the columns of the table, counted over bars that are inserted.
ADD_COUNTS = """
    UPDATE ticker_coverage AS stored
    SET bars = stored.bars + added.bars, suspect = stored.suspect + added.suspect, bad = stored.bad + added.bad,
        first_session = LEAST(stored.first_session, added.first_session),
        last_session = GREATEST(stored.last_session, added.last_session),
        known_at = GREATEST(stored.known_at, added.known_at)
    FROM {added} WHERE stored.ticker = added.ticker"""
_FIRST_COUNTS = """
    INSERT INTO ticker_coverage SELECT * FROM {added}
    WHERE NOT EXISTS (SELECT 1 FROM market_data AS bar WHERE bar.ticker = added.ticker)
    ON CONFLICT (ticker) DO UPDATE
    SET (bars, suspect, bad, first_session, last_session, known_at) = (excluded.bars, excluded.suspect, excluded.bad,
        excluded.first_session, excluded.last_session, excluded.known_at)"""
_GIVEN = """
    (SELECT given.*, CAST(:moment AS timestamptz) AS known_at
     FROM unnest(CAST(:ticker AS text[]), CAST(:bars AS integer[]), CAST(:suspect AS integer[]),
                 CAST(:bad AS integer[]), CAST(:first_session AS date[]), CAST(:last_session AS date[]))
        AS given (ticker, bars, suspect, bad, first_session, last_session)) AS added"""


async def add_to_coverage(
    connection: AsyncConnection, counts: Counts, *, known_at: dt.datetime, is_first: bool = False
) -> None:
    """Add bars that this transaction is about to insert; tickers of which uncounted bars are stored stay uncounted.

    Parameters
    ----------
    connection : AsyncConnection
        In a transaction that holds the lock of `lock_bars`.
    counts : dict
        Of bars of which not one is stored, as `counts_of` makes it.
    known_at : datetime
        The moment of all of them.
    is_first : bool
        Whether no other bar is stored of these tickers, either.
    """
    if not counts["ticker"]:
        return
    values = counts | {"moment": known_at}
    # The second only where nothing is stored: no bar is added twice, and a count of bars that are gone is replaced.
    for statement in (_FIRST_COUNTS,) if is_first else (ADD_COUNTS, _FIRST_COUNTS):
        added = text(statement.format(added=_GIVEN)).bindparams(bindparam("moment", type_=UtcDateTime()))
        await connection.execute(added, values)


def counts_of(bars: pa.Table) -> Counts:
    """What bars with the columns ticker, date and data_quality add, by ticker."""
    flags = {name: pc.equal(bars["data_quality"], name).cast(pa.int32()) for name in ("suspect", "bad")}
    found = (
        pa.table({"ticker": bars["ticker"], "date": bars["date"], **flags})
        .group_by("ticker", use_threads=False)
        .aggregate([("date", "count"), ("date", "min"), ("date", "max"), ("suspect", "sum"), ("bad", "sum")])
    )
    columns = ("ticker", "bars", "suspect", "bad", "first_session", "last_session")
    names = ("ticker", "date_count", "suspect_sum", "bad_sum", "date_min", "date_max")
    return {column: found[name].to_pylist() for column, name in zip(columns, names, strict=True)}
