"""The asynchronous engine: asyncpg for PostgreSQL (pooled or direct), aiosqlite for SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from backend.database.errors import DatabaseUnavailableError
from backend.database.urls import SecretUrl, async_target, driver_arguments

if TYPE_CHECKING:
    import asyncpg
    from sqlalchemy.pool import ConnectionPoolEntry

#: What the last attempt to connect gets where hardly any time is left.
_LEAST_TIMEOUT_S = 0.05


def make_engine(source: str | SecretUrl, *, pool_size: int = 5, connect_timeout_s: float = 10.0) -> AsyncEngine:
    """Engine of a database URL as the operator gave it, or of one in a secret; nothing is connected before first use.

    Connections are checked before each use, since a Lambda container may have been frozen in between, and connecting is
    tried again for `connect_timeout_s` seconds, since Neon may have to wake.
    """
    secret = source if isinstance(source, SecretUrl) else None
    target = async_target("postgresql://" if isinstance(source, SecretUrl) else source)
    if target.url.drivername.startswith("sqlite"):
        return _sqlite_engine(target.url.render_as_string(hide_password=False))
    engine = create_async_engine(
        target.url,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={
            **target.connect_args,
            # Statements without names: none is left on a server connection that a pooler gives to the next client, and
            # none has to be closed, which would be one more way to the server for each.
            "prepared_statement_name_func": str,
            "async_creator_fn": _connector(connect_timeout_s, secret),
        },
    )
    _check_before_use(engine)
    return engine


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed on leaving; `DatabaseUnavailableError` when there is no connection to be had."""
    of_body: OSError | None = None
    try:
        async with engine.begin() as connection:
            try:
                yield connection
            except OSError as error:
                # Of a file or a vendor: what the database does wrong comes as the errors of SQLAlchemy.
                of_body = error
                raise
    except (OSError, DBAPIError) as error:
        if error is of_body or (isinstance(error, DBAPIError) and not _is_lost(error)):
            raise
        host = engine.url.host or engine.url.database or "?"
        raise DatabaseUnavailableError(host, _first_line(error)) from error


def reading(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    """As `transaction`, for statements that only read and may each see what was committed just before it.

    Beginning and committing is two ways to PostgreSQL's server; in SQLite a transaction begins with what writes anyway.
    """
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    return transaction(engine)


async def copy_in(
    connection: AsyncConnection, table: str, columns: Sequence[str], source: AsyncIterator[bytes | memoryview]
) -> None:
    """COPY rows in PostgreSQL's binary format into a table, as part of the transaction of the connection."""
    import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

    # Any: the driver's own connection, of which SQLAlchemy does not see the errors.
    driver = cast("Any", (await connection.get_raw_connection()).driver_connection)
    try:
        await driver.copy_to_table(table, source=source, columns=columns, format="binary")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if not driver.is_closed():
            raise
        raise DatabaseUnavailableError(connection.engine.url.host or "?", _first_line(error)) from error


def _check_before_use(engine: AsyncEngine) -> None:
    """Have a connection that was used before answer once; SQLAlchemy's own check goes to the server four times."""

    @event.listens_for(engine.sync_engine, "connect")
    def _note_new(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["is_new"] = True

    @event.listens_for(engine.sync_engine, "checkout")
    def _check(connection: Any, record: ConnectionPoolEntry, _: object) -> None:  # Any: the driver's own connection
        import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

        if record.info.pop("is_new", False):
            return
        try:
            connection.run_async(lambda driver: driver.execute("SELECT 1"))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise InvalidatePoolError(_first_line(error)) from error


def _sqlite_engine(url: str) -> AsyncEngine:
    from backend.database.sqlite_driver import sqlite_driver  # noqa: PLC0415  cold start: never in AWS

    # Whoever gives a connection back has committed or rolled back: see `transaction`.
    engine = create_async_engine(url, module=sqlite_driver(), pool_reset_on_return=None)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: object) -> None:  # Any: the driver's own connection
        cursor = connection.cursor()
        # WAL lets readers go on while an ingest writes; the busy time-out lets a second writer wait its turn.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _connector(timeout_s: float, secret: SecretUrl | None) -> Any:  # Any: the dialect's own protocol for this hook
    async def connect(*_args: Any, **kwargs: Any) -> asyncpg.Connection:  # Any: passed through to asyncpg
        import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

        given = kwargs
        try:
            if secret is None:
                return await _connected(kwargs, timeout_s)
            given = kwargs | driver_arguments(await asyncio.to_thread(secret.current))
            try:
                return await _connected(given, timeout_s)
            except asyncpg.InvalidAuthorizationSpecificationError:
                # The password was changed since this container fetched it.
                given = kwargs | driver_arguments(await asyncio.to_thread(secret.renewed))
                return await _connected(given, timeout_s)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailableError(given.get("host") or "?", _first_line(error)) from error

    return connect


async def _connected(arguments: dict[str, Any], timeout_s: float) -> asyncpg.Connection:  # Any: asyncpg's own
    """A connection within the time, tried again while the database wakes."""
    import asyncpg  # noqa: PLC0415  only where PostgreSQL is used
    from tenacity import (  # noqa: PLC0415  cold start
        AsyncRetrying,
        retry_if_exception,
        stop_before_delay,
        wait_random_exponential,
    )

    deadline = monotonic() + timeout_s

    async def attempt() -> asyncpg.Connection:
        timeout = max(deadline - monotonic(), _LEAST_TIMEOUT_S)
        found: asyncpg.Connection = await asyncpg.connect(**{"timeout": timeout} | arguments)
        return found

    attempts = AsyncRetrying(
        retry=retry_if_exception(_may_be_waking),
        stop=stop_before_delay(timeout_s),
        wait=wait_random_exponential(multiplier=0.1, max=2.0),
        reraise=True,
    )
    return await attempts(attempt)


def _may_be_waking(error: BaseException) -> bool:
    import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

    # Class 08 (PostgresConnectionError): closed during the handshake, or a pooler whose server cannot be reached yet.
    return isinstance(error, OSError | asyncpg.CannotConnectNowError | asyncpg.PostgresConnectionError)


def _is_lost(error: DBAPIError) -> bool:
    cause = error.orig.__cause__ if error.orig else None
    return error.connection_invalidated or isinstance(cause, OSError)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
