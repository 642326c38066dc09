"""Response of every area's health route."""

from __future__ import annotations

from pydantic import Field

from backend.schemas.model import Model


class HealthOut(Model):
    """Whether this part works; answered with 503 when something does not."""

    version: str
    schema_revision: str | None = Field(description="None: the database was never migrated, or is not reachable.")
    database: str = Field(description="'ok', or why not.")
    cache: str = Field(description="'ok', or why not.")
