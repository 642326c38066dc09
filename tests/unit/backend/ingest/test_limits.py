"""Turns of a vendor, on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingest.limits import Limit, RateLimiter
from support.time import Time

HOUR = 3600.0


async def moments_of(limits: list[Limit], n_turns: int, *, at_once: int) -> list[float]:
    """When each of so many turns was taken, in seconds from the start; `at_once` callers at a time."""
    time = Time(0.0)
    limiter = RateLimiter(limits, clock=time, sleep=time.sleep)
    taken: list[float] = []
    waiting = iter(range(n_turns))

    async def caller() -> None:
        for _ in waiting:
            assert await limiter.turn(patience_s=1e9)
            taken.append(time.now)

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return taken


async def test_without_limits_nobody_waits() -> None:
    assert await moments_of([], 1000, at_once=10) == [0.0] * 1000


async def test_a_window_that_is_full_opens_again_when_its_oldest_turn_leaves_it() -> None:
    # Three at once, and three more a second later, and so on.
    moments = await moments_of([Limit(requests=3, period_s=1.0)], 8, at_once=5)
    assert moments == [0.0] * 3 + [1.0] * 3 + [2.0] * 2


async def test_all_limits_hold_together() -> None:
    limits = [Limit(requests=2, period_s=1.0), Limit(requests=5, period_s=60.0)]
    assert await moments_of(limits, 7, at_once=1) == [0.0, 0.0, 1.0, 1.0, 2.0, 60.0, 60.0]


@given(
    requests=st.integers(1, 6),
    period_s=st.sampled_from([1.0, 7.0, 60.0]),
    n_turns=st.integers(0, 30),
    at_once=st.integers(1, 8),
)
def test_no_span_of_the_period_ever_holds_more_turns_than_allowed(
    requests: int, period_s: float, n_turns: int, at_once: int
) -> None:
    limit = Limit(requests=requests, period_s=period_s)
    moments = asyncio.run(moments_of([limit], n_turns, at_once=at_once))
    assert len(moments) == n_turns
    assert all(later - moments[index] >= period_s for index, later in enumerate(moments[requests:]))
    # And nobody waits longer than that takes.
    assert moments == [period_s * (index // requests) for index in range(n_turns)]


async def test_fifty_an_hour_are_not_nearly_a_hundred_in_the_first() -> None:
    moments = await moments_of([Limit(requests=50, period_s=HOUR)], 100, at_once=8)
    assert sum(moment < HOUR for moment in moments) == 50


async def test_a_pause_holds_up_those_who_wait_already() -> None:
    time = Time(0.0)
    limiter = RateLimiter([Limit(requests=1, period_s=10.0)], clock=time, sleep=time.sleep)
    taken: list[float] = []

    async def caller() -> None:
        assert await limiter.turn(patience_s=1e9)
        taken.append(time.now)

    async def pausing() -> None:
        await time.sleep(5.0)
        limiter.pause(30.0)

    await asyncio.gather(caller(), caller(), pausing())
    assert taken == [0.0, 35.0]


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    time = Time(0.0)
    limiter = RateLimiter(clock=time, sleep=time.sleep)
    limiter.pause(30.0)
    limiter.pause(5.0)
    assert limiter.next_turn() == 30.0


async def test_a_turn_that_is_too_far_away_is_refused_at_once_and_costs_none() -> None:
    time = Time(0.0)
    limiter = RateLimiter([Limit(requests=1, period_s=HOUR)], clock=time, sleep=time.sleep)
    assert await limiter.turn(patience_s=60.0)
    assert not await limiter.turn(patience_s=60.0)
    assert (time.slept, limiter.next_turn()) == ([], HOUR)
    time.now = HOUR
    assert await limiter.turn(patience_s=60.0)


async def test_who_is_cancelled_while_waiting_takes_no_turn() -> None:
    time = Time(0.0)
    limiter = RateLimiter([Limit(requests=1, period_s=10.0)], clock=time, sleep=lambda _: asyncio.sleep(HOUR))
    assert await limiter.turn(patience_s=60.0)
    waiting = asyncio.create_task(limiter.turn(patience_s=60.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert limiter.next_turn() == 10.0
