"""All tables at once: for migrations, copies of a database, and tests."""

from __future__ import annotations

from backend.database.models import ingest, jobs, journal, market, results
from backend.database.models.base import Base

MAPPED = (ingest, jobs, journal, market, results)
#: Complete once every module of tables is imported.
METADATA = Base.metadata
