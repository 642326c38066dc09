"""Idempotency-Key of a POST: a key is bound for good to the first request that came with it."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.idempotency import claim_idempotency_key

Key = Annotated[str | None, Header(max_length=200)]


async def claim(engine: AsyncEngine, key: str | None, body: BaseModel) -> None:
    """Bind the key, where there is one; `IdempotencyConflictError` when it is bound to another body."""
    if key is None:
        return
    digest = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    async with transaction(engine) as connection:
        await claim_idempotency_key(connection, key, digest)
