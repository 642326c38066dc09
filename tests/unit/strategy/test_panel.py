"""The panel refuses what does not fit together, and gives what it was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from strategy.adjustments import CorporateActions
from strategy.errors import MissingFieldError, PanelError
from strategy.panel import Field, FloatArray, PricePanel
from support.panels import business_days, panel_of, random_panel

NAN = np.nan
CLOSES = np.array([[10.0, 20.0], [11.0, NAN], [12.0, 22.0]])
SPLIT = CorporateActions(
    rows=np.array([2]), columns=np.array([0]), split_ratios=np.array([2.0]), dividends=np.array([0.0])
)


def panel(**changes: Any) -> PricePanel:  # Any: whatever the test wants to be wrong
    """Three sessions of two assets, with one part replaced."""
    parts = {
        "sessions": business_days(3),
        "tickers": ("AAA", "BBB"),
        "fields": {"close": CLOSES.copy()},
        "actions": SPLIT,
        "member": np.array([[True, True], [True, True], [False, True]]),
    }
    return PricePanel(**{**parts, **changes})


def closes_with(value: float) -> dict[str, FloatArray]:
    values = CLOSES.copy()
    values[2, 1] = value
    return {"close": values}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"fields": {"open": CLOSES}}, "needs the field 'close'", id="no close"),
        pytest.param({"fields": {"close": CLOSES[:2]}}, r"close has shape \(2, 2\), expected \(3, 2\)", id="dates"),
        pytest.param({"fields": {"close": CLOSES[:, :1]}}, r"close has shape \(3, 1\)", id="assets"),
        pytest.param({"fields": {"close": CLOSES, "low": CLOSES[0]}}, r"low has shape \(2,\)", id="other field"),
        pytest.param({"member": np.ones((3, 3), dtype=np.bool_)}, r"member has shape \(3, 3\)", id="members"),
        pytest.param({"sessions": business_days(3)[::-1]}, "strictly increasing", id="sessions backwards"),
        pytest.param({"sessions": business_days(3)[[0, 1, 1]]}, "strictly increasing", id="a session twice"),
        pytest.param({"sessions": business_days(3).astype("datetime64[ns]")}, r"datetime64\[ns\]", id="nanoseconds"),
        pytest.param({"tickers": ("BBB", "AAA")}, "sorted and unique", id="tickers unsorted"),
        pytest.param({"tickers": ("AAA", "AAA")}, "sorted and unique", id="a ticker twice"),
        pytest.param({"fields": {"close": CLOSES.astype(np.float32)}}, "close must be float64, not float32", id="type"),
        pytest.param({"fields": closes_with(np.inf)}, "close holds an infinite value", id="infinite"),
        pytest.param({"fields": closes_with(0.0)}, "close holds a value below or at zero", id="a price of zero"),
        pytest.param({"fields": closes_with(-1.0)}, "close holds a value below or at zero", id="a negative price"),
        pytest.param(
            {"fields": {"close": CLOSES, "volume": -CLOSES}}, "volume holds a value below zero", id="negative volume"
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PanelError, match=message):
        panel(**changes)


def test_a_volume_of_zero_is_accepted() -> None:
    assert panel(fields={"close": CLOSES.copy(), "volume": np.zeros((3, 2))}).field("volume").sum() == 0


def test_it_counts_its_axes() -> None:
    assert (panel().n_dates, panel().n_assets) == (3, 2)


def test_a_panel_without_sessions_is_a_panel() -> None:
    empty = panel_of(np.empty((0, 2)))
    assert empty.prices.shape == empty.active.shape == (0, 2)


def test_a_field_that_was_not_loaded_is_named_with_those_that_were() -> None:
    with pytest.raises(MissingFieldError, match="no 'volume'; it was loaded with close") as caught:
        panel().field("volume")
    assert (caught.value.field, caught.value.loaded) == ("volume", ("close",))


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(lambda given: given.close_prices, id="close"),
        pytest.param(lambda given: given.prices, id="prices"),
        pytest.param(lambda given: given.member, id="member"),
    ],
)
def test_its_arrays_cannot_be_written(array: Callable[[PricePanel], FloatArray]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array(panel())[0, 0] = 1


def test_its_fields_cannot_be_replaced() -> None:
    fields: dict[Field, FloatArray] = {"close": CLOSES.copy()}
    given = panel(fields=fields)
    fields["open"] = CLOSES
    assert list(given.fields) == ["close"]
    with pytest.raises(TypeError):
        given.fields["close"] = CLOSES  # type: ignore[index]  # the very thing that must fail


def test_active_is_member_and_has_a_close() -> None:
    assert_array_equal(panel().active, [[True, True], [True, False], [False, True]])


def test_prices_are_total_return_and_close_prices_are_as_traded() -> None:
    assert_array_equal(panel().prices, [[10, 20], [11, NAN], [24, 22]])
    assert_array_equal(panel().close_prices, CLOSES)


def test_prices_until_a_row_are_those_up_to_it() -> None:
    panel = random_panel(3, n_dates=9, n_assets=2)
    assert_array_equal(panel.prices_until(4), panel.prices[:5])
    assert panel.prices_until(-1).shape == (0, 2)


def test_until_keeps_the_row_and_drops_what_follows_actions_included() -> None:
    before = panel().until(1)
    assert_array_equal(before.sessions, business_days(2))
    assert_array_equal(before.close_prices, CLOSES[:2])
    assert_array_equal(before.member, np.ones((2, 2)))
    assert before.actions.rows.size == 0
    assert before.tickers == ("AAA", "BBB")


def test_until_keeps_an_action_of_the_row_itself() -> None:
    assert_array_equal(panel().until(2).actions.rows, [2])


def test_between_counts_actions_from_its_first_session() -> None:
    part = panel().between(1, 3)
    assert_array_equal(part.sessions, business_days(3)[1:])
    assert_array_equal(part.actions.rows, [1])
    assert_array_equal(part.prices[1] / part.prices[0], [24 / 11, NAN])


def test_every_field_is_cut() -> None:
    given = replace(panel(), fields={"close": CLOSES.copy(), "volume": CLOSES * 10})
    assert_array_equal(given.between(0, 1).field("volume"), [[100, 200]])


def test_columns_come_in_the_order_asked_for() -> None:
    assert_array_equal(panel().columns_of(["BBB", "AAA", "BBB"]), [1, 0, 1])


def test_no_ticker_has_no_column_and_can_still_index() -> None:
    columns = panel().columns_of([])
    assert CLOSES[:, columns].shape == (3, 0)


def test_a_ticker_that_is_not_there_is_named_with_the_parameter() -> None:
    with pytest.raises(PanelError, match="defensive: ticker 'XYZ' is not in the universe"):
        panel().columns_of(["AAA", "XYZ"], parameter="defensive")
