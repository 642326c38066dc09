"""Trying again: only what may pass by itself, ever longer apart, and never longer than a vendor asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from backend.ingest.errors import RateLimitError, SourceError

T = TypeVar("T")

#: Full jitter: a random wait up to a limit that doubles with every attempt, in seconds.
_ORDINARY = wait_random_exponential(multiplier=0.5, max=30.0)
_RATE_LIMITED = wait_random_exponential(multiplier=2.0, max=60.0)


async def with_retry(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int = 4,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Result of the call, tried up to `attempts` times while it fails with a transient `SourceError`.

    RATE_LIMIT waits longer than TIMEOUT and NETWORK, and at least as long as the vendor's Retry-After says. Any other
    error, and the last transient one, is raised unchanged.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(_is_transient),
        stop=stop_after_attempt(attempts),
        wait=_wait_s,
        sleep=sleep,
        reraise=True,
    )

    async def attempt() -> T:
        return await call()

    return await retrying(attempt)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, SourceError) and error.is_transient


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RateLimitError):
        return max(_RATE_LIMITED(state), error.retry_after_s or 0.0)
    return _ORDINARY(state)
