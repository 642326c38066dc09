"""Scrambled futures: the past to the bit, and nothing of what came after."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from strategy.panel import PricePanel
from strategy.validation.scrambling import ScrambledFutures
from support.panels import dividend_payer, panel_of

PANEL = dividend_payer()


def scrambled_after(panel: PricePanel, row: int) -> PricePanel:
    return ScrambledFutures(panel, np.random.default_rng(0)).after(row)


def test_scrambling_keeps_everything_up_to_and_with_the_row() -> None:
    row = 30
    before, after = PANEL.until(row), scrambled_after(PANEL, row).until(row)
    for name, values in before.fields.items():
        assert_array_equal(after.fields[name], values)
    assert_array_equal(after.member, before.member)
    assert_array_equal(after.prices, before.prices)
    assert_array_equal(after.active, before.active)
    assert_array_equal(after.actions.dividends, before.actions.dividends)


def test_scrambling_changes_every_price_member_and_action_from_the_next_row_on() -> None:
    row = 30
    scrambled = scrambled_after(PANEL, row)
    for name, values in PANEL.fields.items():
        assert (scrambled.fields[name][row + 1 :] != values[row + 1 :]).all()
    assert (scrambled.member[row + 1 :] != PANEL.member[row + 1 :]).all()
    assert (np.isnan(scrambled.close_prices) & np.isfinite(PANEL.close_prices)).any()
    assert (np.isfinite(scrambled.close_prices) & np.isnan(PANEL.close_prices)).any()
    assert scrambled.actions.rows.max() == row


def test_scrambling_gives_an_asset_that_ended_a_future() -> None:
    """Else a strategy could avoid what will be delisted, and pass."""
    closes = PANEL.close_prices.copy()
    closes[31:, 2] = np.nan
    scrambled = scrambled_after(panel_of(closes), 30)
    assert np.isfinite(scrambled.close_prices[31:, 2]).any()


def test_scrambling_after_the_last_row_changes_nothing() -> None:
    scrambled = scrambled_after(PANEL, PANEL.n_dates - 1)
    assert_array_equal(scrambled.close_prices, PANEL.close_prices)


def test_scrambling_keeps_sessions_and_tickers() -> None:
    scrambled = scrambled_after(PANEL, 30)
    assert_array_equal(scrambled.sessions, PANEL.sessions)
    assert scrambled.tickers == PANEL.tickers


def test_what_is_computed_from_closes_has_the_same_past_and_another_future() -> None:
    row = 30
    scrambled = scrambled_after(PANEL, row)
    assert_array_equal(scrambled.prices[: row + 1], PANEL.prices[: row + 1])
    assert_array_equal(scrambled.active[: row + 1], PANEL.active[: row + 1])
    assert (scrambled.prices[row + 1 :] != PANEL.prices[row + 1 :]).all()
    assert (scrambled.active[row + 1 :] != PANEL.active[row + 1 :]).all()


def test_every_later_row_gives_what_it_would_give_alone_up_to_there() -> None:
    futures = ScrambledFutures(PANEL, np.random.default_rng(0))
    for row in (10, 11, 40):
        scrambled = futures.after(row)
        for found, true in ((scrambled.prices, PANEL.prices), (scrambled.field("open"), PANEL.field("open"))):
            assert_array_equal(found[: row + 1], true[: row + 1])
            assert (found[row + 1 :] != true[row + 1 :]).all()


def test_what_is_asked_for_up_to_the_row_is_true_and_scrambles_nothing() -> None:
    generator = np.random.default_rng(0)
    futures = ScrambledFutures(PANEL, generator)
    for row in (10, 40):
        scrambled = futures.after(row)
        assert_array_equal(scrambled.prices_until(row), PANEL.prices[: row + 1])
        assert_array_equal(scrambled.active_on(np.array([3, row])), PANEL.active[[3, row]])
        assert_array_equal(scrambled.active_on(row), PANEL.active[row])
    assert generator.random() == np.random.default_rng(0).random()  # nobody drew from it


def test_what_is_asked_for_beyond_the_row_is_scrambled() -> None:
    row = 30
    scrambled = scrambled_after(PANEL, row)
    assert_array_equal(scrambled.prices_until(row + 2), scrambled.prices[: row + 3])
    assert (scrambled.prices_until(row + 2)[row + 1 :] != PANEL.prices[row + 1 : row + 3]).all()
    for rows in (np.array([row, row + 1]), np.array([row, -1]), np.arange(PANEL.n_dates) == row + 1):
        assert (scrambled.active_on(rows)[-1] != PANEL.active_on(rows)[-1]).all()


def test_a_panel_of_an_earlier_row_shows_no_future_once_a_later_one_was_looked_at() -> None:
    futures = ScrambledFutures(PANEL, np.random.default_rng(0))
    earlier = futures.after(20)
    assert futures.after(40).prices.shape == PANEL.prices.shape
    with pytest.raises(ValueError, match="rows must increase"):
        _ = earlier.prices


def test_an_earlier_row_is_refused_since_its_future_is_known() -> None:
    futures = ScrambledFutures(PANEL, np.random.default_rng(0))
    futures.after(30)
    with pytest.raises(ValueError, match="rows must increase"):
        futures.after(29)


def test_a_strategy_cannot_write_into_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        scrambled_after(PANEL, 30).prices[0, 0] = 1.0


def test_the_panel_is_left_as_it_was() -> None:
    panel, untouched = dividend_payer(), dividend_payer()
    futures = ScrambledFutures(panel, np.random.default_rng(0))
    for row in (20, 40):
        assert np.isfinite(futures.after(row).prices).any()
    assert_array_equal(panel.close_prices, untouched.close_prices)
    assert_array_equal(panel.prices, untouched.prices)
    assert_array_equal(panel.active, untouched.active)
