"""Writers of bars take turns."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

#: Any fixed number: the advisory lock of whoever writes bars.
_LOCK_KEY = 0x50A4BA25


async def lock_bars(connection: AsyncConnection) -> None:
    """Wait until no other transaction writes bars, and keep others from it until this one ends.

    SQLite has one writer anyway; in PostgreSQL two that change the same tickers could block each other for ever.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
