"""What every source of prices gives: bars and corporate actions of one ticker, as Arrow tables of one schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pyarrow as pa

from backend.ingest.errors import SourceError

#: One row per session. Prices in quote currency **as traded** (not adjusted for splits or dividends), volume in shares,
#: null where the source has no value. `adjusted_close` is the vendor's own figure, for reconciliation only.
BAR_SCHEMA = pa.schema(
    [
        pa.field("ticker", pa.string(), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("open", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("close", pa.float64()),
        pa.field("volume", pa.float64()),
        pa.field("adjusted_close", pa.float64()),
    ]
)

#: The same where the source states when it published each row (UTC). A (ticker, date) may then come several times, once
#: for every version.
VINTAGE_SCHEMA = BAR_SCHEMA.append(pa.field("known_at", pa.timestamp("us", tz="UTC"), nullable=False))

#: What `backend.database.actions.ActionRecord` says of each kind; a delisting and a symbol change only where the source
#: states them.
ACTION_SCHEMA = pa.schema(
    [
        pa.field("ticker", pa.string(), nullable=False),
        pa.field("ex_date", pa.date32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("new_symbol", pa.string()),
    ]
)

#: Of the metadata: the source that should have given these bars, and did not.
FALLBACK_FROM = "fallback_from"
#: What of the metadata is stored with every bar: what its prices are. The rest tells of the instrument.
BAR_METADATA = ("fields", "basis", FALLBACK_FROM)


def unheard() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Bars of one ticker, both ends included; `start` None means from the first session the source has.

    A source may call `answered` when the vendor has answered in full and all that is left is to read it: then another
    ticker may be asked for.
    """

    ticker: str
    start: date | None
    end: date | None
    answered: Callable[[], None] = field(default=unheard, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a source answered for one ticker.

    Parameters
    ----------
    bars : pa.Table of BAR_SCHEMA or VINTAGE_SCHEMA
        Sorted by date. Rows that break a rule are not left out: quality control quarantines them by name.
    actions : pa.Table of ACTION_SCHEMA
        Splits and dividends whose ex-date lies in the request.
    metadata : mapping
        What BAR_METADATA names is stored with every bar, for example ``{"fields": "close"}`` where a source has closes
        only. Of the instrument a vendor may say `currency`, `timezone`, `instrument` and `first_trade_date`.
    source : str or None
        Name of the source that gave this, where several were asked; None: the one that was asked.
    passed_over : tuple of SourceError
        Why those that should have given it did not, in the order in which they were asked.
    """

    bars: pa.Table
    actions: pa.Table
    metadata: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    passed_over: tuple[SourceError, ...] = ()


class PriceSource(Protocol):
    """A vendor, a file or the bundled sample."""

    @property
    def name(self) -> str:
        """Name stored in `market_data.source`."""
        ...

    async def tickers(self) -> Sequence[str]:
        """Every ticker the source holds, sorted; empty where it cannot list them (a vendor)."""
        ...

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Fetch one ticker; raises a leaf of `SourceError`. An empty table means: nothing new in this span."""
        ...

    async def close(self) -> None:
        """Release connections and files."""
        ...
