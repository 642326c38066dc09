"""Evidence of a Sharpe ratio in the moments of its returns."""

from __future__ import annotations

import math

import pytest

from strategy.backtest.metrics import ReturnMoments
from strategy.validation.track_record import track_record


def moments(*, mean: float = 0.0, std: float = 0.01, n: int = 401) -> ReturnMoments:
    return ReturnMoments(n=n, mean=mean, std=std, skewness=0.0, kurtosis=3.0)


def test_a_normal_record_is_judged_by_its_length() -> None:
    # Ratio 0.1, normal: variance 1 + 0.1 ** 2 / 2 = 1.005; 0.1 * sqrt(400 / 1.005) = 1.995 and cdf 0.97698 of tables.
    # 1 + 1.005 * (1.644854 / 0.1) ** 2 = 272.91 sessions.
    record = track_record(moments(mean=0.001))
    assert record.sharpe == pytest.approx(0.1)
    assert record.probabilistic_sharpe == pytest.approx(0.97698, abs=1e-5)
    assert record.minimum_length == pytest.approx(272.91, abs=0.01)


def test_a_loss_is_never_long_enough() -> None:
    record = track_record(moments(mean=-0.001))
    assert record.minimum_length is None
    assert record.probabilistic_sharpe == pytest.approx(1 - 0.97698, abs=1e-5)


def test_returns_that_do_not_vary_prove_nothing() -> None:
    flat = ReturnMoments(n=10, mean=0.0, std=0.0, skewness=math.nan, kurtosis=math.nan)
    record = track_record(flat)
    assert (record.sharpe, record.probabilistic_sharpe, record.minimum_length) == (None, None, None)
