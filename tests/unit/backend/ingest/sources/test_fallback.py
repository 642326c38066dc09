"""Several vendors in order: who gives a ticker, and what is said of those who did not."""

from __future__ import annotations

import asyncio

import pytest

from backend.ingest.breaker import CircuitBreaker
from backend.ingest.errors import (
    AllSourcesFailedError,
    BadDataError,
    DelistedError,
    NetworkError,
    RateLimitError,
    SourceError,
    SourceSettingsError,
    TickerNotFoundError,
)
from backend.ingest.limits import RateLimiter
from backend.ingest.sources.contract import FetchRequest, PriceSource
from backend.ingest.sources.fallback import FallbackSource
from backend.ingest.sources.guarded import GuardedSource
from support.bars import Vendor, bar
from support.time import Time

REQUEST = FetchRequest(ticker="A", start=None, end=None)


class First(Vendor):
    name = "first"


class Second(Vendor):
    name = "second"


def in_order(*sources: PriceSource, time: Time | None = None) -> FallbackSource:
    return FallbackSource(sources, sleep=(time or Time()).sleep)


async def test_what_the_first_gives_is_not_asked_of_the_second() -> None:
    second = Second([bar("A")])
    source: PriceSource = in_order(First([bar("A")]), second)
    found = await source.fetch(REQUEST)
    assert (source.name, found.source, found.passed_over, found.metadata) == ("first,second", "first", (), {})
    assert (second.requests, tuple(await source.tickers())) == ([], ())


@pytest.mark.parametrize("failure", [TickerNotFoundError, DelistedError, BadDataError, NetworkError])
async def test_what_the_first_cannot_give_comes_from_the_second_and_says_so(failure: type[SourceError]) -> None:
    error = failure("first", "A", "no")
    found = await in_order(First([], failures={"A": error}), Second([bar("A", close=12.0)])).fetch(REQUEST)
    assert found.bars["close"].to_pylist() == [12.0]
    assert (found.source, found.passed_over, found.metadata) == ("second", (error,), {"fallback_from": "first"})


async def test_each_source_is_tried_as_often_as_is_worth_it() -> None:
    time = Time()
    first = First([], failures={"A": RateLimitError("first", "A", "slow", retry_after_s=5.0)})
    second = Second([], failures={"A": TickerNotFoundError("second", "A", "unknown")})
    with pytest.raises(AllSourcesFailedError):
        await in_order(first, second, time=time).fetch(REQUEST)
    assert (len(first.requests), len(second.requests)) == (4, 1)
    assert min(time.slept) >= 5.0


async def test_when_all_fail_the_class_is_that_of_the_first_and_every_reason_is_given() -> None:
    failures = [NetworkError("first", "A", "reset"), TickerNotFoundError("second", "A", "unknown")]
    source = in_order(First([], failures={"A": failures[0]}), Second([], failures={"A": failures[1]}))
    with pytest.raises(AllSourcesFailedError) as caught:
        await source.fetch(REQUEST)
    error = caught.value
    assert (error.error_class, error.is_transient, error.failures) == ("NETWORK", False, tuple(failures))
    assert str(error) == "first,second: A: first: NETWORK: reset; second: NOT_FOUND: unknown"


async def test_a_refused_key_is_no_reason_to_ask_another_vendor() -> None:
    second = Second([bar("A")])
    refused = SourceSettingsError("TIINGO_API_KEY", "(hidden)", "refused")
    with pytest.raises(SourceSettingsError):
        await in_order(First([], failures={"A": refused}), second).fetch(REQUEST)
    assert second.requests == []


async def test_while_the_first_rests_its_tickers_come_from_the_second_at_once() -> None:
    time = Time()
    tickers = [f"T{number}" for number in range(6)]
    first = First([], failures={ticker: NetworkError("first", ticker, "reset") for ticker in tickers})
    resting = GuardedSource(
        first,
        limiter=RateLimiter(clock=time, sleep=time.sleep),
        breaker=CircuitBreaker(failures=2, clock=time),
        clock=time,
    )
    source = in_order(resting, Second([bar(ticker) for ticker in tickers]), time=time)
    found = [await source.fetch(FetchRequest(ticker=ticker, start=None, end=None)) for ticker in tickers]
    assert [one.source for one in found] == ["second"] * 6
    # Two attempts at the first ticker opened the breaker; since then nobody asked, nor waited.
    assert (len(first.requests), len(time.slept)) == (2, 2)
    assert {one.passed_over[0].error_class for one in found} == {"NETWORK"}


async def test_cancelling_does_not_ask_the_next_vendor() -> None:
    second = Second([bar("A")])
    first = First([], failures={"A": asyncio.CancelledError()})  # type: ignore[dict-item]  # it is no Exception
    with pytest.raises(asyncio.CancelledError):
        await in_order(first, second).fetch(REQUEST)
    assert second.requests == []


async def test_closing_closes_every_source() -> None:
    closed: list[str] = []

    class Closing(Vendor):
        async def close(self) -> None:
            closed.append(self.name)

    await in_order(Closing([]), Closing([])).close()
    assert closed == ["vendor", "vendor"]
