"""Everything of a SQLite database into PostgreSQL: in batches, resumable, and verified.

1. The source is opened read-only and must have every table of the models; the target must be at the head revision.
2. Tables go in order of their foreign keys, rows in order of their primary key, a batch per transaction. A row whose
   key is there already is left alone; so a run that was broken off is simply begun again.
3. Counts of what is stored of a ticker are made again at the target, not moved: it may have bars of its own.
4. A batch that the target refuses is parted until the bad rows are found; they are reported and the rest goes on.
5. At the end each row of the source is looked up at the target and the two tables' checksums are compared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, func, insert, select, tuple_
from sqlalchemy.exc import DBAPIError, OperationalError

from backend.database.checksums import Checksum, UnreadableCellError, cell_text, row_text, typed_row
from backend.database.errors import DatabaseError, DatabaseUnavailableError
from backend.database.migrations import current_revision, head_revision
from backend.database.models.every import METADATA
from backend.database.models.market import Bar, TickerCoverage
from backend.database.urls import direct_url

Row = dict[str, Any]  # Any: cells of mixed types
Progress = Callable[[str, int, int], None]


class TransferRefusedError(DatabaseError):
    """Source or target is not what a transfer needs; the message has the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that was not moved: its primary key, and why."""

    table: str
    key: str
    reason: str


@dataclass(slots=True, kw_only=True)
class TableReport:
    """What became of one table; `is_verified` when every row but the bad ones is at the target, equal to the bit."""

    table: str
    source_rows: int
    written: int = 0
    already_there: int = 0
    target_rows: int = 0
    checksum: str = ""
    is_verified: bool = False
    bad: list[BadRow] = field(default_factory=list)


def transfer(
    source: Path, target_url: str, *, batch_size: int = 5_000, progress: Progress | None = None
) -> list[TableReport]:
    """Move every table of the models; harmless to repeat.

    Parameters
    ----------
    source : Path
        SQLite file; opened read-only, never changed.
    target_url : str
        PostgreSQL, at the head revision.
    batch_size : int
        Rows per transaction.
    progress : callable or None
        Called with the table, the rows done and the rows in all, after each batch.

    Raises
    ------
    TransferRefusedError
        If the source lacks a table or column, or the target is not PostgreSQL at the head revision.
    DatabaseUnavailableError
        If the target does not answer.
    """
    _check_target(target_url)
    engine = create_engine(direct_url(target_url))
    reading = _opened(source)
    try:
        tables = [table for table in METADATA.sorted_tables if table is not TickerCoverage.__table__]
        for table in tables:
            _check_columns(reading, table)
        return [_moved(reading, engine, table, batch_size, progress) for table in tables]
    except OperationalError as error:
        raise DatabaseUnavailableError(engine.url.host or "?", str(error.orig).splitlines()[0]) from error
    finally:
        reading.close()
        engine.dispose()


def _check_target(target_url: str) -> None:
    if not direct_url(target_url).drivername.startswith("postgresql"):
        raise TransferRefusedError("the target is not PostgreSQL; set NEON_DATABASE_URL, or give --target")
    found, head = current_revision(target_url), head_revision()
    if found != head:
        raise TransferRefusedError(
            f"the target is at revision {found or 'nothing'}, not {head}; run scripts/migrate_db.py"
        )


def _opened(source: Path) -> sqlite3.Connection:
    if not source.is_file():
        raise TransferRefusedError(f"no SQLite database at {source}; give --source")
    connection = sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text_or_bytes
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise TransferRefusedError(f"{source} is not a SQLite database ({error})") from error
    return connection


def _text_or_bytes(data: bytes) -> str | bytes:
    """SQLite does not check what it is told is text: what is not UTF-8 stays bytes, and makes its row a bad one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _check_columns(reading: sqlite3.Connection, table: Table) -> None:
    found = {row["name"] for row in reading.execute(f"PRAGMA table_info({table.name})")}
    missing = [column.name for column in table.columns if column.name not in found]
    if missing:
        what = f"column {', '.join(missing)} of table {table.name}" if found else f"table {table.name}"
        raise TransferRefusedError(f"the source has no {what}; run `parakeet migrate` on it first")


def _moved(
    reading: sqlite3.Connection, engine: Engine, table: Table, batch_size: int, progress: Progress | None
) -> TableReport:
    (total,) = reading.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608  a table of the models
    report = TableReport(table=table.name, source_rows=total)
    done = 0
    for raw in _batches(reading, table, batch_size):
        with engine.begin() as connection:
            _write(connection, table, _typed(table, raw, report.bad), report)
            if table is Bar.__table__:
                connection.execute(delete(TickerCoverage))
        done += len(raw)
        if progress is not None:
            progress(table.name, done, total)
    _advance_identity(engine, table)
    _verify(reading, engine, table, report, batch_size)
    return report


def _batches(reading: sqlite3.Connection, table: Table, batch_size: int) -> Iterator[list[Row]]:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    cursor = reading.execute(f"SELECT {names} FROM {table.name} ORDER BY {order}")  # noqa: S608  names of the models
    while rows := cursor.fetchmany(batch_size):
        yield [dict(row) for row in rows]


def _typed(table: Table, raw: Sequence[Row], bad: list[BadRow]) -> list[Row]:
    good = []
    for row in raw:
        try:
            good.append(typed_row(table, row))
        except UnreadableCellError as error:
            bad.append(BadRow(table=table.name, key=_key_text(table, row), reason=str(error)))
    return good


def _write(connection: Connection, table: Table, rows: list[Row], report: TableReport) -> None:
    """Insert the rows that are not there yet; one that is there with other content is bad, and left alone."""
    there = _at_target(connection, table, rows)
    report.written += _inserted(connection, table, [row for row in rows if _key(table, row) not in there], report.bad)
    for row in rows:
        found = there.get(_key(table, row))
        if found is None:
            continue
        if row_text(table, row) == row_text(table, found):
            report.already_there += 1
            continue
        differing = [column.name for column in table.columns if cell_text(row, column) != cell_text(found, column)]
        reason = f"the target has another row under this key, left alone: {', '.join(differing)} differ"
        report.bad.append(BadRow(table=table.name, key=_key_text(table, row), reason=reason))


def _inserted(connection: Connection, table: Table, rows: list[Row], bad: list[BadRow]) -> int:
    """Rows that the target took; a batch that it refuses is halved until the bad rows stand alone."""
    if not rows:
        return 0
    try:
        with connection.begin_nested():
            connection.execute(insert(table), rows)
    except OperationalError:
        raise
    except DBAPIError as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            left = _inserted(connection, table, rows[:middle], bad)
            return left + _inserted(connection, table, rows[middle:], bad)
        reason = str(error.orig).splitlines()[0]
        bad.append(BadRow(table=table.name, key=_key_text(table, rows[0]), reason=reason))
        return 0
    return len(rows)


def _at_target(connection: Connection, table: Table, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:  # Any: cells
    if not rows:
        return {}
    keys = tuple_(*table.primary_key.columns).in_([_key(table, row) for row in rows])
    return {_key(table, row): row for row in map(dict, connection.execute(select(table).where(keys)).mappings())}


def _advance_identity(engine: Engine, table: Table) -> None:
    """Let ids that the target will give out come after those that were moved."""
    for column in table.primary_key.columns:
        if column.identity is None:
            continue
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        with engine.begin() as connection:
            # Of an empty table the largest is NULL, and so is what setval then does: nothing.
            connection.execute(select(func.setval(sequence, select(func.max(column)).scalar_subquery())))


def _verify(reading: sqlite3.Connection, engine: Engine, table: Table, report: TableReport, batch_size: int) -> None:
    """Read both sides again and compare their checksums over the rows that should be there."""
    bad_keys = {row.key for row in report.bad}
    ours, theirs = Checksum(), Checksum()
    with engine.connect() as connection:
        for raw in _batches(reading, table, batch_size):
            # What cannot be read is in the report already.
            rows = [row for row in _typed(table, raw, []) if _key_text(table, row) not in bad_keys]
            ours.add(row_text(table, row) for row in rows)
            theirs.add(row_text(table, row) for row in _at_target(connection, table, rows).values())
        report.target_rows = connection.scalar(select(func.count()).select_from(table)) or 0
    report.checksum = ours.digest
    report.is_verified = (ours.count, ours.digest) == (theirs.count, theirs.digest)


def _key(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:  # Any: cells
    return tuple(row[column.name] for column in table.primary_key.columns)


def _key_text(table: Table, row: Mapping[str, Any]) -> str:  # Any: cells
    return ", ".join(f"{column.name}={row[column.name]}" for column in table.primary_key.columns)
