"""Splits and dividends by hand, and the property that makes the series fit for decisions: it never changes later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from strategy.adjustments import CorporateActions, backward_factors, split_factors, total_return_prices
from strategy.errors import AdjustmentError
from strategy.panel import FloatArray, PricePanel
from support.panels import panel_of, random_panel

NAN = np.nan


def actions_of(*entries: tuple[int, int, float, float]) -> CorporateActions:
    """Entries of (row, column, split ratio, dividend)."""
    rows, columns, ratios, dividends = zip(*entries, strict=True)
    return CorporateActions(
        rows=np.array(rows, dtype=np.intp),
        columns=np.array(columns, dtype=np.intp),
        split_ratios=np.array(ratios, dtype=np.float64),
        dividends=np.array(dividends, dtype=np.float64),
    )


def adjusted(close: list[float], *entries: tuple[int, float, float]) -> FloatArray:
    """Total-return prices of one asset with entries of (row, split ratio, dividend)."""
    actions = actions_of(*((row, 0, ratio, dividend) for row, ratio, dividend in entries))
    return total_return_prices(np.array(close)[:, np.newaxis], actions)[:, 0]


def test_without_actions_prices_stand_as_traded() -> None:
    close = np.array([[10.0, NAN], [11.0, 5.0]])
    assert_array_equal(total_return_prices(close, CorporateActions.none()), close)


def test_the_result_is_not_the_array_that_came_in() -> None:
    close = np.array([[10.0], [11.0]])
    assert not np.shares_memory(total_return_prices(close, CorporateActions.none()), close)
    assert not np.shares_memory(total_return_prices(close, actions_of((1, 0, 2.0, 0.0))), close)
    assert_array_equal(close, [[10.0], [11.0]])


def test_a_split_multiplies_every_later_price() -> None:
    """Four for one: a share at 100 becomes four at 26."""
    assert_allclose(adjusted([100, 26, 27], (1, 4, 0)), [100, 104, 108])


def test_a_reverse_split_divides_every_later_price() -> None:
    assert_allclose(adjusted([1, 10, 11], (1, 0.1, 0)), [1, 1, 1.1])


def test_a_dividend_buys_shares_at_the_close_of_its_ex_date() -> None:
    """Five on a close of 95 buys 1/19 share: 20/19 of 95 is 100, of 114 is 120."""
    assert_allclose(adjusted([100, 95, 114], (1, 1, 5)), [100, 100, 120])


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    """Two shares at 48 and a dividend of 2 on each: 2 x (48 + 2) = 100."""
    assert_allclose(adjusted([100, 48, 48], (1, 2, 2)), [100, 100, 100])


def test_dividends_compound() -> None:
    """Each pays as much as remains: the holding doubles twice."""
    assert_allclose(adjusted([10, 10, 10], (1, 1, 10), (2, 1, 10)), [10, 20, 40])


def test_one_asset_s_action_leaves_the_others_alone() -> None:
    close = np.array([[10.0, 7.0], [5.0, 8.0]])
    assert_allclose(total_return_prices(close, actions_of((1, 0, 2.0, 0.0))), [[10, 7], [10, 8]])


def test_a_split_without_a_bar_on_its_ex_date_counts_from_the_next_bar() -> None:
    assert_allclose(adjusted([100, NAN, 50], (1, 2, 0)), [100, NAN, 100])


def test_a_dividend_without_a_bar_on_its_ex_date_is_reinvested_at_the_next_close() -> None:
    """Ten on the next close of 40: 5/4 of 40 is 50."""
    assert_allclose(adjusted([50, NAN, 40, 80], (1, 1, 10)), [50, NAN, 50, 100])


def test_a_dividend_after_the_last_bar_changes_nothing() -> None:
    assert_array_equal(adjusted([50, 40, NAN], (2, 1, 10)), [50, 40, NAN])


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("dividend", [0.0, 1.25])
def test_the_return_of_an_ex_date_is_the_total_return(ratio: float, dividend: float) -> None:
    """CRSP: (split x (close + dividend)) / previous close - 1."""
    prices = adjusted([40, 30], (1, ratio, dividend))
    assert prices[1] / prices[0] - 1 == pytest.approx(ratio * (30 + dividend) / 40 - 1)


def test_split_factors_count_the_shares_that_one_share_has_become() -> None:
    """Two for one, then three for two: three shares. Dividends do not count."""
    factors = split_factors((4, 2), actions_of((1, 0, 2.0, 0.3), (2, 1, 1.0, 9.0), (3, 0, 1.5, 0.0)))
    assert_array_equal(factors, [[1, 1], [2, 1], [2, 1], [3, 1]])


def test_the_actions_of_a_span_are_counted_from_its_first_session() -> None:
    actions = actions_of((1, 0, 2.0, 0.0), (3, 1, 1.0, 0.5), (3, 2, 1.0, 0.7), (5, 0, 1.0, 0.9))
    part = actions.between(3, 5)
    assert_array_equal(part.rows, [0, 0])
    assert_array_equal(part.columns, [1, 2])
    assert_array_equal(part.split_ratios, [1, 1])
    assert_array_equal(part.dividends, [0.5, 0.7])


def random_actions(seed: int, shape: tuple[int, int]) -> CorporateActions:
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random(shape) < 0.1)
    return CorporateActions(
        rows=rows,
        columns=columns,
        split_ratios=rng.choice([0.2, 1.0, 1.0, 2.0], size=rows.size),
        dividends=rng.choice([0.0, 0.0, 0.4, 5.0], size=rows.size),
    )


def panel_with_actions(seed: int, *, missing: float) -> PricePanel:
    close = random_panel(seed, n_dates=40, n_assets=3, missing=missing).close_prices
    return panel_of(close, actions=random_actions(seed, (40, 3)))


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 39), missing=st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=80)
def test_what_happens_later_never_changes_a_price(seed: int, cut: int, missing: float) -> None:
    panel = panel_with_actions(seed, missing=missing)
    assert_array_equal(panel.until(cut).prices, panel.prices[: cut + 1])


@given(seed=st.integers(0, 2**32 - 1), missing=st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=40)
def test_a_price_is_missing_exactly_where_the_close_is(seed: int, missing: float) -> None:
    panel = panel_with_actions(seed, missing=missing)
    assert_array_equal(np.isnan(panel.prices), np.isnan(panel.close_prices))


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_prices_follow_a_holding_kept_share_by_share(seed: int) -> None:
    """One share is bought at the first close, split, and its dividends spent on more; valued each session."""
    panel = panel_with_actions(seed, missing=0.0)
    entries = {(row, column): number for number, (row, column) in enumerate(_places(panel.actions))}
    shares = np.ones(3)
    for row in range(panel.n_dates):
        for column in range(3):
            number = entries.get((row, column))
            if number is not None:
                shares[column] *= panel.actions.split_ratios[number]
                cash = shares[column] * panel.actions.dividends[number]
                shares[column] += cash / panel.close_prices[row, column]
        assert_allclose(panel.prices[row], shares * panel.close_prices[row], rtol=1e-10)


def _places(actions: CorporateActions) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in zip(actions.rows, actions.columns, strict=True)]


def factors(close: list[float], *entries: tuple[int, float, float]) -> tuple[FloatArray, FloatArray]:
    """Backward dividend and split factors of one asset with entries of (row, split ratio, dividend)."""
    actions = actions_of(*((row, 0, ratio, dividend) for row, ratio, dividend in entries))
    dividends, splits = backward_factors(np.array(close)[:, np.newaxis], actions)
    return dividends[:, 0], splits[:, 0]


def test_backward_the_last_close_stands_and_earlier_ones_shrink() -> None:
    """Four for one, then 2 paid from a close of 40: 100 becomes 25 x 0.95."""
    dividends, splits = factors([100, 40, 38], (1, 4, 0), (2, 1, 2))
    assert_allclose(splits, [0.25, 1, 1])
    assert_allclose(dividends, [0.95, 0.95, 1])


def test_backward_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    """Two new shares, 2 on each, from a close of 100."""
    dividends, splits = factors([100, 48], (1, 2, 2))
    assert_allclose(dividends * splits, [0.96 * 0.5, 1])


def test_backward_a_dividend_is_paid_from_the_last_close_there_is() -> None:
    dividends, _ = factors([50, NAN, 40], (2, 1, 5))
    assert_allclose(dividends, [0.9, 0.9, 1])


def test_backward_an_action_before_the_first_close_changes_nothing() -> None:
    dividends, splits = factors([NAN, 50, 40], (0, 2, 5), (1, 1, 5))
    assert_array_equal(dividends, [1, 1, 1])
    assert_array_equal(splits, [1, 1, 1])


def test_backward_a_dividend_as_large_as_its_price_is_refused() -> None:
    with pytest.raises(AdjustmentError, match="dividend of 10 on a close of 10"):
        factors([10, 1], (1, 1, 10))


@given(seed=st.integers(0, 2**32 - 1))
def test_backward_and_forward_adjustment_agree_on_returns_across_splits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = rng.uniform(1, 100, (20, 1))
    rows = np.unique(rng.integers(1, 20, 4))
    actions = actions_of(*((int(row), 0, float(rng.choice([0.1, 0.5, 2, 7])), 0.0) for row in rows))
    _, splits = backward_factors(close, actions)
    backward, forward = close * splits, total_return_prices(close, actions)
    assert_allclose(backward[1:] / backward[:-1], forward[1:] / forward[:-1], rtol=1e-12)
    assert backward[-1] == close[-1]
