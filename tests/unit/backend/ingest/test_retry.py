"""The retry policy, with a sleep that only writes down how long it was asked for."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from backend.ingest.errors import (
    BadDataError,
    DelistedError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
)
from backend.ingest.retry import with_retry

TRANSIENT = [
    RateLimitError("vendor", "AAPL", "slow down"),
    SourceTimeoutError("vendor", "AAPL", "no answer"),
    NetworkError("vendor", "AAPL", "refused"),
]
LASTING = [
    TickerNotFoundError("vendor", "AAPL", "unknown"),
    DelistedError("vendor", "AAPL", "gone"),
    BadDataError("vendor", "AAPL", "not JSON"),
    SourceSettingsError("KEY", None, "missing"),
    ValueError("a defect of ours"),
]


class Calls:
    """A call that fails with the given errors, one after the other, and then gives 7."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.count = 0

    async def __call__(self) -> int:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)
        return 7


def recording(waits_s: list[float]) -> Callable[[float], Awaitable[None]]:
    async def sleep(wait_s: float) -> None:
        waits_s.append(wait_s)

    return sleep


async def waits_of(error: SourceError, *, n_failures: int) -> list[float]:
    waits_s: list[float] = []
    await with_retry(Calls(*[error] * n_failures), attempts=n_failures + 1, sleep=recording(waits_s))
    return waits_s


async def test_a_call_that_succeeds_is_made_once_without_waiting() -> None:
    call, waits_s = Calls(), list[float]()
    assert await with_retry(call, sleep=recording(waits_s)) == 7
    assert (call.count, waits_s) == (1, [])


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: type(error).__name__)
async def test_a_transient_error_is_tried_again_until_the_call_succeeds(error: SourceError) -> None:
    call, waits_s = Calls(error, error), list[float]()
    assert await with_retry(call, sleep=recording(waits_s)) == 7
    assert (call.count, len(waits_s)) == (3, 2)


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
async def test_any_other_error_is_raised_at_once_and_unchanged(error: Exception) -> None:
    call, waits_s = Calls(error), list[float]()
    with pytest.raises(type(error)) as caught:
        await with_retry(call, sleep=recording(waits_s))
    assert caught.value is error
    assert (call.count, waits_s) == (1, [])


async def test_the_last_error_is_raised_unchanged_after_four_attempts() -> None:
    errors = [NetworkError("vendor", "AAPL", f"failure {number}") for number in range(5)]
    call = Calls(*errors)
    with pytest.raises(NetworkError) as caught:
        await with_retry(call, sleep=recording([]))
    assert caught.value is errors[3]
    assert call.count == 4


async def test_the_number_of_attempts_can_be_chosen() -> None:
    call = Calls(*TRANSIENT)
    with pytest.raises(SourceTimeoutError):
        await with_retry(call, attempts=2, sleep=recording([]))
    assert call.count == 2


async def test_a_lasting_error_after_a_transient_one_ends_the_attempts() -> None:
    call = Calls(TRANSIENT[2], LASTING[0])
    with pytest.raises(TickerNotFoundError):
        await with_retry(call, sleep=recording([]))
    assert call.count == 2


# The limits double from the base and stop at the cap: by hand for the first waits.
@pytest.mark.parametrize(
    ("error", "limits_s"),
    [
        (TRANSIENT[2], [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
        (TRANSIENT[1], [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
        (TRANSIENT[0], [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
    ],
    ids=["network", "timeout", "rate limit"],
)
async def test_waits_fill_the_span_from_zero_to_a_limit_that_doubles(error: SourceError, limits_s: list[float]) -> None:
    random.seed(20260101)
    runs = [await waits_of(error, n_failures=len(limits_s)) for _ in range(300)]
    for waits_s, limit_s in zip(zip(*runs, strict=True), limits_s, strict=True):
        assert max(waits_s) <= limit_s
        # Of 300 even draws, one falls in each outer tenth of the span but for a chance of 0.9 ** 300 = 2e-14.
        assert min(waits_s) < 0.1 * limit_s
        assert max(waits_s) > 0.9 * limit_s


async def test_the_vendors_own_wait_is_honoured_when_it_is_longer() -> None:
    asked = RateLimitError("vendor", "AAPL", "slow down", retry_after_s=120.0)
    assert await waits_of(asked, n_failures=2) == [120.0, 120.0]


async def test_the_vendors_own_wait_never_shortens_ours() -> None:
    random.seed(20260101)
    asked = RateLimitError("vendor", "AAPL", "slow down", retry_after_s=0.0)
    assert max(await waits_of(asked, n_failures=5)) > 2.0
