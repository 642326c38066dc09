"""Responses of /data/restatements, /data/actions and /data/instruments."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from backend.schemas.model import Model


class RestatementOut(Model):
    """One field of a bar, or one corporate action, that said something else before."""

    ticker: str
    date: dt.date = Field(description="Session of the bar, or ex-date of the action.")
    field: str = Field(description="open, high, low, close, volume, data_quality, or the kind of an action.")
    before: float | str | None = Field(description="None: not known at the earlier moment.")
    after: float | str | None = Field(description="None: removed or withdrawn since.")
    known_at: dt.datetime | None = Field(description="When the later value became known.")
    source: str | None = Field(description="Who said so before.")


class RestatementsOut(Model):
    """What was rewritten between two moments, by ticker, date and field; actions come with the first page."""

    earlier: dt.datetime
    later: dt.datetime
    universe: str | None
    by_field: dict[str, int] = Field(description="Changes on this page by field.")
    data: list[RestatementOut]
    next_cursor: str | None


class ActionOut(Model):
    """One corporate action."""

    ticker: str
    ex_date: dt.date
    kind: str = Field(description="split, dividend, symbol_change or delisting.")
    value: float = Field(
        description="Split: new shares per old. Dividend: cash per share, quote currency. Symbol change: 1. "
        "Delisting: return on the last close, -1: nothing."
    )
    new_symbol: str | None = Field(description="Of a symbol change: the symbol from ex_date on.")
    known_at: dt.datetime


class ActionsOut(Model):
    """Corporate actions as known at a moment, sorted by ticker, ex-date and kind."""

    as_of: dt.datetime
    data: list[ActionOut]


class SymbolStayOut(Model):
    """The time in which an instrument bore a symbol, both ends included; None: since ever, or still."""

    symbol: str
    start_date: dt.date | None
    end_date: dt.date | None


class InstrumentOut(Model):
    """What bars and actions are stored under, and the symbols it bore."""

    id: str
    kind: str
    currency: str
    calendar: str
    name: str | None
    symbols: list[SymbolStayOut]


class InstrumentsOut(Model):
    """Instruments that bore a symbol, as known at a moment."""

    as_of: dt.datetime
    symbol: str
    holder: str | None = Field(description="Id of the one that bore it on the date asked for; None: nobody known.")
    on: dt.date
    data: list[InstrumentOut]
