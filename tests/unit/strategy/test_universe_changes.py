"""Stays in a universe, and changes of them, by hand and by their properties."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.errors import MembershipError
from strategy.universe import MemberChange, Membership, changed_stays, members_on, overlaps

JANUARY = dt.date(2024, 1, 1)


def day(number: int) -> dt.date:
    return JANUARY + dt.timedelta(days=number - 1)


def stay(ticker: str, start: int, end: int | None = None) -> Membership:
    return Membership(ticker=ticker, start_date=day(start), end_date=None if end is None else day(end))


def joins(ticker: str, number: int) -> MemberChange:
    return MemberChange(ticker=ticker, date=day(number), joins=True)


def leaves(ticker: str, number: int) -> MemberChange:
    return MemberChange(ticker=ticker, date=day(number), joins=False)


def test_both_ends_of_a_stay_belong_to_it() -> None:
    stays = [stay("A", 2, 4), stay("A", 8), stay("B", 5)]
    assert [members_on(stays, day(number)) for number in (1, 2, 4, 7)] == [[], stays[:1], stays[:1], stays[2:]]


def test_stays_that_share_a_day_overlap_and_adjacent_ones_do_not() -> None:
    first, next_day, same_day, open_ended = stay("A", 1, 3), stay("A", 4, 6), stay("A", 6, 8), stay("B", 1)
    assert overlaps([next_day, first, open_ended]) == []
    assert overlaps([same_day, first, next_day]) == [(next_day, same_day)]
    assert overlaps([open_ended, stay("B", 9)]) == [(open_ended, stay("B", 9))]


def test_who_leaves_was_in_until_the_day_before() -> None:
    assert changed_stays([stay("A", 1)], [leaves("A", 5), joins("B", 5)]) == [stay("A", 1, 4), stay("B", 5)]


def test_a_ticker_may_leave_and_come_back() -> None:
    changes = [joins("A", 9), leaves("A", 5), joins("A", 1), leaves("A", 12)]  # in any order
    assert changed_stays([], changes) == [stay("A", 1, 4), stay("A", 9, 11)]


def test_who_leaves_on_the_day_of_joining_was_never_in() -> None:
    assert changed_stays([stay("A", 5), stay("B", 1)], [leaves("A", 5)]) == [stay("B", 1)]


def test_every_impossible_change_is_named() -> None:
    with pytest.raises(MembershipError) as caught:
        changed_stays([stay("A", 1), stay("B", 1, 3)], [joins("A", 4), leaves("B", 9), leaves("C", 2)])
    assert caught.value.problems == (
        "C on 2024-01-02: cannot leave, it is no member then",
        "A on 2024-01-04: cannot join, it is a member from 2024-01-01 on",
        "B on 2024-01-09: cannot leave, it is no member then",
    )


#: Ticker and the days on which it joins and leaves in turn.
TURNS = st.dictionaries(st.sampled_from("ABCD"), st.sets(st.integers(1, 60), max_size=6).map(sorted), max_size=4)


def alternating(turns: dict[str, list[int]]) -> list[MemberChange]:
    return [
        joins(ticker, number) if place % 2 == 0 else leaves(ticker, number)
        for ticker, numbers in turns.items()
        for place, number in enumerate(numbers)
    ]


@given(turns=TURNS, number=st.integers(0, 61))
def test_members_on_a_day_are_those_whose_last_change_was_joining(turns: dict[str, list[int]], number: int) -> None:
    stays = changed_stays([], alternating(turns))
    expected = [ticker for ticker in sorted(turns) if sum(it <= number for it in turns[ticker]) % 2 == 1]
    assert [member.ticker for member in members_on(stays, day(number))] == expected
    assert overlaps(stays) == []


@given(turns=TURNS)
def test_a_list_of_changes_may_be_applied_again(turns: dict[str, list[int]]) -> None:
    changes = alternating(turns)
    once = changed_stays([], changes)
    assert changed_stays(once, changes) == once
