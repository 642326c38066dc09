"""Leases: locks that hold across processes and transaction-mode poolers, and run out by themselves."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.column_types import UtcDateTime
from backend.database.errors import LeaseHeldError
from backend.database.models.ingest import Lease

_ACQUIRE = text("""
    INSERT INTO leases (name, owner, expires_at) VALUES (:name, :owner, :expires_at)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
    WHERE leases.expires_at < :now
    RETURNING owner
""").bindparams(bindparam("expires_at", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


async def acquire_lease(connection: AsyncConnection, name: str, owner: str, *, ttl_s: float, now: dt.datetime) -> None:
    """Take the lease for `ttl_s` seconds, atomically; `LeaseHeldError` while another owner's has not run out."""
    values = {"name": name, "owner": owner, "expires_at": now + dt.timedelta(seconds=ttl_s), "now": now}
    if (await connection.execute(_ACQUIRE, values)).one_or_none() is None:
        raise await _held(connection, name)


async def renew_lease(connection: AsyncConnection, name: str, owner: str, *, ttl_s: float, now: dt.datetime) -> None:
    """Hold the lease for another `ttl_s` seconds; `LeaseHeldError` when it ran out and another owner took it."""
    statement = (
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(expires_at=now + dt.timedelta(seconds=ttl_s))
    )
    if (await connection.execute(statement)).rowcount == 0:
        raise await _held(connection, name)


async def release_lease(connection: AsyncConnection, name: str, owner: str) -> None:
    """Give the lease back; nothing happens when another owner has it by now."""
    await connection.execute(delete(Lease).where(Lease.name == name, Lease.owner == owner))


async def _held(connection: AsyncConnection, name: str) -> LeaseHeldError:
    return LeaseHeldError(name, await connection.scalar(select(Lease.expires_at).where(Lease.name == name)))
