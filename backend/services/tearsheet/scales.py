"""Axes: where a value lies on paper, and which values are marked."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LEAST_TICKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis from `low` to `high`, drawn from `begin` to `end` (px); `is_log` needs values above zero."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Place of a value, px."""
        turn: Callable[[float], float] = math.log if self.is_log else float
        low, high = turn(self.low), turn(self.high)
        return self.begin + (turn(value) - low) / (high - low) * (self.end - self.begin)


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """About `n` round values (1, 2 or 5 times a power of ten) within the bounds."""
    step = _round_step((high - low) / n)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within the bounds, or round values where those are too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]
    return found if len(found) >= _LEAST_TICKS else [value for value in ticks(low, high) if value > 0]


def date_ticks(first: dt.date, last: dt.date, *, most: int = 9) -> list[tuple[dt.date, str]]:
    """At most `most` beginnings of years, or of months where there are few years, each with its text."""
    years = [dt.date(year, 1, 1) for year in range(first.year, last.year + 1)]
    years = [day for day in years if first <= day]
    if len(years) >= _LEAST_TICKS:
        step = math.ceil(len(years) / most)
        return [(day, str(day.year)) for day in years[::step]]
    months = [dt.date(number // 12, number % 12 + 1, 1) for number in range(_months(first), _months(last) + 1)]
    months = [day for day in months if first <= day] or [first]
    step = math.ceil(len(months) / most)
    return [(day, day.isoformat()[:7]) for day in months[::step]]


def bounds(values: Sequence[float], *, zero: bool = False) -> tuple[float, float]:
    """Least and greatest value, zero among them if asked; a single value gets room on both sides."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        room = abs(low) / 10 or 1.0
        return (low - room, high + room)
    return low, high


def _round_step(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    # The nearest by ratio: between 1 and 2 the border is the root of 2, and so on.
    digit = next(digit for digit, border in ((1, 2), (2, 10), (5, 50), (10, 100)) if (size / power) ** 2 < border)
    return digit * power


def _months(day: dt.date) -> int:
    return day.year * 12 + day.month - 1
