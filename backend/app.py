"""An application of given routers: resources, errors, base path."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from backend.config import Settings
from backend.errors import install_error_handlers
from backend.resources import Resources, open_resources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BASE_PATH = "/api/v1"


def make_app(routers: Iterable[APIRouter], resources: Resources | None = None) -> FastAPI:
    """Application that serves the routers under /api/v1.

    Resources are opened from the settings unless they are handed in; they live as long as the application.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await app.state.resources.close()

    app = FastAPI(
        title="Potential Parakeet",
        version=version("potential-parakeet"),
        description="Market data, strategies and backtests whose every number can be traced and repeated.",
        lifespan=lifespan,
    )
    app.state.resources = resources or open_resources(Settings())
    install_error_handlers(app)
    for router in routers:
        app.include_router(router, prefix=BASE_PATH)
    return app
