"""A platform in a folder: SQLite and a folder cache, holding the bundled sample."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from backend.commands.quickstart import run_quickstart
from backend.config import Settings
from backend.database.migrations import migrate
from backend.resources import Resources, open_resources


def settings_in(folder: Path) -> Settings:
    """Settings that see neither the environment nor backend/.env."""
    return Settings(
        _env_file=None,
        neon_database_url=None,
        neon_direct_url=None,
        database_secret_arn=None,
        tiingo_api_key=None,
        database_url=f"sqlite:///{folder / 'trades.db'}",
        cache_url=str(folder / "cache"),
    )


def set_up_sample(folder: Path) -> None:
    """What `parakeet quickstart` does, into a folder."""
    settings = settings_in(folder)
    migrate(settings.direct_source_url())

    async def run() -> None:
        async with opened(settings) as resources:
            await run_quickstart(resources, settings, is_quiet=True)

    asyncio.run(run())


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Resources]:
    """Resources on the running event loop, released on leaving."""
    settings = settings.model_copy(update={"database_connect_timeout_s": 0.2})
    resources = open_resources(settings)
    try:
        yield resources
    finally:
        await resources.close()
