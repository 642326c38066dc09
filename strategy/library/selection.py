"""Which assets of a panel a strategy may hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strategy.errors import PanelError, ParameterError
from strategy.panel import BoolArray, FloatArray, IntArray, PricePanel


def named_columns(panel: PricePanel, tickers: Sequence[str], *, parameter: str) -> IntArray:
    """Columns of the tickers of a parameter; `ParameterError` names one that the universe does not hold."""
    try:
        return panel.columns_of(tickers)
    except PanelError as error:
        raise ParameterError(parameter, list(tickers), str(error)) from error


def candidates(panel: PricePanel, rows: IntArray, tickers: Sequence[str]) -> BoolArray:
    """Assets active on each row, of the tickers or (none given) of the whole universe, shape (len(rows), n_assets)."""
    active = panel.active_on(rows)
    if tickers:
        is_other = np.ones(panel.n_assets, dtype=np.bool_)
        is_other[named_columns(panel, tickers, parameter="tickers")] = False
        active[:, is_other] = False
    return active


def known_prices(panel: PricePanel, rows: IntArray) -> FloatArray:
    """Total-return closes up to the last of the (increasing) rows: all that decisions of them may look at."""
    return panel.prices_until(int(rows[-1]) if rows.size else -1)


def equal_parts(chosen: BoolArray) -> FloatArray:
    """1/n on each of the n chosen assets of a row, and nothing where none is chosen; same shape."""
    counts = chosen.sum(axis=1, keepdims=True)
    parts: FloatArray = chosen / np.maximum(counts, 1)
    return parts


def largest(scores: FloatArray, n_largest: int) -> BoolArray:
    """The `n_largest` highest scores of each row, equal ones by column; NaN is never among them; same shape."""
    if n_largest >= scores.shape[1]:
        return ~np.isnan(scores)
    # A partition finds the last one that is chosen in a fraction of the time of a sort; NaN is behind all numbers.
    ascending = -scores
    ascending.partition(n_largest - 1, axis=1)
    last = -ascending[:, n_largest - 1]
    last[np.isnan(last)] = -np.inf
    chosen: BoolArray = scores >= last[:, np.newaxis]
    # More than asked for where others are equal to the last one: of these the first columns are taken.
    for row in np.flatnonzero(chosen.sum(axis=1) > n_largest):
        tied = np.flatnonzero(scores[row] == last[row])
        n_above = int((scores[row] > last[row]).sum())
        chosen[row, tied[n_largest - n_above :]] = False
    return chosen
