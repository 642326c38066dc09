"""Tails, wins and losses by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strategy.backtest.metrics.tails import (
    average_loss,
    average_win,
    expected_shortfall,
    hit_rate,
    payoff_ratio,
    value_at_risk,
)

#: -1 % to -10 %, and +1 % to +11 %, in no order.
RETURNS = np.concatenate((np.arange(1, 12), -np.arange(1, 11))) / 100


def test_value_at_risk_is_the_quantile_of_what_happened() -> None:
    # 21 returns: 5 % of the 20 steps between them is one step from the lowest, -10 %.
    assert value_at_risk(RETURNS, level=0.95) == pytest.approx(-0.09)
    # 2.5 % is half a step.
    assert value_at_risk(RETURNS, level=0.975) == pytest.approx(-0.095)


def test_expected_shortfall_is_the_mean_of_what_is_no_better() -> None:
    assert expected_shortfall(RETURNS, level=0.9) == pytest.approx(-(0.10 + 0.09 + 0.08) / 3)
    assert expected_shortfall(RETURNS, level=0.975) == pytest.approx(-0.10)


def test_wins_and_losses() -> None:
    returns = np.array([0.02, 0.0, -0.01, 0.04, 0.0, -0.02, -0.03])
    assert hit_rate(returns) == pytest.approx(2 / 5)  # a session without a change is neither
    assert average_win(returns) == pytest.approx(0.03)
    assert average_loss(returns) == pytest.approx(-0.02)
    assert payoff_ratio(returns) == pytest.approx(1.5)


def test_what_is_undefined_is_nan() -> None:
    nothing, flat, rising = np.empty(0), np.zeros(3), np.full(3, 0.01)
    assert math.isnan(value_at_risk(nothing, level=0.95))
    assert math.isnan(expected_shortfall(nothing, level=0.95))
    assert math.isnan(hit_rate(flat))
    assert math.isnan(average_win(flat))
    assert math.isnan(average_loss(rising))
    assert math.isnan(payoff_ratio(rising))
