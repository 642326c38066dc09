"""Bars into `market_data`: what is new is inserted, what changed replaces the old version, the rest is not touched.

1. The bars go into a temporary table (`backend.database.bar_staging`), the versions of each bar numbered by the moment
   at which they became known.
2. Round by round, a version of each bar at a time: bars that are not stored yet are inserted; stored ones that differ
   in open, high, low, close, volume or quality are updated, and a trigger keeps the old version.
3. Where the source states the moments, a version that is not what its own moment shows afterwards came too late:
   writing it would change what was already served as of then. Those are handed back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_edges import newest_dates
from backend.database.bar_lock import lock_bars
from backend.database.bar_staging import COLUMNS, stage, unstage
from backend.database.column_types import UtcDateTime
from backend.database.coverage_additions import ADD_COUNTS
from backend.database.new_bars import NewBars, new_bars, store_new

#: What a source says of a bar: a change of any of them is a new version.
_RAW = ("open", "high", "low", "close", "volume")
_WRITTEN = (*_RAW, "data_quality", "adjusted_close", "source", "metadata")
#: Bars of a ticker from which on the question whether it has any costs less than comparing them.
_WORTH_ASKING = 50

_INSERT = """
    INSERT INTO market_data ({columns})
    SELECT {values} FROM staged_bars WHERE round = :round AND NOT EXISTS (
        SELECT 1 FROM market_data AS bar WHERE bar.ticker = staged_bars.ticker AND bar.date = staged_bars.date) {unless}
    ORDER BY ticker, date"""

# A removed bar was visible until its removal.
_UNLESS_REMOVED_LATER = """
    AND NOT EXISTS (SELECT 1 FROM market_data_history AS old WHERE old.ticker = staged_bars.ticker
                    AND old.date = staged_bars.date AND old.superseded_at > staged_bars.known_at)"""

_UPDATE = """
    UPDATE market_data
    SET {assignments}, updated_at = :now, known_at = {later}
    FROM staged_bars
    WHERE staged_bars.round = :round AND market_data.ticker = staged_bars.ticker AND market_data.date = staged_bars.date
        AND ({differs}) {only}"""

_ONLY_NEWER = "AND staged_bars.known_at > market_data.known_at"

_FORGET_STAGED = "DELETE FROM ticker_coverage WHERE ticker IN (SELECT ticker FROM staged_bars)"

# A new version is known strictly later than the one it replaces, whatever the clock of this process says.
# SQLite's moments are text and its clock has milliseconds.
_LATER = {
    "postgresql": "GREATEST(staged_bars.known_at, market_data.known_at + interval '1 microsecond')",
    "sqlite": """max(staged_bars.known_at,
        CASE WHEN staged_bars.known_at > market_data.known_at THEN staged_bars.known_at
        ELSE strftime('%Y-%m-%d %H:%M:%f', market_data.known_at, '+0.001 seconds') || '000' END)""",
}
_DIFFERS = {"postgresql": "IS DISTINCT FROM", "sqlite": "IS NOT"}
_EQUALS = {"postgresql": "IS NOT DISTINCT FROM", "sqlite": "IS"}

_STORED = """
    SELECT ticker FROM unnest(CAST(:ticker AS text[]), CAST(:date_min AS date[]), CAST(:date_max AS date[]))
        AS given (ticker, first, last)
    WHERE EXISTS (SELECT 1 FROM market_data AS bar
                  WHERE bar.ticker = given.ticker AND bar.date BETWEEN given.first AND given.last)"""

# One statement, which first leaves out what is stored as it is: most of the rows, as a rule.
_MERGE = """
    WITH staged_bars AS MATERIALIZED (
        SELECT staged_bars.* FROM pg_temp.staged_bars LEFT JOIN market_data AS bar ON {same_bar}
        WHERE staged_bars.round = :round AND bar.ticker IS NULL
    ), inserted AS ({insert} RETURNING ticker, date, data_quality, known_at), changed AS ({update} RETURNING 1),
    counted AS ({add_counts})
    SELECT (SELECT count(*) FROM inserted) AS inserted, (SELECT count(*) FROM changed) AS changed"""

_INSERTED_COUNTS = """
    (SELECT ticker, count(*) AS bars, count(*) FILTER (WHERE data_quality = 'suspect') AS suspect,
         count(*) FILTER (WHERE data_quality = 'bad') AS bad,
         min(date) AS first_session, max(date) AS last_session, max(known_at) AS known_at
     FROM inserted GROUP BY ticker) AS added"""

_LATE = """
    SELECT place FROM staged_bars
    WHERE NOT EXISTS (SELECT 1 FROM market_data AS bar WHERE {same_bar} AND bar.known_at <= staged_bars.known_at)
        AND NOT EXISTS (SELECT 1 FROM market_data_history AS bar WHERE {same_bar}
                        AND bar.known_at <= staged_bars.known_at AND bar.superseded_at > staged_bars.known_at)
    ORDER BY place"""


_NONE_LATE = pa.table({})


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """Rows of one merge: inserted + changed + unchanged + those of `late` are the rows given.

    `late` has the columns of what was given: versions that differ from what was visible at the moment that their source
    states, and are not newer than the newest stored one. They are not written.
    """

    inserted: int
    changed: int
    unchanged: int
    late: pa.Table


async def merge_bars(connection: AsyncConnection, bars: pa.Table, *, known_at: dt.datetime) -> MergeResult:
    """Merge bars that passed quality control.

    Parameters
    ----------
    connection : AsyncConnection
        In a transaction, which the caller commits.
    bars : pa.Table
        The columns of `backend.database.bar_staging.COLUMNS`, where `metadata` is the text of a JSON object. With a
        column `known_at` (timestamp[us, UTC], no nulls), the moment at which the source says it published the row, a
        (ticker, date) may come several times, as its versions; without it, once.
    known_at : datetime
        Now: the moment at which bars became known that have none of their own. A changed row gets a later one where its
        old version has that or a later moment.

    Returns
    -------
    MergeResult
        Exact, also when another transaction writes the same tickers.
    """
    await lock_bars(connection)
    if "known_at" in bars.column_names or connection.dialect.name != "postgresql":
        return await _merge_staged(connection, bars, known_at=known_at)
    is_stored = await _is_stored(connection, bars)
    new = bars.filter(pc.invert(is_stored))
    await store_new(connection, new_bars(new), known_at=known_at)
    if new.num_rows == bars.num_rows:
        return MergeResult(inserted=new.num_rows, changed=0, unchanged=0, late=bars.slice(0, 0))
    merged = await _merge_staged(connection, bars.filter(is_stored), known_at=known_at)
    return replace(merged, inserted=merged.inserted + new.num_rows)


async def insert_bars(connection: AsyncConnection, new: NewBars, *, known_at: dt.datetime) -> MergeResult | None:
    """Insert bars that were encoded in the belief that nothing is stored of their tickers; None when something is.

    PostgreSQL only, in a transaction that holds the lock of `lock_bars`. With None nothing was written, and
    `merge_bars` can do it; `known_at` as there.
    """
    if await newest_dates(connection, new.tickers):
        return None
    await store_new(connection, new, known_at=known_at, is_first=True)
    return MergeResult(inserted=new.n_bars, changed=0, unchanged=0, late=_NONE_LATE)


async def _merge_staged(connection: AsyncConnection, bars: pa.Table, *, known_at: dt.datetime) -> MergeResult:
    dialect = connection.dialect.name
    has_moments = "known_at" in bars.column_names
    n_rounds = await stage(connection, bars, known_at=known_at)
    merge_round = _merge_round_in_postgres if dialect == "postgresql" else _merge_round_in_sqlite
    inserted = changed = 0
    for number in range(n_rounds):
        n_inserted, n_changed = await merge_round(
            connection, {"round": number, "now": known_at}, has_moments=has_moments
        )
        inserted += n_inserted
        changed += n_changed
    late = bars.take(await _late(connection) if has_moments else np.array([], np.int64))
    await unstage(connection)
    unchanged = bars.num_rows - inserted - changed - late.num_rows
    return MergeResult(inserted=inserted, changed=changed, unchanged=unchanged, late=late)


async def _merge_round_in_postgres(
    connection: AsyncConnection, values: Mapping[str, object], *, has_moments: bool
) -> tuple[int, int]:
    statement = _MERGE.format(
        same_bar=_same_bar("postgresql", _facts(has_moments=has_moments)),
        insert=_insert("postgresql", has_moments=has_moments),
        update=_update("postgresql", has_moments=has_moments),
        add_counts=ADD_COUNTS.format(added=_INSERTED_COUNTS),
    )
    row = (await connection.execute(_with_now(statement), values)).one()
    return row.inserted, row.changed


async def _merge_round_in_sqlite(
    connection: AsyncConnection, values: Mapping[str, object], *, has_moments: bool
) -> tuple[int, int]:
    inserted = await connection.execute(text(_insert("sqlite", has_moments=has_moments)), values)
    changed = await connection.execute(_with_now(_update("sqlite", has_moments=has_moments)), values)
    if inserted.rowcount:
        await connection.execute(text(_FORGET_STAGED))
    return inserted.rowcount, changed.rowcount


def _with_now(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("now", type_=UtcDateTime()))


async def _is_stored(connection: AsyncConnection, bars: pa.Table) -> pa.ChunkedArray:
    """Of each row, whether any bar of its ticker may be stored between the first and the last date that were given."""
    spans = bars.group_by("ticker").aggregate([("date", "min"), ("date", "max"), ("date", "count")])
    asked = spans.filter(pc.greater_equal(spans["date_count"], _WORTH_ASKING))
    values = {name: asked[name].to_pylist() for name in ("ticker", "date_min", "date_max")}
    stored = (await connection.scalars(text(_STORED), values)).all() if asked.num_rows else []
    is_new = pc.and_not(
        pc.is_in(bars["ticker"], asked["ticker"]), pc.is_in(bars["ticker"], pa.array(stored, pa.string()))
    )
    return pc.invert(is_new)


async def _late(connection: AsyncConnection) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    places = await connection.scalars(text(_LATE.format(same_bar=_same_bar(connection.dialect.name, _RAW))))
    return np.array(places.all(), np.int64)


def _same_bar(dialect: str, facts: Sequence[str]) -> str:
    same = [f"bar.{name} = staged_bars.{name}" for name in ("ticker", "date")]
    same += [f"bar.{name} {_EQUALS[dialect]} staged_bars.{name}" for name in facts]
    return " AND ".join(same)


def _facts(*, has_moments: bool) -> Sequence[str]:
    """Columns of which a change is a new version."""
    # A verdict of ours is no version of the source's: it could not be known at the moment that the source states.
    return _RAW if has_moments else (*_RAW, "data_quality")


def _insert(dialect: str, *, has_moments: bool) -> str:
    columns = (*COLUMNS, "known_at")
    return _INSERT.format(
        columns=", ".join(columns),
        values=", ".join(_staged(name, dialect) for name in columns),
        unless=_UNLESS_REMOVED_LATER if has_moments else "",
    )


def _update(dialect: str, *, has_moments: bool) -> str:
    facts = _facts(has_moments=has_moments)
    return _UPDATE.format(
        assignments=", ".join(f"{name} = {_staged(name, dialect)}" for name in _WRITTEN),
        later=_LATER[dialect],
        differs=" OR ".join(f"market_data.{name} {_DIFFERS[dialect]} staged_bars.{name}" for name in facts),
        only=_ONLY_NEWER if has_moments else "",
    )


def _staged(name: str, dialect: str) -> str:
    is_json = name == "metadata" and dialect == "postgresql"
    return f"staged_bars.{name}::jsonb" if is_json else f"staged_bars.{name}"
