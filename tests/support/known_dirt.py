"""The real data sets whose dirt is known, as quality control judges them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.ingest.quality.quarantine import Quarantined
from backend.ingest.quality.rules import VERDICTS
from backend.ingest.quality.series import series_of
from backend.ingest.quality.verdicts import verdicts
from backend.ingest.quality.versions import checked
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA
from backend.ingest.sources.files import Parts

DATA_SETS = (
    "us_sp500_kaggle_2013_2018",
    "us_sp500_yahoo_2005_2021",
    "etf_2006_2026",
    "fx_crypto_2006_2026",
    "asx_yahoo_1988_2016",
)
_TODAY = dt.date(2026, 11, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFile:
    """Bars that may be stored, the rules each breaks, what was refused, and seconds spent on rows and on series."""

    bars: pa.Table
    broken: Mapping[str, NDArray[np.bool_]]
    quarantined: tuple[Quarantined, ...]
    rows_s: float
    series_s: float

    @property
    def counts(self) -> dict[str, int]:
        """Bars by rule, those that none breaks left out."""
        return {rule: int(rows.sum()) for rule, rows in self.broken.items() if rows.any()}

    def of(self, rule: str) -> set[tuple[str, str]]:
        """Tickers and ISO dates of the bars that break a rule."""
        rows = self.bars.take(np.flatnonzero(self.broken[rule]))
        return {
            (ticker, str(day)) for ticker, day in zip(rows["ticker"].to_pylist(), rows["date"].to_pylist(), strict=True)
        }


def judged_file(shared_data: Path, name: str, *, clock: Callable[[], float] = lambda: 0.0) -> JudgedFile:
    """Judge a file of `prices`, without actions and without a calendar."""
    parts = Parts(bars_in(pq.read_table(shared_data / "prices" / f"{name}.parquet")))
    begin = clock()
    found = [checked(bars, ticker=ticker, today=_TODAY, is_closes_only=False) for ticker, bars in parts.items()]
    middle = clock()
    good = pa.concat_tables([item.good for item in found])
    bits = verdicts(series_of(good), ACTION_SCHEMA.empty_table())
    return JudgedFile(
        bars=good,
        broken={rule: (bits >> number & 1).astype(np.bool_) for number, rule in enumerate(VERDICTS)},
        quarantined=tuple(row for item in found for row in item.quarantined),
        rows_s=middle - begin,
        series_s=clock() - middle,
    )


def bars_in(table: pa.Table) -> pa.Table:
    """The rows of such a file as a source gives them, in its order; columns that it lacks are empty."""
    names = {"ticker": "symbol", "adjusted_close": "adj_close"}
    columns = []
    for field in BAR_SCHEMA:
        theirs = names.get(field.name, field.name)
        has = theirs in table.column_names
        columns.append(table[theirs].cast(field.type) if has else pa.nulls(table.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=BAR_SCHEMA)
