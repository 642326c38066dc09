"""Jobs, and the keys that requests are repeated under."""

import datetime as dt

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.database.column_types import JsonObject
from backend.database.models.base import NOW, Base, check


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        check("jobs", "status", "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')"),
        check("jobs", "progress", "progress >= 0 AND progress <= 1"),
        Index("ix_jobs_status", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    payload: Mapped[JsonObject]
    result: Mapped[JsonObject | None]
    error: Mapped[str | None]
    progress: Mapped[float] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
