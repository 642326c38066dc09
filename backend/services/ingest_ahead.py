"""What of a batch can be done before its transaction, while the batch before is being stored.

A verdict on bars may depend on what is stored of their tickers, and a transaction alone can say what that is. Where
nothing was stored when the run began, the bars are judged and encoded as if that still held, and the transaction asks
whether it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.database.instruments import InstrumentRecord
from backend.database.new_bars import NewBars, encoded_bars
from backend.database.universes import UniverseRecord
from backend.ingest.pipeline import TickerOutcome
from backend.services.ingest_lots import lots_of, rows_of
from backend.services.ingest_verdicts import judged_alone


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """A batch as its transaction takes it.

    Parameters
    ----------
    outcomes : list of TickerOutcome
        By instrument.
    instruments : list of InstrumentRecord
        Those that are new; when they became known is for the transaction to say.
    new : NewBars or None
        All good bars, if nothing may be stored of their tickers; None: the transaction has to compare.
    """

    outcomes: list[TickerOutcome]
    instruments: list[InstrumentRecord]
    new: NewBars | None


def new_bars_of(batch: Sequence[TickerOutcome], universe: UniverseRecord) -> NewBars | None:
    """The good bars, judged without what is stored, and encoded; None where the source states their moments."""
    lots = lots_of(batch, universe)
    if any(lot.moments.num_columns for lot in lots):
        return None
    return encoded_bars(rows_of(lots, [judged_alone(lot, calendar=universe.calendar) for lot in lots]))
