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
    active = panel.active[rows].copy()
    if tickers:
        is_other = np.ones(panel.n_assets, dtype=np.bool_)
        is_other[named_columns(panel, tickers, parameter="tickers")] = False
        active[:, is_other] = False
    return active


def equal_parts(chosen: BoolArray) -> FloatArray:
    """1/n on each of the n chosen assets of a row, and nothing where none is chosen; same shape."""
    counts = chosen.sum(axis=1, keepdims=True)
    parts: FloatArray = chosen / np.maximum(counts, 1)
    return parts


def largest(scores: FloatArray, n_largest: int) -> BoolArray:
    """The `n_largest` highest scores of each row, equal ones by column; NaN is never among them; same shape."""
    known = np.where(np.isnan(scores), -np.inf, scores)
    if n_largest >= scores.shape[1]:
        return known > -np.inf
    # A partition finds the last one that is chosen in a fraction of the time of a sort.
    place = scores.shape[1] - n_largest
    last = np.partition(known, place, axis=1)[:, place : place + 1]
    chosen: BoolArray = known > last
    tied = (known == last) & (last > -np.inf)
    chosen |= tied & (np.cumsum(tied, axis=1) <= n_largest - chosen.sum(axis=1, keepdims=True))
    return chosen
