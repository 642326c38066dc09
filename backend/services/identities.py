"""Whose bars a source gives under a symbol: every bar is stored under the id of its instrument.

1. A symbol asked for today means the instrument that bears it today, or bore it last.
2. A source that names each row by the symbol of its day (`is_dated`) is parted by date. Any other gives the history of
   whoever bears the symbol now, under that one symbol.
3. Bars after a delisting, or of a listing that began after the last stored bar, are another company's: they get an
   instrument of their own. Where nothing shows that old and new bars are one company's, they are refused by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.bar_edges import newest_dates
from backend.database.instruments import InstrumentRecord, bearers, instruments, stays_of
from backend.database.universes import UniverseRecord
from backend.ingest.errors import BadDataError
from backend.ingest.pipeline import TickerOutcome
from strategy.symbols import SymbolStay, free_id, last_bearer, last_symbol

DateArray = NDArray[np.datetime64]
OwnerArray = NDArray[np.object_]

#: Longest time without a bar that a listing is taken to survive, where no bar joins the new ones to the stored ones.
LONGEST_GAP = dt.timedelta(days=30)
#: What vendors call our kinds.
_KINDS = {
    "equity": "equity",
    "etf": "etf",
    "index": "index",
    "currency": "fx",
    "cryptocurrency": "crypto",
    "mutualfund": "fund",
}


@dataclass(slots=True, kw_only=True)
class Identities:
    """The instruments of one run.

    Parameters
    ----------
    universe : UniverseRecord
        What new instruments are where the source does not say.
    today : date
    is_dated : bool
        Whether the source names each row by the symbol of its day.
    stays : list of SymbolStay
        Of every instrument that bore one of the run's symbols.
    newest : dict of str to date
        Last stored session by id.
    registered : set of str
        Ids that there are.
    """

    universe: UniverseRecord
    today: dt.date
    is_dated: bool
    stays: list[SymbolStay]
    newest: Mapping[str, dt.date]
    registered: set[str]
    new: dict[str, InstrumentRecord] = field(default_factory=dict)

    def id_of(self, symbol: str) -> str:
        """Id of the instrument that bears the symbol today or bore it last; the symbol itself where nobody did."""
        return last_bearer(self.stays, symbol, self.today) or symbol

    def identified(self, outcome: TickerOutcome) -> list[TickerOutcome]:
        """The outcome of a symbol as outcomes of instruments; new ones wait in `new` until `take_new`."""
        if outcome.good.num_rows == 0:
            return [_renamed(outcome, self.id_of(outcome.ticker))]
        if self.is_dated:
            return _parted(outcome, self._bearers(outcome.ticker, _dates(outcome)))
        key = self.id_of(outcome.ticker)
        begin = self._first_of_another(key, outcome)
        reason = self._stranger(key, outcome) if begin is None else None
        if reason is not None:
            failure = BadDataError(outcome.source, key, reason)
            return [TickerOutcome(ticker=key, source=outcome.source, failure=failure)]
        return self._current(key, outcome, begin)

    def take_new(self) -> list[InstrumentRecord]:
        """The instruments that were new since the last time; when they became known is for who registers them."""
        taken = list(self.new.values())
        self.new = {}
        return taken

    def _bearers(self, symbol: str, dates: DateArray) -> OwnerArray:
        """Who bore the symbol on each date; the dates on which nobody is known to are one unknown company's."""
        owners: OwnerArray = np.full(dates.shape, "", dtype=object)
        # Later listings last, so that one that nobody ended does not hide its successor.
        for stay in sorted(self.stays, key=lambda stay: (stay.start_date or dt.date.min, stay.instrument)):
            if stay.symbol == symbol:
                first = np.datetime64(stay.start_date or dt.date.min, "D")
                last = np.datetime64(stay.end_date or dt.date.max, "D")
                owners[(first <= dates) & (dates <= last)] = stay.instrument
        unknown = owners == ""
        if unknown.any():
            owners[unknown] = self._registered(symbol, dates[unknown][0].item(), start_date=None)
        return owners

    def _current(self, key: str, outcome: TickerOutcome, begin: dt.date | None) -> list[TickerOutcome]:
        """Bars before `begin` are the instrument's, the others those of the next company."""
        symbol, dates = outcome.ticker, _dates(outcome)
        if key not in self.registered:
            self._registered(symbol, dates[0].item(), start_date=None, facts=outcome.metadata)
        is_other = dates >= np.datetime64(begin or dt.date.max, "D")
        if not is_other.any():
            return [_renamed(outcome, key)]
        first = dates[is_other][0].item()
        other = self._registered(symbol, first, start_date=first, facts=outcome.metadata)
        return _parted(outcome, np.where(is_other, other, key).astype(object))

    def _first_of_another(self, key: str, outcome: TickerOutcome) -> dt.date | None:
        """Date from which the bars cannot be those of the instrument that had the symbol so far."""
        ends = [stay.end_date for stay in self.stays if (stay.instrument, stay.symbol) == (key, outcome.ticker)]
        if ends and ends[-1] is not None:
            return ends[-1] + dt.timedelta(days=1)
        listed, last = _first_trade_date(outcome), self.newest.get(key)
        return listed if listed is not None and last is not None and listed > last else None

    def _stranger(self, key: str, outcome: TickerOutcome) -> str | None:
        """Why the bars cannot be joined to the stored ones; None where they can."""
        first, last = _dates(outcome)[0].item(), self.newest.get(key)
        if last is None or first - last <= LONGEST_GAP:
            return None
        listed = _first_trade_date(outcome)
        if listed is not None and listed <= last:
            return None
        return (
            f"no bar joins the stored ones, which end on {last}, to the new ones, which begin on {first}: another "
            "company may bear the symbol; if it is one company ingest with --full, else record the old one's delisting"
        )

    def _registered(
        self, symbol: str, first: dt.date, *, start_date: dt.date | None, facts: Mapping[str, str] | None = None
    ) -> str:
        """Id of a new instrument that bears the symbol from `start_date` on."""
        key = free_id(symbol, first, self.registered)
        said = facts or {}
        self.new[key] = InstrumentRecord(
            id=key,
            symbol=symbol,
            start_date=start_date,
            kind=_KINDS.get(said.get("instrument", "").lower(), self.universe.kind),
            currency=said.get("currency", self.universe.currency),
            calendar=self.universe.calendar,
            name=None,
            known_at=dt.datetime.min.replace(tzinfo=dt.UTC),
        )
        self.registered.add(key)
        self.stays.append(SymbolStay(instrument=key, symbol=symbol, start_date=start_date, end_date=None))
        return key


def by_instrument(outcomes: Sequence[TickerOutcome]) -> list[TickerOutcome]:
    """The outcomes with those of one instrument and source as one: it may have come under several symbols."""
    found: dict[tuple[str, str], TickerOutcome] = {}
    for outcome in outcomes:
        key = outcome.ticker, outcome.source
        found[key] = _together(found[key], outcome) if key in found else outcome
    return list(found.values())


async def identities(
    connection: AsyncConnection, symbols: Sequence[str], universe: UniverseRecord, *, today: dt.date
) -> Identities:
    """Whom the symbols of a run name, by what is registered and stored."""
    found = await bearers(connection, symbols)
    stays = await stays_of(connection, found)
    ids = {last_bearer(stays, symbol, today) or symbol for symbol in symbols}
    return Identities(
        universe=universe,
        today=today,
        is_dated=universe.source_options.get("symbols") == "dated",
        stays=stays,
        newest=await newest_dates(connection, sorted(ids)),
        registered=set(found),
    )


async def symbols_to_ask(connection: AsyncConnection, ids: Sequence[str], *, today: dt.date) -> list[str]:
    """Present symbols of instruments, sorted, without those that have gone to another: nothing new comes of its id."""
    stays = await stays_of(connection, await instruments(connection, ids))
    asked = {key: last_symbol(stays, key) or key for key in ids}
    everybody = await stays_of(connection, await bearers(connection, sorted(set(asked.values()))))
    return sorted({symbol for key, symbol in asked.items() if last_bearer(everybody, symbol, today) in {key, None}})


def _together(one: TickerOutcome, other: TickerOutcome) -> TickerOutcome:
    good = pa.concat_tables([one.good, other.good], promote_options="default").sort_by("date")
    return replace(
        other,
        n_rows=one.n_rows + other.n_rows,
        good=good,
        quarantined=(*one.quarantined, *other.quarantined),
        actions=pa.concat_tables([one.actions, other.actions]),
        refused_actions=(*one.refused_actions, *other.refused_actions),
        failure=None if good.num_rows else other.failure or one.failure,
    )


def _renamed(outcome: TickerOutcome, key: str) -> TickerOutcome:
    if key == outcome.ticker:
        return outcome
    return replace(
        outcome,
        ticker=key,
        good=_under(key, outcome.good),
        actions=_under(key, outcome.actions),
        quarantined=tuple(replace(row, ticker=key) for row in outcome.quarantined),
        refused_actions=tuple(replace(row, ticker=key) for row in outcome.refused_actions),
    )


def _under(key: str, table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("ticker")
    return table.set_column(place, table.schema.field(place), pa.array([key] * table.num_rows, pa.string()))


def _parted(outcome: TickerOutcome, owners: OwnerArray) -> list[TickerOutcome]:
    """One outcome for each instrument; what was set aside, and the actions, stay with the one of the last bar."""
    last = owners[-1]
    others = [_part(outcome, owners == key, key) for key in sorted(set(owners) - {last})]
    n_rest = outcome.n_rows - sum(other.n_rows for other in others)
    rest = replace(outcome, n_rows=n_rest, good=outcome.good.filter(pa.array(owners == last)))
    return [*others, _renamed(rest, last)]


def _part(outcome: TickerOutcome, is_own: NDArray[np.bool_], key: str) -> TickerOutcome:
    good = _under(key, outcome.good.filter(pa.array(is_own)))
    return TickerOutcome(
        ticker=key,
        source=outcome.source,
        n_rows=good.num_rows,
        good=good,
        metadata=outcome.metadata,
        passed_over=outcome.passed_over,
    )


def _dates(outcome: TickerOutcome) -> DateArray:
    dates: DateArray = outcome.good["date"].to_numpy().astype("datetime64[D]")
    return dates


def _first_trade_date(outcome: TickerOutcome) -> dt.date | None:
    text = outcome.metadata.get("first_trade_date")
    return dt.date.fromisoformat(text) if text else None
