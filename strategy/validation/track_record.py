"""How far the Sharpe ratio of one result can be trusted, before it is asked how many others were tried."""

from __future__ import annotations

import math
from dataclasses import dataclass

from strategy.backtest.metrics import ReturnMoments
from strategy.validation.sharpe import minimum_track_record_length, probabilistic_sharpe_ratio

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """Evidence of a Sharpe ratio above zero.

    Parameters
    ----------
    sharpe : float or None
        Mean over sample standard deviation of session returns, not annualised. None: returns do not vary.
    n_returns : int
    probabilistic_sharpe : float or None
        Probability that the true ratio is above zero.
    minimum_length : float or None
        Sessions after which a ratio like this is above zero with `confidence`. None: never, or undefined.
    confidence : float
    """

    sharpe: float | None
    n_returns: int
    probabilistic_sharpe: float | None
    minimum_length: float | None
    confidence: float = CONFIDENCE


def track_record(moments: ReturnMoments) -> TrackRecord:
    """Evidence in the moments of session returns."""
    if not all(map(math.isfinite, (moments.mean, moments.std, moments.skewness, moments.kurtosis))) or moments.std == 0:
        return TrackRecord(sharpe=None, n_returns=moments.n, probabilistic_sharpe=None, minimum_length=None)
    sharpe = moments.mean / moments.std
    shape = {"skewness": moments.skewness, "kurtosis": moments.kurtosis}
    length = minimum_track_record_length(sharpe, confidence=CONFIDENCE, **shape)
    return TrackRecord(
        sharpe=sharpe,
        n_returns=moments.n,
        probabilistic_sharpe=probabilistic_sharpe_ratio(sharpe, n_returns=moments.n, **shape),
        minimum_length=length if math.isfinite(length) else None,
    )
