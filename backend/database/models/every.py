"""All tables at once: for migrations, copies of a database, and tests."""

from __future__ import annotations

from backend.database.models import ingest, jobs, journal, market, results  # noqa: F401  each adds its tables
from backend.database.models.base import Base

#: Complete, since every module of tables is imported above.
METADATA = Base.metadata
