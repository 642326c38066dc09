"""Numbers as the sheet shows them, the way the page does. Only these functions round."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Shown where there is no value: undefined for this result.
NONE = "\u2013"
_SPACE, _MINUS = "\u00a0", "\u2212"
_WHOLE_MONEY = 100_000
_SIGNIFICANT = 4
_SIZES = ((1e9, "bn"), (1e6, "M"), (1e3, "k"))
_NAMES = {
    "cagr": "CAGR",
    "n_orders": "Orders",
    "excess_cagr": "CAGR above benchmark",
    "drawdown_peak": "Drawdown began",
    "drawdown_trough": "Drawdown low",
    "drawdown_recovery": "Drawdown made good",
    "benchmark_cagr": "Benchmark CAGR",
    "value_at_risk_95": "Value at risk, 95 %",
    "expected_shortfall_95": "Expected shortfall, 95 %",
    "periods_per_year": "Sessions a year",
}
#: A change has a direction, so it shows its sign; a level has none.
_CHANGES = ("return", "cagr", "drawdown", "session", "month", "alpha", "win", "loss")


def percent(value: float | None, *, signed: bool = False) -> str:
    """0.1234 is "12.3 %"; small ones keep two decimals, large ones none."""
    if value is None:
        return NONE
    size = abs(value * 100)
    decimals = 2 if 0 < size < 1 else 1 if size < 100 else 0  # noqa: PLR2004  said above
    return f"{_digits(value * 100, decimals, signed=signed)}{_SPACE}%"


def axis_percent(value: float) -> str:
    """A round value beside an axis: 0.05 is "5 %"."""
    return f"{axis_ratio(value * 100)}{_SPACE}%"


def axis_ratio(value: float) -> str:
    """A round value beside an axis, without the digits that it does not need."""
    return f"{value:.6g}".replace("-", _MINUS)


def amount(value: float | None) -> str:
    """Money under a heading that names its currency: whole units from a hundred thousand on, cents below."""
    return NONE if value is None else _digits(value, 0 if abs(value) >= _WHOLE_MONEY else 2)


def count(value: float | None) -> str:
    """A whole number with commas."""
    return NONE if value is None else _digits(value, 0)


def compact(value: float | None) -> str:
    """Large amounts in a narrow place: 9616100 is "9.62 M"."""
    if value is None:
        return NONE
    size, name = next((it for it in _SIZES if abs(value) >= it[0]), (1.0, ""))
    return f"{value / size:,.3g}{_SPACE}{name}".rstrip(_SPACE) if name else count(value)


def ratio(value: float | None, *, signed: bool = False) -> str:
    """Four significant digits, and never fewer before the point than there are."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    before = max(0, math.floor(math.log10(abs(value))) + 1)
    return _digits(value, max(0, _SIGNIFICANT - before), signed=signed)


def metric_name(key: str) -> str:
    """What people call a figure."""
    words = key.replace("_", " ")
    return _NAMES.get(key, words[:1].upper() + words[1:])


def direction(metric: Mapping[str, Any]) -> str:  # Any: JSON values
    """Class of a figure: "gain" or "loss" where it is a change, else nothing."""
    value = metric["value"]
    if not isinstance(value, int | float) or not _is_change(metric) or value == 0:
        return ""
    return "gain" if value > 0 else "loss"


def metric_text(metric: Mapping[str, Any], currency: str) -> str:  # Any: JSON values
    """A figure with its unit."""
    value, unit = metric["value"], metric["unit"]
    if value is None or isinstance(value, str):
        return NONE if value is None else value
    signed = _is_change(metric)
    if unit == "fraction":
        return percent(value, signed=signed)
    if unit == "currency":
        return f"{amount(value)}{_SPACE}{currency}"
    if unit in {"count", "sessions"}:
        return count(value)
    return ratio(value, signed=signed)


def _is_change(metric: Mapping[str, Any]) -> bool:  # Any: JSON values
    return metric["unit"] == "fraction" and str(metric["key"]).endswith(_CHANGES)


def _digits(value: float, decimals: int, *, signed: bool = False) -> str:
    text = f"{abs(value):,.{decimals}f}"
    # A value that rounds to nothing has no direction.
    if not any(digit in "123456789" for digit in text):
        return text
    return (_MINUS if value < 0 else "+" if signed else "") + text
