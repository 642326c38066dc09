"""Performance figures, each with its formula, unit and source: functions of an equity curve or of session returns.

`equity` has shape (n,), base currency; `returns` are simple session returns of shape (n - 1,), fractions. A figure that
is undefined (too few sessions, no variation) is NaN; in `Metric`, which people read as JSON, it is None.
"""

from strategy.backtest.metrics.drawdowns import Drawdown, max_drawdown
from strategy.backtest.metrics.returns import (
    ReturnMoments,
    cagr,
    return_moments,
    session_returns,
    sharpe_ratio,
    sortino_ratio,
    total_return,
    volatility,
)
from strategy.backtest.metrics.units import Metric, Unit

__all__ = [
    "Drawdown",
    "Metric",
    "ReturnMoments",
    "Unit",
    "cagr",
    "max_drawdown",
    "return_moments",
    "session_returns",
    "sharpe_ratio",
    "sortino_ratio",
    "total_return",
    "volatility",
]
