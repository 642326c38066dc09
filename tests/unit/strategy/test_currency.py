"""Panels in another currency: by hand, and what holds for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.adjustments import CorporateActions
from strategy.currency import asset_rates, base_rates, converted
from strategy.errors import CurrencyError, PanelError
from strategy.panel import DateArray, PricePanel
from support.panels import panel_of, random_panel

NAN = np.nan


def dates(*days: int) -> DateArray:
    return np.array([f"2024-01-{day:02d}" for day in days], dtype="datetime64[D]")


def pairs(sessions: DateArray, **closes: list[float]) -> PricePanel:
    names = tuple(sorted(closes))
    return panel_of(np.column_stack([closes[name] for name in names]), sessions=sessions, tickers=names)


def test_a_pair_is_the_price_of_its_first_currency_in_its_second() -> None:
    """One Australian dollar costs 0.80 US dollars: a US dollar costs 1.25 Australian ones."""
    fx = pairs(dates(2), AUDUSD=[0.8])
    assert base_rates(fx, dates(2), "AUD", base="USD") == pytest.approx([0.8])
    assert base_rates(fx, dates(2), "USD", base="AUD") == pytest.approx([1.25])
    assert base_rates(fx, dates(2), "AUD", base="AUD") == pytest.approx([1.0])


def test_a_pair_that_nobody_quotes_goes_through_us_dollars() -> None:
    """A euro is 1.10 US dollars, each 1.25 Australian ones: 1.375. A franc is 1 / 0.88 of them: 1.4205."""
    fx = pairs(dates(2), AUDUSD=[0.8], EURUSD=[1.1], USDCHF=[0.88])
    assert base_rates(fx, dates(2), "EUR", base="AUD") == pytest.approx([1.375])
    assert base_rates(fx, dates(2), "CHF", base="AUD") == pytest.approx([1.25 / 0.88])


def test_a_rate_holds_until_a_newer_one_or_until_it_is_too_old() -> None:
    fx = pairs(dates(2, 3, 4), AUDUSD=[0.8, NAN, 0.9])
    found = base_rates(fx, dates(1, 2, 3, 4, 11, 12), "AUD", base="USD")
    np.testing.assert_array_equal(found, [NAN, 0.8, 0.8, 0.9, 0.9, NAN])


def test_with_a_lag_only_the_day_before_is_known() -> None:
    fx = pairs(dates(2, 3), AUDUSD=[0.8, 0.9])
    np.testing.assert_array_equal(base_rates(fx, dates(2, 3, 4), "AUD", base="USD", lag_days=1), [NAN, 0.8, 0.9])


def test_a_currency_without_a_pair_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(CurrencyError, match=r"JPY.*AUD.*AUDUSD"):
        base_rates(pairs(dates(2), AUDUSD=[0.8]), dates(2), "JPY", base="AUD")


def with_dividend(row: int) -> PricePanel:
    """Three sessions of one asset at 10, 11 and 12, with a dividend of 1 and a split of 2 at `row`."""
    actions = CorporateActions(
        rows=np.array([row], dtype=np.intp),
        columns=np.zeros(1, dtype=np.intp),
        split_ratios=np.array([2.0]),
        dividends=np.array([1.0]),
    )
    return panel_of(np.array([[10.0], [11.0], [12.0]]), sessions=dates(2, 3, 4), actions=actions)


def test_prices_and_dividends_have_the_rate_of_their_day_and_splits_none() -> None:
    found = converted(with_dividend(1), np.array([[2.0], [3.0], [4.0]]))
    np.testing.assert_array_equal(found.close_prices[:, 0], [20.0, 33.0, 48.0])
    np.testing.assert_array_equal(found.field("open")[:, 0], [20.0, 33.0, 48.0])
    assert (found.actions.dividends.tolist(), found.actions.split_ratios.tolist()) == ([3.0], [2.0])


def test_volume_is_counted_in_shares_in_any_currency() -> None:
    panel = panel_of(np.ones((2, 1)))
    volume = np.array([[5.0], [6.0]])
    with_volume = PricePanel(
        sessions=panel.sessions,
        tickers=panel.tickers,
        fields={**panel.fields, "volume": volume},
        actions=panel.actions,
        member=panel.member,
    )
    np.testing.assert_array_equal(converted(with_volume, np.full((2, 1), 1.5)).field("volume"), volume)


def test_before_the_first_rate_there_is_neither_price_nor_dividend() -> None:
    found = converted(with_dividend(0), np.array([[NAN], [3.0], [4.0]]))
    np.testing.assert_array_equal(found.close_prices[:, 0], [NAN, 33.0, 48.0])
    assert found.actions.dividends.tolist() == [0.0]


def test_a_dividend_between_known_prices_needs_a_rate() -> None:
    with pytest.raises(PanelError, match=r"T000 on 2024-01-03"):
        converted(with_dividend(1), np.array([[2.0], [NAN], [4.0]]))


@pytest.mark.parametrize("rates", [np.ones((3, 1)), np.zeros((2, 1)), np.full((2, 1), -1.0), np.full((2, 1), np.inf)])
def test_rates_that_cannot_be_are_refused(rates: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    with pytest.raises(PanelError, match="rate"):
        converted(panel_of(np.ones((2, 1))), rates)


@given(seed=st.integers(0, 2**32 - 1))
def test_there_and_back_gives_the_same_panel(seed: int) -> None:
    panel, fx = random_panel(seed, n_dates=40, n_assets=3, missing=0.1), random_fx(seed)
    there = converted(panel, asset_rates(fx, panel, ["USD"] * 3, base="AUD"))
    back = converted(there, asset_rates(fx, panel, ["AUD"] * 3, base="USD"))
    is_known = np.isfinite(there.close_prices)
    np.testing.assert_allclose(back.close_prices[is_known], panel.close_prices[is_known], rtol=1e-12)
    np.testing.assert_array_equal(there.active, panel.active & is_known)


@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 39), lag=st.integers(0, 2))
def test_no_rate_comes_from_the_future(seed: int, cut: int, lag: int) -> None:
    """Rates of the first `cut` sessions do not depend on closes after them, less the lag."""
    panel, fx = random_panel(seed, n_dates=40, n_assets=2), random_fx(seed)
    known = fx.sessions <= panel.sessions[cut - 1] - np.timedelta64(lag, "D")
    closes = np.where(known[:, None], fx.close_prices, fx.close_prices * 7)
    scrambled = panel_of(closes, sessions=fx.sessions, tickers=fx.tickers)
    full, other = (asset_rates(it, panel, ["EUR", "USD"], base="AUD", lag_days=lag) for it in (fx, scrambled))
    np.testing.assert_array_equal(full[:cut], other[:cut])


def random_fx(seed: int) -> PricePanel:
    """Forty business days of two pairs with holes."""
    made = random_panel(seed ^ 1, n_dates=40, n_assets=2, missing=0.3)
    return panel_of(made.close_prices / 50, sessions=made.sessions, tickers=("AUDUSD", "EURUSD"))
