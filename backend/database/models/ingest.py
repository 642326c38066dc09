"""Runs of ingests, what failed in them, and who may run."""

import datetime as dt

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.database.column_types import JsonObject
from backend.database.models.base import Base, check


class IngestRun(Base):
    __tablename__ = "ingest_runs"
    __table_args__ = (
        check(
            "ingest_runs",
            "status",
            "status IN ('running', 'succeeded', 'partial', 'failed', 'interrupted')",
        ),
        Index("ix_ingest_runs_universe", "universe_key", "started_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    universe_key: Mapped[str]
    source: Mapped[str]
    status: Mapped[str]
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    lookback_days: Mapped[int | None]
    tickers: Mapped[int]
    rows_in: Mapped[int] = mapped_column(server_default=text("0"))
    inserted: Mapped[int] = mapped_column(server_default=text("0"))
    changed: Mapped[int] = mapped_column(server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(server_default=text("0"))
    quarantined: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]


class IngestFailure(Base):
    __tablename__ = "ingest_failures"
    __table_args__ = (
        check(
            "ingest_failures",
            "class",
            "error_class IN ('RATE_LIMIT', 'TIMEOUT', 'NETWORK', 'NOT_FOUND', 'DELISTED', 'BAD_DATA')",
        ),
        Index("ix_ingest_failures_run", "run_id"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), Identity(always=False), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(ForeignKey("ingest_runs.id"))
    ticker: Mapped[str]
    date: Mapped[dt.date | None]
    error_class: Mapped[str]
    reason: Mapped[str]
    payload: Mapped[JsonObject]


class Lease(Base):
    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    expires_at: Mapped[dt.datetime]
