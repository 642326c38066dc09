"""Lambda of the schema: the pipeline calls it before new code takes over; harmless to repeat."""

from __future__ import annotations

from typing import Any

from backend.container import Container
from backend.resources import migration_url

container = Container("migrate")


def _migrate(_event: dict[str, Any], _context: object) -> dict[str, Any]:  # Any: JSON in, JSON out
    from backend.database.migrations import migrate  # noqa: PLC0415  Alembic is for this event only

    before, after = migrate(migration_url(container.settings))
    return {"before": before, "after": after}


handler = container.observed(_migrate)
