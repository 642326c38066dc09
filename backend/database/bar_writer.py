"""Bars into `market_data`: what is new is inserted, what changed replaces the old version, the rest is not touched.

1. The bars go into a temporary table (PostgreSQL: COPY).
2. Those whose (ticker, date) is not stored yet are inserted.
3. Stored ones whose open, high, low, close or volume differ are updated; a trigger keeps the old version.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
from sqlalchemy import TextClause, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.models import Bar, JsonObject, UtcDateTime
from backend.database.versions import in_lists

#: Columns that the caller gives, in the order of `backend.ingest.sources.contract.BAR_SCHEMA`.
BAR_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume", "adjusted_close")
_RAW = ("open", "high", "low", "close", "volume")
#: Columns that the caller may give as well, see `backend.ingest.quality.verdicts`; absent: every bar is good.
VERDICT_COLUMNS = ("data_quality", "rules")
_STAGED = (*BAR_COLUMNS, *VERDICT_COLUMNS)
#: Any fixed number: the advisory lock of whoever writes bars.
_LOCK_KEY = 0x50A4BA25

_STAGE = """
    CREATE TEMPORARY TABLE staged_bars (
        ticker text NOT NULL, date date NOT NULL, open double precision, high double precision, low double precision,
        close double precision, volume double precision, adjusted_close double precision,
        data_quality text NOT NULL, rules text
    )"""

_INSERT = """
    INSERT INTO market_data ({columns}, data_quality, source, metadata, known_at)
    SELECT {columns}, data_quality, :source, {metadata}, :known_at FROM staged_bars WHERE true ORDER BY ticker, date
    ON CONFLICT (ticker, date) DO NOTHING"""

_UPDATE = """
    UPDATE market_data
    SET {assignments}, source = :source, metadata = {metadata}, updated_at = :known_at, known_at = {later}
    FROM staged_bars
    WHERE market_data.ticker = staged_bars.ticker AND market_data.date = staged_bars.date AND ({differs})"""

# A new version is known strictly later than the one it replaces, whatever the clock of this process says.
# SQLite's moments are text and its clock has milliseconds.
_LATER = {
    "postgresql": "GREATEST(:known_at, market_data.known_at + interval '1 microsecond')",
    "sqlite": """max(:known_at, CASE WHEN :known_at > market_data.known_at THEN :known_at
        ELSE strftime('%Y-%m-%d %H:%M:%f', market_data.known_at, '+0.001 seconds') || '000' END)""",
}
# A good bar has no rules; those of the others are JSON text, added to what the source says of its bars.
_METADATA = {
    "postgresql": """CASE WHEN staged_bars.rules IS NULL THEN :metadata
        ELSE :metadata || jsonb_build_object('rules', staged_bars.rules::jsonb) END""",
    "sqlite": """CASE WHEN staged_bars.rules IS NULL THEN :metadata
        ELSE json_set(:metadata, '$.rules', json(staged_bars.rules)) END""",
}
_DIFFERS = {"postgresql": "IS DISTINCT FROM", "sqlite": "IS NOT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCounts:
    """Rows of one merge; their sum is the number of rows given."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0


async def merge_bars(
    connection: AsyncConnection, bars: pa.Table, *, source: str, metadata: JsonObject, known_at: dt.datetime
) -> MergeCounts:
    """Merge bars that passed quality control.

    Parameters
    ----------
    connection : AsyncConnection
        In a transaction, which the caller commits.
    bars : pa.Table
        BAR_COLUMNS and, or all are good, VERDICT_COLUMNS; each (ticker, date) once.
    source, metadata
        Stored with every row that is written; the rules of its verdict are added to the metadata of a bar.
    known_at : datetime
        When these values became known. A changed row gets a later one where its old version has that or a later moment.

    Returns
    -------
    MergeCounts
        Exact, also when another transaction writes the same tickers.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        # One writer of bars at a time, as in SQLite: two that change the same tickers could block each other for ever.
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    stage = _stage_in_postgres if dialect == "postgresql" else _stage_in_sqlite
    await stage(connection, _staged(bars))
    values = {"source": source, "metadata": metadata, "known_at": known_at}
    inserted = (await connection.execute(_insert_statement(dialect), values)).rowcount
    changed = (await connection.execute(_update_statement(dialect), values)).rowcount
    await connection.execute(text("DROP TABLE staged_bars"))
    return MergeCounts(inserted=inserted, changed=changed, unchanged=bars.num_rows - inserted - changed)


async def newest_dates(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, dt.date]:
    """Last stored session of each ticker that has any."""
    return await _edge_dates(connection, tickers, func.max(Bar.date))


async def oldest_dates(connection: AsyncConnection, tickers: Sequence[str]) -> dict[str, dt.date]:
    """First stored session of each ticker that has any."""
    return await _edge_dates(connection, tickers, func.min(Bar.date))


async def _edge_dates(
    connection: AsyncConnection,
    tickers: Sequence[str],
    edge: Any,  # Any: an SQL aggregate of dates
) -> dict[str, dt.date]:
    found: dict[str, dt.date] = {}
    for some in in_lists(tickers):
        query = select(Bar.ticker, edge.label("date")).where(Bar.ticker.in_(some)).group_by(Bar.ticker)
        found |= {row.ticker: row.date for row in (await connection.execute(query)).all()}
    return found


async def _stage_in_postgres(connection: AsyncConnection, bars: pa.Table) -> None:
    await connection.execute(text(f"{_STAGE} ON COMMIT DROP"))
    buffer = io.BytesIO()
    # A float is written with as many digits as bring the same float back, a null as nothing.
    pcsv.write_csv(bars, buffer, pcsv.WriteOptions(include_header=False))
    buffer.seek(0)
    # Any: the driver's own connection; COPY takes part in the transaction that SQLAlchemy began on it.
    driver = cast("Any", (await connection.get_raw_connection()).driver_connection)
    await driver.copy_to_table("staged_bars", source=buffer, columns=_STAGED, format="csv")


async def _stage_in_sqlite(connection: AsyncConnection, bars: pa.Table) -> None:
    # A temporary table lives as long as the pooled connection, also when the transaction that made it was rolled back.
    await connection.execute(text("DROP TABLE IF EXISTS temp.staged_bars"))
    await connection.execute(text(_STAGE))
    dates = bars["date"].cast(pa.string())
    columns = [dates if name == "date" else bars[name] for name in _STAGED]
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    if rows:
        await connection.exec_driver_sql("INSERT INTO staged_bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _staged(bars: pa.Table) -> pa.Table:
    """The columns of the temporary table: rules as JSON text, nothing for a good bar."""
    if "rules" not in bars.column_names:
        return (
            bars.select(BAR_COLUMNS)
            .append_column("data_quality", pa.repeat("good", bars.num_rows))
            .append_column("rules", pa.nulls(bars.num_rows, pa.string()))
        )
    # Names of rules need no escaping.
    texts = pc.binary_join_element_wise(pa.scalar('["'), pc.binary_join(bars["rules"], '","'), pa.scalar('"]'), "")
    is_good = pc.equal(pc.list_value_length(bars["rules"]), 0)
    rules = pc.if_else(is_good, pa.scalar(None, pa.string()), texts)
    return bars.select((*BAR_COLUMNS, "data_quality")).append_column("rules", rules)


def _insert_statement(dialect: str) -> TextClause:
    return _typed(_INSERT.format(columns=", ".join(BAR_COLUMNS), metadata=_METADATA[dialect]))


def _update_statement(dialect: str) -> TextClause:
    assigned = (*_RAW, "adjusted_close", "data_quality")
    return _typed(
        _UPDATE.format(
            assignments=", ".join(f"{name} = staged_bars.{name}" for name in assigned),
            metadata=_METADATA[dialect],
            later=_LATER[dialect],
            differs=" OR ".join(f"market_data.{name} {_DIFFERS[dialect]} staged_bars.{name}" for name in _RAW),
        )
    )


def _typed(statement: str) -> TextClause:
    json = Bar.__table__.c.metadata.type
    return text(statement).bindparams(bindparam("metadata", type_=json), bindparam("known_at", type_=UtcDateTime()))
