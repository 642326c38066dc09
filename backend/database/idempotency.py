"""Keys under which requests are repeated."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import IdempotencyConflictError
from backend.database.inserts import insert_if_absent
from backend.database.models.jobs import IdempotencyKey


async def claim_idempotency_key(connection: AsyncConnection, key: str, request_hash: str) -> None:
    """Bind a key to a request for good; `IdempotencyConflictError` when it is bound to another one."""
    statement = insert_if_absent(connection, IdempotencyKey).values(key=key, request_hash=request_hash)
    await connection.execute(statement)
    bound = await connection.scalar(select(IdempotencyKey.request_hash).where(IdempotencyKey.key == key))
    if bound != request_hash:
        raise IdempotencyConflictError(key)
