"""The recorded pairs of the yfinance project, dirty and repaired, as what our rules see and what is true of them.

The files are as Yahoo answers: adjusted for every split. We store prices as traded, so each is first undone of the
splits it names, as the source does. A row is truly dirty where the repaired file has another value of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from backend.ingest.quality.rules import VERDICTS
from backend.ingest.quality.series import series_of
from backend.ingest.quality.verdicts import verdicts
from backend.ingest.quality.versions import checked
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA

BoolArray = NDArray[np.bool_]

#: What a repair can change: open to close; volume; the adjusted close.
KINDS = ("prices", "volume", "adjusted_close")
FOLDER = Path("fixtures", "yfinance_repair_csv")
_PRICES = ("Open", "High", "Low", "Close")
#: Values that differ by less are the same: the repaired files are rounded.
_ROUNDING = 1e-3
#: Rules that say that the prices of a bar are wrong, not that something is missing beside it.
_OF_PRICES = ("unit_error", "bad_split", "jump_without_action", "missing_action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Rows truly dirty, rows flagged, and rows that are both."""

    dirty: int = 0
    flagged: int = 0
    both: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(dirty=self.dirty + other.dirty, flagged=self.flagged + other.flagged, both=self.both + other.both)

    @property
    def precision(self) -> float:
        """Share of the flagged rows that are dirty; NaN where none is flagged."""
        return self.both / self.flagged if self.flagged else float("nan")

    @property
    def recall(self) -> float:
        """Share of the dirty rows that are flagged; NaN where none is dirty."""
        return self.both / self.dirty if self.dirty else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Scores of one pair by what is wrong (prices, volume, adjusted_close), and how often each rule was broken."""

    name: str
    n_rows: int
    scores: Mapping[str, Score]
    rules: Mapping[str, int]


def pair_names(shared_data: Path) -> list[str]:
    """Names of the pairs, and of the single file that has nothing to repair."""
    files = sorted((shared_data / FOLDER).glob("*.csv"))
    return [file.stem for file in files if not file.stem.endswith("-fixed")]


def measured(shared_data: Path, name: str) -> Measured:
    """What our rules say of the dirty file, beside what its repair says."""
    dirty = _frame(shared_data / FOLDER / f"{name}.csv")
    repair = shared_data / FOLDER / f"{name}-fixed.csv"
    repaired = _frame(repair) if repair.exists() else dirty
    bits, is_refused = _judged(dirty)
    has = {rule: (bits >> number & 1).astype(np.bool_) for number, rule in enumerate(VERDICTS)}
    flagged: BoolArray = np.logical_or.reduce([has[rule] for rule in _OF_PRICES]) | is_refused
    is_kept = ~dirty[list(_PRICES)].isna().all(axis=1).to_numpy()
    found = {
        "prices": (_differs(dirty, repaired, _PRICES), flagged),
        "volume": (_differs(dirty, repaired, ("Volume",)), has["bad_split"] & (dirty["Volume"] > 0).to_numpy()),
        "adjusted_close": (_differs(dirty, repaired, ("Adj Close",)), flagged | _before_last(has)),
    }
    return Measured(
        name=name,
        n_rows=len(dirty),
        scores={kind: _score(truth & is_kept, claim & is_kept) for kind, (truth, claim) in found.items()},
        rules={rule: int(rows.sum()) for rule, rows in has.items() if rows.any()},
    )


def _frame(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, index_col=0).sort_index()


def _differs(dirty: pd.DataFrame, repaired: pd.DataFrame, columns: tuple[str, ...]) -> BoolArray:
    before, after = (frame[list(columns)].to_numpy(dtype=np.float64) for frame in (dirty, repaired))
    found: BoolArray = (np.abs(before - after) > _ROUNDING * np.abs(after)).any(axis=1)
    return found


def _before_last(has: Mapping[str, BoolArray]) -> BoolArray:
    """Rows before the last ex-date that is flagged: a wrong step there puts every earlier adjusted close off."""
    rows = np.flatnonzero(has["bad_dividend_adjustment"])
    return np.arange(has["bad_dividend_adjustment"].size) < (rows[-1] if rows.size else 0)


def _score(dirty: BoolArray, flagged: BoolArray) -> Score:
    return Score(dirty=int(dirty.sum()), flagged=int(flagged.sum()), both=int((dirty & flagged).sum()))


def _judged(frame: pd.DataFrame) -> tuple[NDArray[np.int64], BoolArray]:
    """Bits of the verdict on each row, and whether it was refused already by itself."""
    days = _days(frame)
    bars, actions = _as_traded(frame, days)
    good = checked(bars, ticker="A", today=days[-1].item(), is_closes_only=False).good
    stored = np.isin(days, good["date"].to_numpy().astype("datetime64[D]"))
    bits = np.zeros(len(frame), dtype=np.int64)
    bits[stored] = verdicts(series_of(good), actions)
    return bits, ~stored


def _days(frame: pd.DataFrame) -> NDArray[np.datetime64]:
    """Dates of the rows; bars within a day get a day each, since our rules know only the order of bars."""
    days = frame.index.str[:10].to_numpy(dtype="datetime64[D]")
    return days if len(np.unique(days)) == len(days) else days[0] + np.arange(len(days))


def _as_traded(frame: pd.DataFrame, days: NDArray[np.datetime64]) -> tuple[pa.Table, pa.Table]:
    splits = frame["Stock Splits"].to_numpy(dtype=np.float64)
    dividends = frame["Dividends"].to_numpy(dtype=np.float64)
    ratios = np.where(splits > 0, splits, 1.0)
    later = np.append(np.cumprod(ratios[::-1])[::-1][1:], 1.0)
    columns = {name.lower(): frame[name].to_numpy(dtype=np.float64) * later for name in _PRICES}
    columns["volume"] = frame["Volume"].to_numpy(dtype=np.float64) / later
    columns["adjusted_close"] = frame["Adj Close"].to_numpy(dtype=np.float64)
    bars = {"ticker": ["A"] * len(frame), "date": days} | columns
    actions = [
        {"ticker": "A", "ex_date": days[row].item(), "kind": kind, "value": values[row]}
        for kind, values in (("split", splits), ("dividend", dividends * later))
        for row in np.flatnonzero(values > 0)
    ]
    return pa.table(bars, schema=BAR_SCHEMA), pa.Table.from_pylist(actions, schema=ACTION_SCHEMA)
