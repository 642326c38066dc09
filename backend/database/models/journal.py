"""The trade journal."""

import datetime as dt

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.database.models.base import NOW, Base, check


class Trade(Base):
    __tablename__ = "trades"
    __table_args__ = (
        check("trades", "side", "side IN ('long', 'short')"),
        check("trades", "quantity", "quantity > 0 AND quantity < 1e15"),
        check("trades", "entry_price", "entry_price > 0 AND entry_price < 1e15"),
        check("trades", "exit_price", "exit_price > 0 AND exit_price < 1e15"),
        check("trades", "exit", "(exit_date IS NULL) = (exit_price IS NULL) AND exit_date >= entry_date"),
        check("trades", "fees", "fees >= 0 AND fees < 1e15"),
        check("trades", "currency", "length(currency) = 3"),
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
    created_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[dt.datetime] = mapped_column(server_default=NOW)
