"""What the figures of a result mean, in the order in which people read them."""

from __future__ import annotations

from strategy.backtest.metrics.units import Unit

_ANNUAL = "times the root of the sessions a year"

#: Key to (unit, definition). Where nothing else is said, of session returns of the equity curve, after costs.
DEFINITIONS: dict[str, tuple[Unit, str]] = {
    "final_equity": ("currency", "Cash and holdings at the last close."),
    "total_return": ("fraction", "Final over initial equity, minus 1."),
    "cagr": ("fraction", "Compound annual growth: (final / initial) ** (365.25 / calendar days) - 1."),
    "volatility": ("fraction", f"Sample standard deviation of session returns, {_ANNUAL}."),
    "sharpe": ("ratio", f"Mean over standard deviation of session returns above the cash rate, {_ANNUAL}."),
    "sortino": ("ratio", f"Mean session return over its downside deviation about zero, {_ANNUAL}."),
    "downside_deviation": ("fraction", f"Root mean square of the losses over all sessions, {_ANNUAL}."),
    "max_drawdown": ("fraction", "Deepest fall of equity from a previous high."),
    "drawdown_peak": ("date", "Session of the high before the deepest fall."),
    "drawdown_trough": ("date", "Session of its low."),
    "drawdown_recovery": ("date", "First session at or above that high again; undefined: not yet."),
    "longest_drawdown": ("sessions", "Most sessions in a row below a previous high."),
    "calmar": ("ratio", "CAGR over the size of the deepest fall."),
    "ulcer_index": ("fraction", "Root mean square of the fall from the previous high, over all sessions."),
    "value_at_risk_95": ("fraction", "Session return that 5 % of the session returns fall below (historical)."),
    "expected_shortfall_95": ("fraction", "Mean of the session returns at or below the value at risk of 95 %."),
    "skewness": ("ratio", "Third standardised moment of session returns: below 0, the long tail is of losses."),
    "kurtosis": ("ratio", "Fourth standardised moment of session returns; 3 for a normal distribution."),
    "best_session": ("fraction", "Highest session return."),
    "worst_session": ("fraction", "Lowest session return."),
    "best_month": ("fraction", "Highest return of a calendar month; the first and the last may be parts of one."),
    "worst_month": ("fraction", "Lowest return of a calendar month; the first and the last may be parts of one."),
    "hit_rate": ("fraction", "Share of gains among the sessions with a gain or a loss."),
    "hit_rate_months": ("fraction", "Share of gains among the calendar months with a gain or a loss."),
    "average_win": ("fraction", "Mean of the positive session returns."),
    "average_loss": ("fraction", "Mean of the negative session returns."),
    "payoff": ("ratio", "Average win over the size of the average loss."),
    "exposure": ("fraction", "Mean share of equity that is invested at the close, shorts counted against longs."),
    "gross_exposure": ("fraction", "Mean value of longs and shorts together over equity at the close."),
    "turnover": ("fraction", "Half of the traded value a year, over mean equity."),
    "cost_drag": ("fraction", "Costs of orders and of borrowing a year, over mean equity."),
    "n_orders": ("count", "Fills, sales of delisted holdings included."),
    "unfilled_value": ("currency", "Value of orders, or parts of orders, given up as too small or too large to fill."),
    "n_unfilled": ("count", "Orders given up, in whole or in part."),
    "benchmark_return": ("fraction", "Total return of the benchmark over the same sessions, without costs."),
    "benchmark_cagr": ("fraction", "Compound annual growth of the benchmark."),
    "benchmark_volatility": ("fraction", "Volatility of the benchmark."),
    "benchmark_sharpe": ("ratio", "Sharpe ratio of the benchmark."),
    "benchmark_max_drawdown": ("fraction", "Deepest fall of the benchmark from a previous high."),
    "excess_cagr": ("fraction", "CAGR less that of the benchmark."),
    "beta": ("ratio", "Covariance of session returns with the benchmark's, over the benchmark's variance."),
    "alpha": ("fraction", "Mean return above cash that beta does not explain (Jensen), times the sessions a year."),
    "correlation": ("ratio", "Correlation of session returns with the benchmark's."),
    "tracking_error": ("fraction", f"Standard deviation of session returns less the benchmark's, {_ANNUAL}."),
    "information_ratio": ("ratio", "Mean return above the benchmark, annualised, over the tracking error."),
    "up_capture": ("ratio", "Annualised return in months in which the benchmark rose, over the benchmark's in them."),
    "down_capture": ("ratio", "Annualised return in months in which the benchmark fell, over the benchmark's in them."),
    "periods_per_year": ("count", "Sessions a year of this universe, by which figures are annualised."),
}
