"""Cross-sectional momentum on four assets: every expectation is worked out by hand."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from strategy.library.momentum import MOMENTUM, MomentumParameters
from strategy.panel import FloatArray
from support.panels import panel_of

#: Over sessions 0 to 2: 0 %, -10 %, +50 %, -50 %. Over sessions 1 to 3: +20 %, +22 %, -25 %, 0 %.
CLOSES = np.array(
    [
        [10.0, 10.0, 8.0, 20.0],
        [10.0, 9.0, 12.0, 10.0],
        [10.0, 9.0, 12.0, 10.0],
        [12.0, 11.0, 9.0, 10.0],
    ]
)


def chosen(closes: FloatArray = CLOSES, *, top_n: int, skip: int = 0) -> FloatArray:
    """Weights of the last session with a lookback of two."""
    parameters = MomentumParameters(lookback=2, skip=skip, top_n=top_n)
    weights: FloatArray = MOMENTUM.target_weights(panel_of(closes), np.array([len(closes) - 1]), parameters)[0]
    return weights


def test_the_strongest_are_held_in_equal_parts() -> None:
    assert_array_equal(chosen(top_n=2), [0.5, 0.5, 0, 0])


def test_the_newest_sessions_are_left_out() -> None:
    assert_array_equal(chosen(top_n=1, skip=1), [0, 0, 1, 0])


def test_losers_are_held_when_there_is_nothing_better() -> None:
    assert_array_equal(chosen(top_n=4), [0.25, 0.25, 0.25, 0.25])


def test_fewer_assets_than_asked_for_share_everything() -> None:
    assert_array_equal(chosen(top_n=8), [0.25, 0.25, 0.25, 0.25])


def test_an_asset_without_a_close_at_the_start_of_the_span_is_not_ranked() -> None:
    closes = CLOSES.copy()
    closes[1, 1] = np.nan
    assert_array_equal(chosen(closes, top_n=2), [0.5, 0, 0, 0.5])


def test_an_asset_without_a_close_now_is_not_held() -> None:
    closes = CLOSES.copy()
    closes[3, 0] = np.nan
    assert_array_equal(chosen(closes, top_n=1), [0, 1, 0, 0])


def test_equal_returns_go_by_ticker() -> None:
    """Every second of sixty assets gains 20 %, the others 10 %; so many that an unstable sort would mix them."""
    closes = np.full((3, 60), 10.0)
    closes[2, 0::2], closes[2, 1::2] = 12.0, 11.0
    assert_array_equal(np.flatnonzero(chosen(closes, top_n=5)), [0, 2, 4, 6, 8])


def test_the_defaults_are_twelve_months_less_the_newest_one() -> None:
    """Jegadeesh and Titman's 12-1 in months of 21 sessions: from 252 sessions ago to 21 sessions ago."""
    defaults = MomentumParameters()
    assert (defaults.lookback + defaults.skip, defaults.skip) == (252, 21)
