"""Dated membership as a matrix."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from strategy.universe import member_matrix
from support.panels import business_days

SESSIONS = business_days(6, "2024-01-01")  # Monday the 1st to Monday the 8th
Stay = tuple[int, str, str | None]


def members(*stays: Stay, n_assets: int = 2) -> list[list[int]]:
    """A row of ones and zeros for each asset."""
    found = member_matrix(
        SESSIONS,
        n_assets,
        columns=np.array([column for column, _, _ in stays], dtype=np.intp),
        start_dates=np.array([start for _, start, _ in stays], dtype="datetime64[D]"),
        end_dates=np.array([end or "NaT" for _, _, end in stays], dtype="datetime64[D]"),
    )
    assert found.dtype == np.bool_
    rows: list[list[int]] = found.astype(int).T.tolist()
    return rows


def test_both_ends_of_a_stay_belong_to_it() -> None:
    assert members((0, "2024-01-02", "2024-01-04")) == [[0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]]


def test_a_stay_without_an_end_lasts() -> None:
    assert members((1, "2024-01-05", None))[1] == [0, 0, 0, 0, 1, 1]


def test_who_leaves_may_come_back() -> None:
    assert members((0, "2023-01-01", "2024-01-01"), (0, "2024-01-08", None))[0] == [1, 0, 0, 0, 0, 1]


def test_stays_that_overlap_are_one() -> None:
    assert members((0, "2024-01-01", "2024-01-04"), (0, "2024-01-03", "2024-01-05"))[0] == [1, 1, 1, 1, 1, 0]


def test_a_weekend_holds_no_session() -> None:
    assert members((0, "2024-01-06", "2024-01-07"))[0] == [0, 0, 0, 0, 0, 0]


def test_a_ticker_that_is_not_asked_for_is_left_out() -> None:
    assert members((-1, "2024-01-01", None)) == [[0] * 6] * 2


def test_nobody_belongs_where_there_are_no_stays() -> None:
    assert members() == [[0] * 6] * 2


@given(
    stays=st.lists(
        st.tuples(st.integers(0, 2), st.integers(-3, 12), st.one_of(st.none(), st.integers(-3, 12))), max_size=8
    )
)
def test_it_is_what_asking_each_session_gives(stays: list[tuple[int, int, int | None]]) -> None:
    first = np.datetime64("2024-01-01")
    dated = [(column, str(first + start), None if end is None else str(first + end)) for column, start, end in stays]
    dated = [stay for stay in dated if stay[2] is None or stay[1] <= stay[2]]
    expected = [
        [
            int(any(column == asset and start <= str(day) <= (end or "9999") for column, start, end in dated))
            for day in SESSIONS
        ]
        for asset in range(3)
    ]
    assert members(*dated, n_assets=3) == expected
