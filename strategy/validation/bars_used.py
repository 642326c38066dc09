"""Quality of the bars that a result stands on: those its decisions could read, and those of what it held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from strategy.backtest.simulation import Simulation
from strategy.panel import BoolArray, IntArray, PricePanel


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectBars:
    """Bars of a panel that break a rule: row, column and the rules of each."""

    rows: IntArray
    columns: IntArray
    rules: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarCounts:
    """Bars by quality; `rules` counts the suspect ones by the rule that they break, and one can break several."""

    good: int
    suspect: int
    rules: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsUsed:
    """Bars up to the last decision, of every asset, and bars of sessions on which an asset was held or traded."""

    read: BarCounts
    held: BarCounts


def bars_used(panel: PricePanel, simulation: Simulation, *, last_decision: int, suspects: SuspectBars) -> BarsUsed:
    """Count the bars of a result; `last_decision` is the panel row of its last decision."""
    is_read = suspects.rows <= last_decision
    n_read = int(np.count_nonzero(panel.has_close[: last_decision + 1]))
    held = _held(simulation)
    n_held = int(np.count_nonzero(held & panel.has_close[simulation.rows[0] : simulation.rows[-1] + 1]))
    return BarsUsed(
        read=_counts(n_read, is_read, suspects.rules),
        held=_counts(n_held, _of_held(held, simulation, suspects), suspects.rules),
    )


def _held(simulation: Simulation) -> BoolArray:
    """Whether each asset was held at the close of each session or at the one before, shape (n, n_assets)."""
    is_held = simulation.event_shares != 0
    event = np.searchsorted(simulation.event_rows, simulation.rows, side="right")
    # Whole rows: to pick the columns that were ever held would take longer than to look at all.
    at_close = np.concatenate([np.zeros((1, is_held.shape[1]), dtype=np.bool_), is_held])[event]
    at_close[1:] |= at_close[:-1].copy()
    return at_close


def _of_held(held: BoolArray, simulation: Simulation, suspects: SuspectBars) -> BoolArray:
    rows = suspects.rows - simulation.rows[0]
    inside = np.flatnonzero((rows >= 0) & (rows < held.shape[0]))
    found = np.zeros(rows.size, dtype=np.bool_)
    found[inside] = held[rows[inside], suspects.columns[inside]]
    return found


def _counts(n_bars: int, chosen: BoolArray, rules: Sequence[tuple[str, ...]]) -> BarCounts:
    broken = list(compress(rules, chosen))
    counted = Counter(rule for some in broken for rule in some)
    return BarCounts(good=n_bars - len(broken), suspect=len(broken), rules=dict(sorted(counted.items())))
