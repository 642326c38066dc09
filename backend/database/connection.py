"""The asynchronous engine: asyncpg for PostgreSQL (pooled or direct), aiosqlite for SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_before_delay, wait_random_exponential

from backend.database.errors import DatabaseUnavailableError
from backend.database.urls import async_target

if TYPE_CHECKING:
    import asyncpg

#: What the last attempt to connect gets where hardly any time is left.
_LEAST_TIMEOUT_S = 0.05


def make_engine(source_url: str, *, pool_size: int = 5, connect_timeout_s: float = 10.0) -> AsyncEngine:
    """Engine of a database URL as the operator gave it; nothing is connected before first use.

    Connections are checked before each use, since a Lambda container may have been frozen in between, and connecting is
    tried again for `connect_timeout_s` seconds, since Neon may have to wake.
    """
    target = async_target(source_url)
    if target.url.drivername.startswith("sqlite"):
        return _sqlite_engine(target.url.render_as_string(hide_password=False))
    return create_async_engine(
        target.url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            **target.connect_args,
            "prepared_statement_name_func": lambda: f"__parakeet_{uuid4().hex}__",
            "async_creator_fn": _patient_connect(connect_timeout_s),
        },
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed on leaving; `DatabaseUnavailableError` when there is no connection to be had."""
    try:
        async with engine.begin() as connection:
            yield connection
    except (OSError, DBAPIError) as error:
        if isinstance(error, DBAPIError) and not _is_lost(error):
            raise
        host = engine.url.host or engine.url.database or "?"
        raise DatabaseUnavailableError(host, _first_line(error)) from error


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _: object) -> None:  # Any: the driver's own connection
        cursor = connection.cursor()
        # WAL lets readers go on while an ingest writes; the busy time-out lets a second writer wait its turn.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _patient_connect(timeout_s: float) -> Any:  # Any: the dialect's own protocol for this hook
    async def connect(*args: Any, **kwargs: Any) -> asyncpg.Connection:  # Any: passed through to asyncpg
        import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

        deadline = monotonic() + timeout_s

        async def attempt() -> asyncpg.Connection:
            timeout = max(deadline - monotonic(), _LEAST_TIMEOUT_S)
            found: asyncpg.Connection = await asyncpg.connect(*args, **{"timeout": timeout} | kwargs)
            return found

        attempts = AsyncRetrying(
            retry=retry_if_exception(_may_be_waking),
            stop=stop_before_delay(timeout_s),
            wait=wait_random_exponential(multiplier=0.1, max=2.0),
            reraise=True,
        )
        try:
            return await attempts(attempt)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailableError(kwargs.get("host") or "?", _first_line(error)) from error

    return connect


def _may_be_waking(error: BaseException) -> bool:
    import asyncpg  # noqa: PLC0415  only where PostgreSQL is used

    # Class 08 (PostgresConnectionError): closed during the handshake, or a pooler whose server cannot be reached yet.
    return isinstance(error, OSError | asyncpg.CannotConnectNowError | asyncpg.PostgresConnectionError)


def _is_lost(error: DBAPIError) -> bool:
    cause = error.orig.__cause__ if error.orig else None
    return error.connection_invalidated or isinstance(cause, OSError)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
