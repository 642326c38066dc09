"""Sharpe ratios by which the trials of a sweep are compared."""

from __future__ import annotations

import numpy as np

from strategy.panel import FloatArray


def sharpe_ratios(returns: FloatArray) -> FloatArray:
    """Mean over sample standard deviation of each column, not annualised; NaN where it does not vary."""
    if returns.shape[0] < 2:  # noqa: PLR2004  one return has no spread
        return np.full(returns.shape[1], np.nan)
    spread = np.std(returns, axis=0, ddof=1)
    # As in metrics.sharpe_ratio: a spread of rounding errors is none.
    varies = spread > 1e-15  # noqa: PLR2004  said above
    ratios: FloatArray = np.full(returns.shape[1], np.nan)
    ratios[varies] = returns[:, varies].mean(axis=0) / spread[varies]
    return ratios
