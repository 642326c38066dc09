"""Backtests, sweeps and pre-registrations, and the ledger of trials."""

import datetime as dt

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.database.column_types import JsonObject
from backend.database.models.base import Base, check


class Backtest(Base):
    __tablename__ = "backtests"
    __table_args__ = (Index("ix_backtests_created_at", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    spec: Mapped[JsonObject]
    document: Mapped[str]
    equity_key: Mapped[str]
    orders_key: Mapped[str]
    holdings_key: Mapped[str]
    created_at: Mapped[dt.datetime]


class Trial(Base):
    __tablename__ = "trials"
    __table_args__ = (
        check("trials", "origin", "origin IN ('http', 'cli', 'sweep', 'restatement', 'preregistration')"),
        check("trials", "equity", "(equity_key IS NULL) = (equity_column IS NULL)"),
        Index("ix_trials_strategy", "strategy", "created_at"),
    )

    backtest_id: Mapped[str] = mapped_column(primary_key=True)
    design: Mapped[str]
    strategy: Mapped[str]
    universe: Mapped[str]
    origin: Mapped[str]
    n_returns: Mapped[int]
    mean: Mapped[float | None]
    std: Mapped[float | None]
    skewness: Mapped[float | None]
    kurtosis: Mapped[float | None]
    equity_key: Mapped[str | None]
    equity_column: Mapped[str | None]
    created_at: Mapped[dt.datetime]


class Preregistration(Base):
    __tablename__ = "preregistrations"
    __table_args__ = (
        check("preregistrations", "reason", "length(reason) > 0"),
        Index("ix_preregistrations_universe", "universe", "frozen_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    spec: Mapped[JsonObject]
    strategy: Mapped[str]
    universe: Mapped[str]
    reason: Mapped[str]
    frozen_at: Mapped[dt.datetime]


class PreregistrationRun(Base):
    __tablename__ = "preregistration_runs"

    preregistration_id: Mapped[str] = mapped_column(ForeignKey("preregistrations.id"), primary_key=True)
    backtest_id: Mapped[str] = mapped_column(ForeignKey("backtests.id"), primary_key=True)
    created_at: Mapped[dt.datetime]


class Sweep(Base):
    __tablename__ = "sweeps"
    __table_args__ = (
        check("sweeps", "n_trials", "n_trials > 0"),
        check("sweeps", "batch_size", "batch_size > 0"),
        Index("ix_sweeps_created_at", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    spec: Mapped[JsonObject]
    budget: Mapped[JsonObject]
    job_id: Mapped[str]
    n_trials: Mapped[int]
    batch_size: Mapped[int]
    trial_seconds: Mapped[float]
    document: Mapped[str | None]
    created_at: Mapped[dt.datetime]


class SweepBatch(Base):
    __tablename__ = "sweep_batches"

    sweep_id: Mapped[str] = mapped_column(ForeignKey("sweeps.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    trials_key: Mapped[str]
    equity_key: Mapped[str]
    n_trials: Mapped[int]
    seconds: Mapped[float]
    created_at: Mapped[dt.datetime]
