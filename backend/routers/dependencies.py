"""What routes are given: the container's resources, and one transaction per request.

Resources are given by coroutines that wait for nothing, since FastAPI runs a plain function in another thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from aws.s3_cache import ObjectStore
from backend.database.connection import transaction
from backend.services.jobs import JobQueue
from backend.services.sweeps.budgets import Price


async def _engine(request: Request) -> AsyncEngine:
    engine: AsyncEngine = request.app.state.resources.engine
    return engine


async def _store(request: Request) -> ObjectStore:
    store: ObjectStore = request.app.state.resources.store
    return store


async def _queue(request: Request) -> JobQueue:
    queue: JobQueue = request.app.state.resources.queue
    return queue


async def _price(request: Request) -> Price:
    price: Price = request.app.state.resources.price
    return price


Engine = Annotated[AsyncEngine, Depends(_engine)]
Store = Annotated[ObjectStore, Depends(_store)]
Queue = Annotated[JobQueue, Depends(_queue)]
SweepPrice = Annotated[Price, Depends(_price)]


async def _connection(engine: Engine) -> AsyncIterator[AsyncConnection]:
    async with transaction(engine) as connection:
        yield connection


# scope="function": committed before the response is sent, so that nothing is acknowledged and then lost.
Connection = Annotated[AsyncConnection, Depends(_connection, scope="function")]
