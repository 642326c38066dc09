"""Facts of the market: universes, instruments, bars, actions, factors."""

import datetime as dt

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.database.column_types import JsonObject
from backend.database.models.base import NOW, Base, check

_KINDS = "kind IN ('equity', 'etf', 'index', 'fx', 'crypto', 'fund')"


class Universe(Base):
    __tablename__ = "universes"
    __table_args__ = (
        check("universes", "currency", "length(currency) = 3"),
        check("universes", "kind", _KINDS),
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
        check("instruments", "currency", "length(currency) = 3"),
        check("instruments", "kind", _KINDS),
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
    __table_args__ = (check("index_constituents", "span", "end_date >= start_date"),)

    index_name: Mapped[str] = mapped_column(primary_key=True)
    ticker: Mapped[str] = mapped_column(primary_key=True)
    start_date: Mapped[dt.date] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    end_date: Mapped[dt.date | None]
    withdrawn: Mapped[bool] = mapped_column(server_default=text("false"))


class Bar(Base):
    __tablename__ = "market_data"
    __table_args__ = (
        check("market_data", "low", "low <= open AND low <= close AND low <= high"),
        check("market_data", "high", "high >= open AND high >= close"),
        check("market_data", "open", "open > 0 AND open < 1e15"),
        check("market_data", "low_positive", "low > 0 AND low < 1e15"),
        check("market_data", "high_positive", "high > 0 AND high < 1e15"),
        check("market_data", "close", "close > 0 AND close < 1e15"),
        check("market_data", "volume", "volume >= 0 AND volume < 1e18"),
        check("market_data", "quality", "data_quality IN ('good', 'suspect', 'bad')"),
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
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
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
        check("corporate_actions", "kind", "kind IN ('split', 'dividend', 'symbol_change', 'delisting')"),
        check("corporate_actions", "value", "value < 1e15 AND (value > 0 OR (kind = 'delisting' AND value >= -1))"),
        check("corporate_actions", "symbol", "(kind = 'symbol_change') = (new_symbol IS NOT NULL)"),
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
    __table_args__ = (check("factors", "value", "value > -1e15 AND value < 1e15"),)

    dataset: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    known_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    source: Mapped[str]
