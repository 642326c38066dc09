"""What tests of services share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine
from backend.database.migrations import migrate


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database without a row, once of each kind."""
    migrate(database_url)
    made = make_engine(database_url)
    yield made
    await made.dispose()
