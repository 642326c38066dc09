"""aiosqlite for SQLAlchemy, one trip to its thread for a statement.

SQLAlchemy's own adapter makes four: for the cursor, the statement, its rows and the end of the cursor. Two threads that
take turns need a tenth of a millisecond for each, which is more than SQLite needs for most statements.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)

if TYPE_CHECKING:
    from sqlalchemy.connectors.asyncio import AsyncIODBAPIConnection, AsyncIODBAPICursor


class _Connection(aiosqlite.Connection):
    """A connection that can be asked for several things at once."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # A process that ends does not wait for a connection that nobody closed.
        self._thread.daemon = True

    async def run(self, job: Callable[[sqlite3.Connection], Any]) -> Any:  # Any: what the job gives
        """What a job gives, done in the connection's thread."""
        in_thread: Callable[..., Awaitable[Any]] = self._execute
        return await in_thread(job, self._conn)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that is opened, executed, read to its end and closed by one job."""

    __slots__ = ()

    # Any, here and below: values as SQLAlchemy sends them, and SQLite gives them back.
    def _make_new_cursor(self, _connection: AsyncIODBAPIConnection) -> AsyncIODBAPICursor:
        return cast("AsyncIODBAPICursor", None)

    def _aenter_cursor(self, cursor: AsyncIODBAPICursor) -> AsyncIODBAPICursor:
        return cursor

    async def _execute_async(self, operation: str, parameters: Any) -> None:
        def job(connection: sqlite3.Connection) -> tuple[sqlite3.Cursor, list[Any]]:
            cursor = connection.execute(operation, parameters or ())
            rows = cursor.fetchall() if cursor.description else []
            cursor.close()
            return cursor, rows

        await self._done(job)

    async def _executemany_async(self, operation: str, seq_of_parameters: Sequence[Any]) -> None:
        def job(connection: sqlite3.Connection) -> tuple[sqlite3.Cursor, list[Any]]:
            cursor = connection.executemany(operation, seq_of_parameters)
            cursor.close()
            return cursor, []

        await self._done(job)

    async def _done(self, job: Callable[[sqlite3.Connection], tuple[sqlite3.Cursor, list[Any]]]) -> None:
        self._cursor, rows = await self._connection.run(job)
        self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Nothing is open; description, counts and rows stay."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()


class _Adapter(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor

    def commit(self) -> None:
        """Commit, unless nothing was begun: SQLite begins a transaction at the first statement that writes."""
        if self._connection.in_transaction:
            super().commit()


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, database: str, **arguments: Any) -> AsyncAdapt_aiosqlite_connection:
        """A connection to a file, or to a database in memory."""
        made = super().connect(async_creator_fn=lambda: _Connection(lambda: sqlite3.connect(database, **arguments)))
        return _Adapter(self, made.driver_connection)


def sqlite_driver() -> AsyncAdapt_aiosqlite_dbapi:
    """The DBAPI that `create_async_engine` takes as its `module`."""
    return _Driver(aiosqlite, sqlite3)
