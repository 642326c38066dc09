"""Returns by month and year, by hand."""

from __future__ import annotations

import numpy as np

from strategy.backtest.metrics.periods import period_returns

SESSIONS = np.array(["2019-12-30", "2019-12-31", "2020-01-02", "2020-01-31", "2020-03-02"], dtype="datetime64[D]")
EQUITY = np.array([100.0, 110.0, 99.0, 121.0, 133.1])


def test_a_month_runs_from_the_last_value_before_it() -> None:
    months, returns = period_returns(EQUITY, SESSIONS, "month")
    assert months.astype(str).tolist() == ["2019-12", "2020-01", "2020-03"]  # no session, no row
    np.testing.assert_allclose(returns, [0.10, 0.10, 0.10])


def test_years_compound_their_months() -> None:
    years, returns = period_returns(EQUITY, SESSIONS, "year")
    assert years.astype(str).tolist() == ["2019", "2020"]
    np.testing.assert_allclose(returns, [0.10, 0.21])


def test_a_first_month_of_one_session_has_no_return() -> None:
    months, returns = period_returns(EQUITY[1:], SESSIONS[1:], "month")
    assert months.astype(str).tolist() == ["2020-01", "2020-03"]
    np.testing.assert_allclose(returns, [0.10, 0.10])
