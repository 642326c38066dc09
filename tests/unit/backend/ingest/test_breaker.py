"""The breaker: closed, open, and half open with one request on its way."""

from __future__ import annotations

from backend.ingest.breaker import CircuitBreaker
from support.time import Time


def opened(time: Time) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, rest_s=60.0, clock=time)
    for _ in range(3):
        assert breaker.admit()
        breaker.fail()
    return breaker


def test_it_opens_at_the_last_of_so_many_failures_in_a_row() -> None:
    time = Time(0.0)
    breaker = CircuitBreaker(failures=3, rest_s=60.0, clock=time)
    for _ in range(2):
        breaker.fail()
    assert breaker.admit()
    breaker.fail()
    assert not breaker.admit()
    assert breaker.open_until == 60.0


def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = CircuitBreaker(failures=3, clock=Time(0.0))
    for _ in range(5):
        breaker.fail()
        breaker.fail()
        breaker.succeed()
    assert breaker.admit()


def test_after_the_rest_one_request_is_let_through_and_no_other() -> None:
    time = Time(0.0)
    breaker = opened(time)
    time.now = 59.9
    assert not breaker.admit()
    time.now = 60.0
    assert [breaker.admit() for _ in range(3)] == [True, False, False]


def test_a_probe_that_succeeds_closes_it() -> None:
    time = Time(0.0)
    breaker = opened(time)
    time.now = 60.0
    assert breaker.admit()
    breaker.succeed()
    assert [breaker.admit() for _ in range(3)] == [True] * 3
    # And again it takes three failures.
    breaker.fail()
    assert breaker.admit()


def test_a_probe_that_fails_opens_it_for_another_rest() -> None:
    time = Time(0.0)
    breaker = opened(time)
    time.now = 70.0
    assert breaker.admit()
    breaker.fail()
    assert not breaker.admit()
    assert breaker.open_until == 130.0


def test_a_probe_that_tells_nothing_leaves_the_next_one_to_tell() -> None:
    time = Time(0.0)
    breaker = opened(time)
    time.now = 60.0
    assert breaker.admit()
    breaker.abandon()
    assert breaker.admit()


def test_failures_of_requests_that_were_on_their_way_do_not_prolong_the_rest() -> None:
    time = Time(0.0)
    breaker = opened(time)
    time.now = 30.0
    breaker.fail()
    assert breaker.open_until == 60.0
