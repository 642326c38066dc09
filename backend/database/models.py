"""The tables as SQLAlchemy models: the same as database/schema.sql, where the columns are documented.

On SQLite they make the tables. They carry no relationships: each repository states its joins.
"""

import datetime as dt

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from backend.database.column_types import JsonObject, UtcDateTime


class Base(DeclarativeBase):
    """Column types shared by all models."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own protocol
        str: Text(),
        float: Double(),
        dt.date: Date(),
        dt.datetime: UtcDateTime(),
        # None is SQL's NULL, not JSON's null.
        JsonObject: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    }


def _check(table: str, name: str, condition: str) -> CheckConstraint:
    return CheckConstraint(condition, name=f"ck_{table}_{name}")


_NOW = func.now()


_KINDS = "kind IN ('equity', 'etf', 'index', 'fx', 'crypto', 'fund')"


class Universe(Base):
    __tablename__ = "universes"
    __table_args__ = (
        _check("universes", "currency", "length(currency) = 3"),
        _check("universes", "kind", _KINDS),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="equity")
    currency: Mapped[str]
    calendar: Mapped[str]
    benchmark: Mapped[str | None]
    source: Mapped[str]
    source_options: Mapped[JsonObject]
    list_date: Mapped[dt.date | None]


class Instrument(Base):
    __tablename__ = "instruments"
    __table_args__ = (
        _check("instruments", "currency", "length(currency) = 3"),
        _check("instruments", "kind", _KINDS),
        Index("ix_instruments_symbol", "symbol"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    symbol: Mapped[str]
    start_date: Mapped[dt.date | None]
    kind: Mapped[str]
    currency: Mapped[str]
    calendar: Mapped[str]
    name: Mapped[str | None]
    known_at: Mapped[dt.datetime]


class IndexConstituent(Base):
    __tablename__ = "index_constituents"
    __table_args__ = (_check("index_constituents", "span", "end_date >= start_date"),)

    index_name: Mapped[str] = mapped_column(primary_key=True)
    ticker: Mapped[str] = mapped_column(primary_key=True)
    start_date: Mapped[dt.date] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    end_date: Mapped[dt.date | None]
    withdrawn: Mapped[bool] = mapped_column(server_default=text("false"))


class Bar(Base):
    __tablename__ = "market_data"
    __table_args__ = (
        _check("market_data", "low", "low <= open AND low <= close AND low <= high"),
        _check("market_data", "high", "high >= open AND high >= close"),
        _check("market_data", "open", "open > 0 AND open < 1e15"),
        _check("market_data", "low_positive", "low > 0 AND low < 1e15"),
        _check("market_data", "high_positive", "high > 0 AND high < 1e15"),
        _check("market_data", "close", "close > 0 AND close < 1e15"),
        _check("market_data", "volume", "volume >= 0 AND volume < 1e18"),
        _check("market_data", "quality", "data_quality IN ('good', 'suspect', 'bad')"),
        Index("ix_market_data_known_at", "known_at", postgresql_using="brin"),
    )

    ticker: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    open: Mapped[float | None]
    high: Mapped[float | None]
    low: Mapped[float | None]
    close: Mapped[float]
    volume: Mapped[float | None]
    adjusted_close: Mapped[float | None]
    source: Mapped[str]
    data_quality: Mapped[str] = mapped_column(server_default="good")
    created_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)
    metadata_: Mapped[JsonObject] = mapped_column("metadata", server_default=text("'{}'"))
    known_at: Mapped[dt.datetime]


class SupersededBar(Base):
    __tablename__ = "market_data_history"

    ticker: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    superseded_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    open: Mapped[float | None]
    high: Mapped[float | None]
    low: Mapped[float | None]
    close: Mapped[float]
    volume: Mapped[float | None]
    adjusted_close: Mapped[float | None]
    source: Mapped[str]
    data_quality: Mapped[str]
    metadata_: Mapped[JsonObject] = mapped_column("metadata")


class TickerCoverage(Base):
    __tablename__ = "ticker_coverage"

    ticker: Mapped[str] = mapped_column(primary_key=True)
    bars: Mapped[int]
    suspect: Mapped[int]
    bad: Mapped[int]
    first_session: Mapped[dt.date]
    last_session: Mapped[dt.date]
    known_at: Mapped[dt.datetime]


class CorporateAction(Base):
    __tablename__ = "corporate_actions"
    __table_args__ = (
        _check("corporate_actions", "kind", "kind IN ('split', 'dividend', 'symbol_change', 'delisting')"),
        _check("corporate_actions", "value", "value < 1e15 AND (value > 0 OR (kind = 'delisting' AND value >= -1))"),
        _check("corporate_actions", "symbol", "(kind = 'symbol_change') = (new_symbol IS NOT NULL)"),
        Index("ix_corporate_actions_new_symbol", "new_symbol"),
    )

    ticker: Mapped[str] = mapped_column(primary_key=True)
    ex_date: Mapped[dt.date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    new_symbol: Mapped[str | None]
    source: Mapped[str]


class Factor(Base):
    __tablename__ = "factors"
    __table_args__ = (_check("factors", "value", "value > -1e15 AND value < 1e15"),)

    dataset: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    source: Mapped[str]


class IngestRun(Base):
    __tablename__ = "ingest_runs"
    __table_args__ = (
        _check(
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
        _check(
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
        _check("trials", "origin", "origin IN ('http', 'cli', 'sweep', 'restatement', 'preregistration')"),
        _check("trials", "equity", "(equity_key IS NULL) = (equity_column IS NULL)"),
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
        _check("preregistrations", "reason", "length(reason) > 0"),
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
        _check("sweeps", "n_trials", "n_trials > 0"),
        _check("sweeps", "batch_size", "batch_size > 0"),
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


class Trade(Base):
    __tablename__ = "trades"
    __table_args__ = (
        _check("trades", "side", "side IN ('long', 'short')"),
        _check("trades", "quantity", "quantity > 0 AND quantity < 1e15"),
        _check("trades", "entry_price", "entry_price > 0 AND entry_price < 1e15"),
        _check("trades", "exit_price", "exit_price > 0 AND exit_price < 1e15"),
        _check("trades", "exit", "(exit_date IS NULL) = (exit_price IS NULL) AND exit_date >= entry_date"),
        _check("trades", "fees", "fees >= 0 AND fees < 1e15"),
        _check("trades", "currency", "length(currency) = 3"),
        Index("ix_trades_ticker", "ticker", "entry_date"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    ticker: Mapped[str]
    side: Mapped[str]
    quantity: Mapped[float]
    entry_date: Mapped[dt.date]
    entry_price: Mapped[float]
    exit_date: Mapped[dt.date | None]
    exit_price: Mapped[float | None]
    fees: Mapped[float] = mapped_column(server_default=text("0"))
    currency: Mapped[str]
    strategy: Mapped[str | None]
    notes: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        _check("jobs", "status", "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')"),
        _check("jobs", "progress", "progress >= 0 AND progress <= 1"),
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
    created_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=_NOW)
