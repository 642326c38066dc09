"""What splits and dividends do to a price series.

Prices are stored as traded. A total-return series is computed forward: the first close stands as traded and every later
one is multiplied by what a holder of one share at the start has become. Unlike the usual backward adjustment, a value
never changes when a later split or dividend becomes known, so a strategy that reads it cannot see the future.

Charts and vendors adjust backward: the last close stands as traded. `backward_factors` does so for them; no strategy
reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strategy.errors import AdjustmentError


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateActions:
    """Splits and cash dividends of a panel, one entry per (session, asset) that has either.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_actions,), intp
        Ex-date session and asset, sorted by (row, column), each pair once.
    split_ratios : ndarray of shape (n_actions,)
        New shares per old share, 1 where there is no split.
    dividends : ndarray of shape (n_actions,)
        Cash per share held after the split, quote currency, 0 where there is none.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    split_ratios: NDArray[np.float64]
    dividends: NDArray[np.float64]

    @classmethod
    def none(cls) -> CorporateActions:
        """No action at all."""
        empty = np.empty(0, dtype=np.intp)
        return cls(rows=empty, columns=empty, split_ratios=np.empty(0), dividends=np.empty(0))

    @classmethod
    def joined(
        cls,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        split_ratios: NDArray[np.float64],
        dividends: NDArray[np.float64],
    ) -> CorporateActions:
        """Actions in any order, sorted; those of one (row, column) joined: ratios multiply, dividends add up."""
        if not rows.size:
            return cls.none()
        steps = np.diff(rows * (columns.max() + 1) + columns)
        if (steps < 0).any():
            order = np.lexsort((columns, rows))
            return cls.joined(rows[order], columns[order], split_ratios[order], dividends[order])
        if (steps == 0).any():
            begins = np.flatnonzero(np.concatenate(([1], steps)))
            rows, columns = rows[begins], columns[begins]
            split_ratios, dividends = np.multiply.reduceat(split_ratios, begins), np.add.reduceat(dividends, begins)
        return cls(rows=rows, columns=columns, split_ratios=split_ratios, dividends=dividends)

    def between(self, first: int, stop: int) -> CorporateActions:
        """The actions of sessions `first` to `stop` (excluded), rows counted from `first`."""
        begin, end = np.searchsorted(self.rows, (first, stop))
        part = slice(int(begin), int(end))
        return CorporateActions(
            rows=self.rows[part] - first,
            columns=self.columns[part],
            split_ratios=self.split_ratios[part],
            dividends=self.dividends[part],
        )


def split_factors(shape: tuple[int, int], actions: CorporateActions) -> NDArray[np.float64]:
    """Cumulative split ratio: shares that one share of the first session has become, shape (n_dates, n_assets)."""
    ratios = np.ones(shape)
    ratios[actions.rows, actions.columns] = actions.split_ratios
    return np.cumprod(ratios, axis=0, out=ratios)


def total_return_prices(close: NDArray[np.float64], actions: CorporateActions) -> NDArray[np.float64]:
    """Closes of a holding that reinvests each dividend at the close of its ex-date.

    The one-period return is ``(split * (close + dividend)) / previous close - 1``, the CRSP total return [1]_.
    A dividend whose ex-date has no close is reinvested at the next close.

    Parameters
    ----------
    close : ndarray of shape (n_dates, n_assets)
        Closes as traded, quote currency. NaN (no bar) stays NaN.
    actions : CorporateActions
        Splits and dividends of the same panel.

    Returns
    -------
    ndarray of shape (n_dates, n_assets)
        Equal to `close` up to the first action of each asset.

    References
    ----------
    .. [1] CRSP, "Data Definitions: Total Return" (RET), Center for Research in Security Prices.
    """
    if actions.rows.size == 0:
        return close.copy()
    growth = np.ones(close.shape)
    growth[actions.rows, actions.columns] = actions.split_ratios
    for row, column, dividend in zip(actions.rows, actions.columns, actions.dividends, strict=True):
        if dividend:
            tradable = np.flatnonzero(np.isfinite(close[row:, column]))
            if tradable.size:
                growth[row + tradable[0], column] *= 1 + dividend / close[row + tradable[0], column]
    np.cumprod(growth, axis=0, out=growth)
    return np.multiply(close, growth, out=growth)


def last_known_closes(
    close: NDArray[np.float64], actions: CorporateActions, *, gaps: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Each close, and where there is none the close before it, divided by any split since; shape as `close`.

    NaN only before the first close of an asset. The array itself when nothing is missing. `gaps` are the columns in
    which a close is missing.
    """
    if gaps.size == 0:
        return close
    carried = close.copy()
    last = last_close_rows(close[:, gaps])
    part = np.take_along_axis(close[:, gaps], np.maximum(last, 0), axis=0)
    if actions.rows.size:
        factors = split_factors(close.shape, actions)[:, gaps]
        part = part * np.take_along_axis(factors, np.maximum(last, 0), axis=0) / factors
    # Where a close is there it is taken as it is, free of rounding by the factors.
    carried[:, gaps] = np.where(np.isnan(close[:, gaps]), np.where(last < 0, np.nan, part), close[:, gaps])
    return carried


def columns_with_gaps(close: NDArray[np.float64]) -> NDArray[np.intp]:
    """Columns in which a close is missing: a sum of finite prices is finite, and one with NaN is NaN."""
    return np.flatnonzero(np.isnan(close.sum(axis=0)))


def last_close_rows(close: NDArray[np.float64]) -> NDArray[np.intp]:
    """Row of the newest close up to each row, -1 before the first."""
    rows = np.where(np.isnan(close), -1, np.arange(close.shape[0])[:, np.newaxis])
    return np.maximum.accumulate(rows, axis=0).astype(np.intp)


def backward_factors(
    close: NDArray[np.float64], actions: CorporateActions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dividend and split factors by which closes as traded are multiplied, so that the last one stands as it is.

    The factor of a split is 1 / ratio, that of a dividend 1 - dividend / last close before its ex-date [1]_, for every
    earlier session. A dividend before the first close changes nothing.

    Parameters
    ----------
    close : ndarray of shape (n_dates, n_assets)
        Closes as traded, quote currency. NaN: no bar.
    actions : CorporateActions
        Splits and dividends of the same axes.

    Returns
    -------
    (ndarray, ndarray) of shape (n_dates, n_assets)
        Dividend factors and split factors, both 1 on the last session and never NaN.

    Raises
    ------
    AdjustmentError
        If a dividend is as large as the price it was paid from.

    References
    ----------
    .. [1] CRSP, "Data Definitions: Cumulative Factor to Adjust Price", Center for Research in Security Prices; the
       factor files of QuantConnect's LEAN follow the same rule.
    """
    splits, dividends = np.ones(close.shape), np.ones(close.shape)
    for row, column, ratio, dividend in zip(
        actions.rows, actions.columns, actions.split_ratios, actions.dividends, strict=True
    ):
        if row == 0:
            continue
        splits[row - 1, column] /= ratio
        before = np.flatnonzero(np.isfinite(close[:row, column]))
        if dividend and before.size:
            # Paid on each share after the split, the close before was that of a share before it.
            factor = 1 - dividend * ratio / close[before[-1], column]
            if factor <= 0:
                raise AdjustmentError(int(row), int(column), float(dividend), float(close[before[-1], column]))
            dividends[row - 1, column] *= factor
    return _cumulated_from_last(dividends), _cumulated_from_last(splits)


def _cumulated_from_last(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    reverse = steps[::-1]
    np.cumprod(reverse, axis=0, out=reverse)
    return steps
