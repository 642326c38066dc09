"""What is remembered is computed once, cannot be written, and never takes more memory than it may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from strategy.panel import FloatArray
from strategy.remembered import Remembered


class Made:
    """Arrays of ten floats, counted."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def get(self, remembered: Remembered, key: str, size: int = 10) -> FloatArray:
        def compute() -> FloatArray:
            self.keys.append(key)
            return np.full(size, float(len(self.keys)))

        return remembered.get(key, compute)


def test_an_array_is_computed_once_for_each_key_and_cannot_be_written() -> None:
    made, remembered = Made(), Remembered(1_000)
    first = made.get(remembered, "a")
    assert made.get(remembered, "b") is not first
    assert made.get(remembered, "a") is first
    assert made.keys == ["a", "b"]
    assert remembered.n_bytes == 160
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0.0


def test_what_was_asked_for_least_recently_is_forgotten_first() -> None:
    made, remembered = Made(), Remembered(160)
    for key in ("a", "b", "a", "c"):  # b goes, since a was asked for after it
        made.get(remembered, key)
    assert remembered.n_bytes == 160
    for key in ("a", "c", "b"):
        made.get(remembered, key)
    assert made.keys == ["a", "b", "c", "b"]


def test_what_is_larger_by_itself_is_handed_out_and_displaces_nothing() -> None:
    made, remembered = Made(), Remembered(160)
    made.get(remembered, "a")
    assert made.get(remembered, "large", 21).size == 21
    made.get(remembered, "a")
    made.get(remembered, "large", 21)
    assert made.keys == ["a", "large", "large"]
    assert remembered.n_bytes == 80


def test_threads_that_ask_at_once_all_get_the_array_and_it_is_counted_once() -> None:
    remembered = Remembered(1_000)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: remembered.get("a", lambda: np.arange(10.0)), range(200)))
    assert all(array.tolist() == list(range(10)) for array in found)
    assert remembered.n_bytes == 80
