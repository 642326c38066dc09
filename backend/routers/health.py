"""GET /{area}/health, the same for every Lambda and the only route without a token."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.routers.dependencies import Engine, Store
from backend.schemas.health import HealthOut
from backend.services.health import health


def add_health(router: APIRouter) -> None:
    """Add the health route to a router."""

    @router.get("/health", response_model=HealthOut, responses={503: {"model": HealthOut}})
    async def area_health(engine: Engine, store: Store, response: Response) -> HealthOut:
        """Version, schema revision, and whether database and cache answer."""
        found = await health(engine, store)
        response.status_code = 200 if found.is_healthy else 503
        return HealthOut(
            version=found.version,
            schema_revision=found.schema_revision,
            database=found.database,
            cache=found.cache,
        )
