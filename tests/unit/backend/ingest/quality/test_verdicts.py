"""Verdicts on series: each rule by a series made by hand, and what holds of any series."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ingest.quality.currency import is_wrong_currency
from backend.ingest.quality.rules import DEFAULT, RULES, VERDICTS
from backend.ingest.quality.series import FloatArray, series_of
from backend.ingest.quality.verdicts import rule_bits, verdict_columns, verdicts
from support.bars import DAY, Row, actions_of, bar, bars_of

Action = tuple[str, dt.date | None, str, float | None]


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(days=number)


def rows_of(closes: list[float], ticker: str = "A") -> list[Row]:
    """Bars of consecutive days with a range of 1 % either side."""
    return [
        bar(ticker, day(number), close, open=close, high=close * 1.01, low=close * 0.99)
        for number, close in enumerate(closes)
    ]


def flagged(rows: list[Row], *actions: Action, sessions: list[dt.date] | None = None) -> dict[int, list[str]]:
    """Rules of the rows that break any, by the number of the row."""
    calendar = None if sessions is None else np.array(sessions, dtype="datetime64[D]")
    bits = verdicts(series_of(bars_of(rows)), actions_of(actions), sessions=calendar)
    _, rules = verdict_columns(bits)
    return {number: names for number, names in enumerate(rules.to_pylist()) if names}


def each(numbers: Iterable[int], rule: str) -> dict[int, list[str]]:
    """The same rule, and no other, at each of the rows."""
    return {number: [rule] for number in numbers}


def quiet(n: int, price: float = 50.0) -> list[float]:
    """Closes that move by 1 % up and down."""
    return [price * (1.01 if number % 2 else 1.0) for number in range(n)]


# Units


def test_a_bar_a_hundred_times_too_high_is_a_unit_error_and_the_next_is_not() -> None:
    closes = quiet(12)
    closes[7] *= 100
    assert flagged(rows_of(closes)) == {7: ["unit_error"]}


def test_the_newest_bar_is_the_error_and_not_the_past_when_it_is_the_only_one() -> None:
    assert flagged(rows_of([*quiet(12), 0.505])) == {12: ["unit_error"]}


def test_the_newest_level_that_held_for_a_week_is_believed_and_the_past_is_the_error() -> None:
    prices = [*quiet(9, 5_000.0), *quiet(5), 5_000.0, *quiet(5)]
    assert flagged(rows_of(prices)) == each([*range(9), 14], "unit_error")


def test_a_level_that_was_left_for_good_may_have_been_consolidated() -> None:
    # AEZS made one share of a hundred on 2015-11-20: its past was no error, and must not be hidden.
    assert flagged(rows_of([*quiet(9), *quiet(5, 5_000.0)])) == {9: ["jump_without_action"]}


def test_bars_without_volume_are_no_evidence_of_a_level() -> None:
    rows = rows_of([*quiet(9), *quiet(9, 0.5)])
    for row in rows[9:]:
        row["volume"] = 0.0
    found = flagged(rows)
    assert [number for number, rules in found.items() if "unit_error" in rules] == list(range(9, 18))


def test_a_bar_that_mixes_units_is_a_unit_error_although_its_close_is_right() -> None:
    rows = rows_of(quiet(8))
    rows[4] |= {"low": 0.5}
    assert flagged(rows) == {4: ["unit_error"]}


def test_a_move_to_a_hundred_and_forty_times_is_a_jump_and_no_unit_error() -> None:
    # log(140 / 100) = 0.34, past the tolerance of 0.3.
    assert flagged(rows_of([*quiet(12), 50.0 * 140])) == {12: ["jump_without_action"]}


# Splits


def test_a_declared_split_is_no_jump() -> None:
    closes = [*quiet(10, 100.0), *quiet(10, 25.0)]
    assert flagged(rows_of(closes), ("A", day(10), "split", 4.0)) == {}


def test_a_split_on_a_day_without_a_bar_counts_at_the_next() -> None:
    rows = rows_of([*quiet(10, 100.0), *quiet(10, 25.0)])
    del rows[10]
    assert flagged(rows, ("A", day(10), "split", 4.0)) == {}


def test_a_split_that_was_applied_twice_puts_the_bars_before_it_off() -> None:
    # As traded 100 before a split of 4; a vendor that undid it twice gives 400.
    assert flagged(rows_of([*quiet(10, 400.0), *quiet(10, 25.0)]), ("A", day(10), "split", 4.0)) == each(
        range(10), "bad_split"
    )


def test_a_split_that_was_not_undone_puts_the_bars_before_it_off() -> None:
    assert flagged(rows_of(quiet(20, 25.0)), ("A", day(10), "split", 4.0)) == each(range(10), "bad_split")


def test_a_split_that_was_applied_days_early_puts_the_days_between_off() -> None:
    closes = [*quiet(7, 100.0), *quiet(3, 25.0), *quiet(10, 25.0)]
    assert flagged(rows_of(closes), ("A", day(10), "split", 4.0)) == each((7, 8, 9), "bad_split")


def test_a_jump_of_the_size_of_a_split_half_a_year_away_is_not_blamed_on_it() -> None:
    closes = [*quiet(20, 100.0), *quiet(180, 25.0), *quiet(20, 25.0 / 4)]
    found = flagged(rows_of(closes), ("A", day(200), "split", 4.0))
    assert found == {20: ["jump_without_action"]}


def test_a_crash_a_week_after_a_split_of_another_size_is_a_jump() -> None:
    closes = [*quiet(10, 100.0), *quiet(7, 50.0), *quiet(10, 35.0)]
    assert flagged(rows_of(closes), ("A", day(10), "split", 2.0)) == {17: ["jump_without_action"]}


# Jumps


def test_a_fall_by_half_that_nothing_explains_is_flagged_on_its_day_only() -> None:
    assert flagged(rows_of([*quiet(10), *quiet(10, 25.0)])) == {10: ["jump_without_action"]}


def test_the_way_back_from_a_jump_is_none() -> None:
    closes = quiet(12)
    closes[7] /= 2
    assert flagged(rows_of(closes)) == {7: ["jump_without_action"]}


def test_a_special_dividend_explains_the_fall_it_makes() -> None:
    closes = [*quiet(10, 100.0), *quiet(10, 60.0)]
    without = rows_of(closes)
    assert list(flagged(without)) == [10]
    for row in without:
        row["adjusted_close"] = None
    assert flagged(without, ("A", day(10), "dividend", 40.0)) == {}


def test_a_dividend_of_a_hundred_times_its_size_makes_no_jump_of_a_right_price() -> None:
    rows = [row | {"adjusted_close": None} for row in rows_of(quiet(20))]
    assert flagged(rows, ("A", day(10), "dividend", 60.0)) == {}


def test_a_jump_that_the_adjusted_close_does_not_make_is_an_action_that_we_do_not_know() -> None:
    rows = rows_of([*quiet(10, 100.0), *quiet(10, 35.0)])
    for row in rows[:10]:
        row["adjusted_close"] = row["close"] * 0.35
    assert flagged(rows) == {10: ["missing_action"]}


def test_adjusted_closes_of_two_answers_are_not_compared() -> None:
    rows = rows_of([*quiet(10, 100.0), *quiet(10, 35.0)])
    for row in rows[:10]:
        row["adjusted_close"] = row["close"] * 0.35
    series = series_of(bars_of(rows), answers=np.repeat([0, 1], 10))
    bits = verdicts(series, actions_of([("A", day(10), "dividend", 1.0)]))
    assert {VERDICTS[int(bit).bit_length() - 1] for bit in bits if bit} == {"jump_without_action"}


def test_a_volatile_share_may_move_more_than_a_quiet_one() -> None:
    calm, wild = quiet(30), [50.0 * (1.1 if number % 2 else 1.0) for number in range(30)]
    # 8 times 1.4826 times a move of log(1.1) is 1.13: a fall of 67 %.
    assert list(flagged(rows_of([*calm, 30.0]))) == [30]
    assert flagged(rows_of([*wild, 30.0])) == {}


# Adjusted closes


def with_dividend(paid: float, adjusted_for: float) -> dict[int, list[str]]:
    rows = rows_of([100.0] * 10)
    for row in rows[:5]:
        row["adjusted_close"] = 100.0 - adjusted_for
    return flagged(rows, ("A", day(5), "dividend", paid))


@pytest.mark.parametrize("adjusted_for", [2.0, 1.9, 2.1])
def test_an_adjusted_close_that_steps_by_about_the_dividend_is_right(adjusted_for: float) -> None:
    assert with_dividend(2.0, adjusted_for) == {}


@pytest.mark.parametrize("adjusted_for", [0.0, 0.02, 4.0], ids=["missing", "pence", "twice"])
def test_an_adjusted_close_that_does_not_step_by_the_dividend_is_flagged_at_its_ex_date(adjusted_for: float) -> None:
    assert with_dividend(2.0, adjusted_for) == {5: ["bad_dividend_adjustment"]}


def test_a_dividend_of_more_than_the_price_is_flagged() -> None:
    assert with_dividend(200.0, 2.0) == {5: ["bad_dividend_adjustment"]}


def test_a_dividend_too_small_to_see_through_rounding_is_let_go() -> None:
    assert with_dividend(0.1, 0.0) == {}


def test_a_dividend_on_the_day_of_a_split_is_cash_per_new_share() -> None:
    # 100 before, 2:1, then 49 and a dividend of 1: adjusted 50 * (1 - 1 * 2 / 100) = 49.
    rows = rows_of([100.0] * 5 + [49.0] * 5)
    for row in rows:
        row["adjusted_close"] = 49.0
    assert flagged(rows, ("A", day(5), "split", 2.0), ("A", day(5), "dividend", 1.0)) == {}


# Continuity


def idle(n: int, **changes: object) -> list[Row]:
    return [bar(date=day(number), close=11.0, open=11.0, high=11.0, low=11.0) | changes for number in range(n)]


def test_a_close_is_stale_from_its_fifth_repetition_on() -> None:
    assert flagged(idle(8)) == each((5, 6, 7), "stale_close")


def test_a_close_that_is_repeated_within_a_range_was_traded() -> None:
    assert flagged([bar(date=day(number)) for number in range(8)]) == {}


def test_closes_without_open_high_and_low_become_stale_too() -> None:
    rows = idle(6, open=None, high=None, low=None, volume=None)
    assert flagged(rows) == {5: ["stale_close"]}


def test_no_volume_is_suspect_where_there_is_some_otherwise() -> None:
    rows = rows_of(quiet(10))
    rows[0]["volume"] = rows[4]["volume"] = rows[9]["volume"] = 0.0
    assert flagged(rows) == each((0, 4, 9), "zero_volume")


def test_no_volume_is_nothing_in_a_ticker_that_never_has_any() -> None:
    assert flagged([row | {"volume": 0.0} for row in rows_of(quiet(10))]) == {}


def test_a_bar_after_a_session_without_one_says_so() -> None:
    rows = rows_of(quiet(10))
    sessions = [day(number) for number in (0, 1, 2, 3, 5, 6, 7, 8, 9)]
    # Left are days 1, 2, 3, 5, 8 and 9. Day 4 is no session, 6 and 7 are; before the first bar nothing is missing.
    del rows[6:8], rows[4], rows[0]
    assert flagged(rows, sessions=sessions) == {4: ["missing_session"]}


def test_outside_the_calendar_nothing_is_missing() -> None:
    rows = rows_of(quiet(10))[::3]
    assert flagged(rows, sessions=[day(-2), day(-1), day(0)]) == {}
    assert flagged(rows, sessions=[day(9), day(10)]) == {}
    assert flagged(rows, sessions=[]) == {}


# Currency


@pytest.mark.parametrize(
    ("stated", "expected", "is_wrong"),
    [
        ("USD", "USD", False),
        ("usd", "USD", False),
        ("GBp", "GBX", False),
        ("GBp", "GBP", True),
        ("GBP", "GBX", True),
        ("AUD", "USD", True),
        (None, "USD", False),
        ("USD", None, False),
        ("", "USD", False),
    ],
)
def test_pence_and_pounds_are_two_currencies(stated: str | None, expected: str | None, is_wrong: bool) -> None:  # noqa: FBT001
    assert is_wrong_currency(stated, expected) == is_wrong


# Columns


def test_quality_is_that_of_the_worst_rule_and_rules_come_in_the_order_of_the_table() -> None:
    bits = np.array([0, rule_bits(["zero_volume", "unit_error"]), rule_bits(["stale_close"])], dtype=np.int64)
    quality, rules = verdict_columns(bits)
    assert quality.to_pylist() == ["good", "bad", "suspect"]
    assert rules.to_pylist() == [[], ["unit_error", "zero_volume"], ["stale_close"]]


def test_a_rule_of_another_version_has_no_bit() -> None:
    assert rule_bits(["zero_volume", "forgotten"]) == rule_bits(["zero_volume"]) != 0


def test_no_bars_have_no_verdicts() -> None:
    assert flagged([], ("A", day(1), "split", 2.0), sessions=[day(0)]) == {}
    assert verdict_columns(np.empty(0, dtype=np.int64))[1].to_pylist() == []


@pytest.mark.parametrize(
    "rows",
    [
        [bar("A", day(1)), bar("A", day(0))],
        [bar("A", day(0)), bar("A", day(0))],
        [bar("A", day(0)), bar("B", day(0)), bar("A", day(1))],
    ],
    ids=["backwards", "twice", "apart"],
)
def test_bars_in_disorder_are_refused(rows: list[Row]) -> None:
    with pytest.raises(ValueError, match="must stand together"):
        series_of(bars_of(rows))


def test_every_rule_has_a_severity_and_a_sentence() -> None:
    assert {rule.severity for rule in RULES.values()} == {"quarantined", "bad", "suspect"}
    assert all(rule.says.endswith(".") for rule in RULES.values())


def test_no_rule_looks_back_further_than_the_context() -> None:
    assert max(DEFAULT.scale_bars, DEFAULT.return_bars, DEFAULT.stale_bars) < DEFAULT.context_bars


# What holds of any series


def random_walk(seed: int, n: int, *, scale: float = 0.02) -> FloatArray:
    # Moves are cut at four standard deviations: beyond, a walk may well jump.
    steps = np.clip(np.random.default_rng(seed).normal(0, scale, n), -4 * scale, 4 * scale)
    return 100 * np.exp(np.cumsum(steps))


@settings(deadline=None)  # the time of a case depends on what else the machine does
@given(seed=st.integers(0, 2**32 - 1), ratio=st.sampled_from([2.0, 3.0, 1.5, 0.1, 20.0, 100.0]), at=st.integers(1, 99))
def test_a_random_walk_with_its_actions_declared_breaks_no_rule(seed: int, ratio: float, at: int) -> None:
    closes = random_walk(seed, 100)
    closes[at:] /= ratio
    assert flagged(rows_of(closes.tolist()), ("A", day(at), "split", ratio)) == {}


@settings(deadline=None)  # the time of a case depends on what else the machine does
@given(seed=st.integers(0, 2**32 - 1), at=st.integers(6, 94), factor=st.sampled_from([100.0, 0.01]))
def test_a_bar_times_a_hundred_is_found_and_no_other(seed: int, at: int, factor: float) -> None:
    closes = random_walk(seed, 100)
    closes[at] *= factor
    assert flagged(rows_of(closes.tolist())) == {at: ["unit_error"]}


@settings(deadline=None)  # the time of a case depends on what else the machine does
@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(["A", "B", "C"]))
def test_a_ticker_is_judged_as_if_it_were_alone(seed: int, order: list[str]) -> None:
    rows = {name: rows_of(dirty_walk(seed + number), name) for number, name in enumerate(("A", "B", "C"))}
    alone = {name: verdicts(series_of(bars_of(rows[name])), actions_of([])).tolist() for name in rows}
    together = verdicts(series_of(bars_of([row for name in order for row in rows[name]])), actions_of([]))
    assert together.tolist() == [bit for name in order for bit in alone[name]]


def dirty_walk(seed: int, n: int = 90) -> list[float]:
    """A walk with repeats, a jump, a bar of another unit and one of a misplaced split, wherever they fall."""
    random = np.random.default_rng(seed)
    closes = random_walk(seed, n, scale=0.01)
    repeats = int(random.integers(0, n - 8))
    closes[repeats : repeats + 8] = closes[repeats]
    closes[int(random.integers(0, n)) :] *= random.choice([0.4, 1.0, 2.5])
    closes[int(random.integers(0, n))] *= random.choice([100.0, 0.01, 1.0])
    return [float(close) for close in closes]


@settings(deadline=None)  # the time of a case depends on what else the machine does
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(31, 60), n_new=st.integers(1, 20))
def test_a_run_with_thirty_bars_of_context_judges_new_bars_as_a_run_of_everything(
    seed: int, first: int, n_new: int
) -> None:
    rows = rows_of(dirty_walk(seed))[: first + n_new]
    random = np.random.default_rng(seed)
    for row in rows:
        if random.random() < 0.1:
            row |= {"volume": 0.0, "high": row["close"], "low": row["close"]}
    full = verdicts(series_of(bars_of(rows)), actions_of([]))
    delta = verdicts(series_of(bars_of(rows[first - DEFAULT.context_bars :])), actions_of([]))
    assert delta[-n_new:].tolist() == full[-n_new:].tolist()


@given(values=st.lists(st.floats(5e-324, 9e14), min_size=1, max_size=40))
def test_any_positive_closes_can_be_judged(values: list[float]) -> None:
    rows = [
        bar(date=day(number), close=close, open=close, high=close, low=close) for number, close in enumerate(values)
    ]
    bits = verdicts(
        series_of(bars_of(rows)), actions_of([("A", day(1), "split", 1e300), ("A", day(2), "dividend", 1e14)])
    )
    assert len(bits) == len(values)
    assert math.isfinite(float(bits.sum()))
