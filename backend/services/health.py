"""Whether the database and the cache of this process answer."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from aws.errors import CacheError
from aws.s3_cache import ObjectStore
from backend.database.connection import transaction
from backend.database.errors import DatabaseError


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """State of each part: 'ok', or why not. `schema_revision` None: never migrated, or not reachable."""

    version: str
    schema_revision: str | None
    database: str
    cache: str

    @property
    def is_healthy(self) -> bool:
        """Whether every part works."""
        return self.database == "ok" and self.cache == "ok"


async def health(engine: AsyncEngine, store: ObjectStore) -> Health:
    """Ask the database for its revision and the cache whether it is there."""
    database, revision = await _database(engine)
    return Health(
        version=version("potential-parakeet"), schema_revision=revision, database=database, cache=await _cache(store)
    )


async def _database(engine: AsyncEngine) -> tuple[str, str | None]:
    try:
        async with transaction(engine) as connection:
            revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except DatabaseError as error:
        return str(error), None
    except DBAPIError:
        return "the schema was never migrated; run `parakeet migrate`", None
    return "ok", revision


async def _cache(store: ObjectStore) -> str:
    try:
        await store.check()
    except CacheError as error:
        return str(error)
    return "ok"
