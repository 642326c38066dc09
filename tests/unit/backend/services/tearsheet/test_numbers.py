"""Numbers as people read them."""

from __future__ import annotations

import pytest

from backend.services.tearsheet.numbers import amount, axis_percent, compact, direction, metric_text, percent, ratio


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (percent(0.1234), "12.3\u00a0%"),
        (percent(0.1234, signed=True), "+12.3\u00a0%"),
        (percent(-0.0012), "\u22120.12\u00a0%"),
        (percent(-0.000001), "0.00\u00a0%"),  # rounds to nothing, so it has no direction
        (percent(12.5), "1,250\u00a0%"),
        (percent(None), "\u2013"),
        (ratio(1.00763), "1.008"),
        (ratio(12345.6), "12,346"),
        (ratio(0), "0"),
        (amount(1234.5), "1,234.50"),
        (amount(123456.7), "123,457"),
        (compact(9_616_100.0), "9.62\u00a0M"),
        (compact(850.0), "850"),
        (axis_percent(-0.1), "\u221210\u00a0%"),
    ],
)
def test_numbers_round_as_on_the_page(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("key", "unit", "value", "text", "colour"),
    [
        ("cagr", "fraction", 0.05, "+5.0\u00a0%", "gain"),
        ("max_drawdown", "fraction", -0.2, "\u221220.0\u00a0%", "loss"),
        ("volatility", "fraction", 0.2, "20.0\u00a0%", ""),
        ("final_equity", "currency", 1000.0, "1,000.00\u00a0AUD", ""),
        ("longest_drawdown", "sessions", 1200.0, "1,200", ""),
        ("drawdown_peak", "date", "2020-02-19", "2020-02-19", ""),
        ("sortino", "ratio", None, "\u2013", ""),
    ],
)
def test_a_figure_is_written_with_its_unit_and_only_a_change_has_a_colour(
    key: str, unit: str, value: object, text: str, colour: str
) -> None:
    metric = {"key": key, "unit": unit, "value": value}
    assert metric_text(metric, "AUD") == text
    assert direction(metric) == colour
