"""A vendor behind its limits and its breaker, through the pipeline, on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence

import pytest

from backend.ingest.breaker import CircuitBreaker
from backend.ingest.errors import (
    NetworkError,
    RateLimitError,
    SourceSettingsError,
    SourceTimeoutError,
    TickerNotFoundError,
    VendorPausedError,
)
from backend.ingest.limits import Limit, RateLimiter
from backend.ingest.pipeline import TickerOutcome, outcomes
from backend.ingest.sources.contract import ACTION_SCHEMA, Fetched, FetchRequest
from backend.ingest.sources.guarded import GuardedSource
from support.bars import bar, bars_of
from support.time import Time

FIVE = [f"T{number}" for number in range(5)]


class Vendor:
    """A vendor that takes a while to answer, and fails by the ticker and the number of the request."""

    name = "vendor"

    def __init__(self, time: Time, failure: Callable[[str, int], Exception | None], *, takes_s: float = 0.2) -> None:
        self._time = time
        self._failure = failure
        self._takes_s = takes_s
        self.asked: list[tuple[float, str]] = []

    async def tickers(self) -> Sequence[str]:
        return FIVE

    async def fetch(self, request: FetchRequest) -> Fetched:
        self.asked.append((self._time.now, request.ticker))
        failure = self._failure(request.ticker, len(self.asked))
        await self._time.sleep(self._takes_s)
        if failure is not None:
            raise failure
        return Fetched(bars=bars_of([bar(request.ticker)]), actions=ACTION_SCHEMA.empty_table())

    async def close(self) -> None:
        self.asked.clear()


def guarded(vendor: Vendor, time: Time, *limits: Limit, failures: int = 3, patience_s: float = 60.0) -> GuardedSource:
    return GuardedSource(
        vendor,
        limiter=RateLimiter(limits, clock=time, sleep=time.sleep),
        breaker=CircuitBreaker(failures=failures, rest_s=60.0, clock=time),
        patience_s=patience_s,
        clock=time,
    )


def asking(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=None, end=None)


async def run_of(
    source: GuardedSource, time: Time, tickers: Sequence[str], *, concurrency: int = 1
) -> dict[str, TickerOutcome]:
    requests = [asking(ticker) for ticker in tickers]
    today = dt.date(2026, 11, 25)
    ready = outcomes(source, requests, concurrency=concurrency, today=today, sleep=time.sleep)
    return {outcome.ticker: outcome async for outcome in ready}


def never(_ticker: str, _number: int) -> None:
    return None


async def test_it_gives_what_the_vendor_gives_under_its_name() -> None:
    time = Time()
    vendor = Vendor(time, never)
    source = guarded(vendor, time)
    assert (source.name, await source.tickers()) == ("vendor", FIVE)
    assert (await source.fetch(asking("T1"))).bars["ticker"].to_pylist() == ["T1"]
    await source.close()
    assert vendor.asked == []


async def test_concurrent_tickers_share_one_limit() -> None:
    time = Time(0.0)
    vendor = Vendor(time, never)
    tickers = [f"T{number:02}" for number in range(12)]
    found = await run_of(guarded(vendor, time, Limit(requests=5, period_s=1.0)), time, tickers, concurrency=10)
    assert all(outcome.failure is None for outcome in found.values())
    assert [moment for moment, _ in vendor.asked] == pytest.approx([0.0] * 5 + [1.0] * 5 + [2.0] * 2)


async def test_a_vendor_without_limits_costs_its_latency_and_nothing_else() -> None:
    time = Time(0.0)
    vendor = Vendor(time, never)
    await run_of(guarded(vendor, time), time, [f"T{number:03}" for number in range(100)], concurrency=10)
    # 100 answers of 0.2 s, ten at a time.
    assert time.now == pytest.approx(2.0)


async def test_a_retry_after_pauses_the_whole_vendor_and_not_one_ticker() -> None:
    time = Time(0.0)

    def refusing(_ticker: str, number: int) -> Exception | None:
        return RateLimitError("vendor", "T0", "slow down", retry_after_s=30.0) if number == 1 else None

    vendor = Vendor(time, refusing)
    found = await run_of(guarded(vendor, time), time, FIVE, concurrency=2)
    assert all(outcome.failure is None for outcome in found.values())
    # T1 was on its way; whoever came later waited, T0 with them.
    moments = [moment for moment, _ in vendor.asked]
    assert moments[:2] == [0.0, 0.0]
    assert min(moments[2:]) >= 30.2


async def test_a_refusal_without_retry_after_pauses_the_vendor_too() -> None:
    time = Time(0.0)
    failure = RateLimitError("vendor", "T0", "slow down")
    source = guarded(Vendor(time, lambda _ticker, number: failure if number == 1 else None), time)
    with pytest.raises(RateLimitError):
        await source.fetch(asking("T0"))
    await source.fetch(asking("T1"))
    assert time.now == pytest.approx(0.2 + 10.0 + 0.2)


async def test_a_retry_after_beyond_all_patience_fails_every_ticker_at_once() -> None:
    time = Time()
    failure = RateLimitError("vendor", "T0", "slow down", retry_after_s=3600.0)
    vendor = Vendor(time, lambda _ticker, _number: failure)
    found = await run_of(guarded(vendor, time), time, FIVE)
    assert len(vendor.asked) == 1
    for outcome in found.values():
        assert isinstance(outcome.failure, VendorPausedError)
        assert outcome.failure.error_class == "RATE_LIMIT"
        # An hour from two o'clock, and the 0.2 s of the answer.
        assert "until 2026-11-25 03:00:00 UTC" in outcome.failure.reason


async def test_a_used_up_hour_is_said_and_not_waited_for() -> None:
    time = Time()
    vendor = Vendor(time, never)
    found = await run_of(guarded(vendor, time, Limit(requests=3, period_s=3600.0)), time, FIVE)
    failures = [outcome.failure for outcome in found.values()]
    assert failures[:3] == [None] * 3
    assert [str(failure) for failure in failures[3:]] == [
        f"vendor: {ticker}: not asked: its limit of requests is used up until 2026-11-25 03:00:00 UTC"
        for ticker in FIVE[3:]
    ]
    assert {failure.error_class for failure in failures[3:] if failure} == {"RATE_LIMIT"}


async def test_refusals_of_requests_made_together_are_one_failure() -> None:
    time = Time(0.0)
    vendor = Vendor(time, lambda ticker, _number: RateLimitError("vendor", ticker, "slow down", retry_after_s=1.0))
    source = guarded(vendor, time, failures=2)
    await asyncio.gather(*(source.fetch(asking(ticker)) for ticker in FIVE), return_exceptions=True)
    # Five refusals of one moment did not open the breaker: the next is asked.
    with pytest.raises(RateLimitError):
        await source.fetch(asking("T5"))
    with pytest.raises(VendorPausedError):
        await source.fetch(asking("T6"))


async def test_failures_in_a_row_open_the_breaker_and_the_rest_fails_fast() -> None:
    time = Time()
    vendor = Vendor(time, lambda ticker, _number: SourceTimeoutError("vendor", ticker, "no answer in time"))
    found = await run_of(guarded(vendor, time), time, FIVE)
    # The first ticker was tried three times, then the breaker opened.
    assert [ticker for _, ticker in vendor.asked] == ["T0"] * 3
    failures = [outcome.failure for outcome in found.values()]
    assert all(isinstance(failure, VendorPausedError) for failure in failures)
    assert {failure.error_class for failure in failures if failure} == {"TIMEOUT"}
    until = dt.datetime.fromtimestamp(vendor.asked[-1][0] + 0.2 + 60.0, dt.UTC)
    assert str(failures[-1]) == (
        "vendor: T4: not asked: the breaker is open after 3 failures in a row, the last: no answer in time; "
        f"it is asked again from {until:%Y-%m-%d %H:%M:%S} UTC on"
    )


async def test_after_the_rest_one_ticker_finds_out_whether_the_vendor_is_back() -> None:
    time = Time()
    vendor = Vendor(time, lambda ticker, number: NetworkError("vendor", ticker, "reset") if number <= 3 else None)
    source = guarded(vendor, time)
    await run_of(source, time, ["T0"])
    time.now += 61.0
    found = await asyncio.gather(*(source.fetch(asking(ticker)) for ticker in FIVE), return_exceptions=True)
    # The first is the probe; those who came while it was on its way were not let through.
    assert isinstance(found[0], Fetched)
    assert [type(other) for other in found[1:]] == [VendorPausedError] * 4
    assert isinstance(await source.fetch(asking("T1")), Fetched)


async def test_unknown_tickers_are_answers_and_never_open_the_breaker() -> None:
    time = Time()
    vendor = Vendor(time, lambda ticker, _number: TickerNotFoundError("vendor", ticker, "unknown"))
    found = await run_of(guarded(vendor, time), time, FIVE * 4)
    assert [type(outcome.failure) for outcome in found.values()] == [TickerNotFoundError] * 5
    assert len(vendor.asked) == 20


@pytest.mark.parametrize("failure", [SourceSettingsError("KEY", None, "refused"), ValueError("a defect of ours")])
async def test_other_errors_pass_through_and_tell_nothing_of_the_vendor(failure: Exception) -> None:
    time = Time()
    source = guarded(Vendor(time, lambda _ticker, number: failure if number <= 3 else None), time)
    for _ in range(3):
        with pytest.raises(type(failure)):
            await source.fetch(asking("T0"))
    assert isinstance(await source.fetch(asking("T0")), Fetched)


async def test_a_cancelled_probe_leaves_the_next_one_to_tell() -> None:
    time = Time()
    vendor = Vendor(time, lambda ticker, number: NetworkError("vendor", ticker, "reset") if number <= 3 else None)
    source = guarded(vendor, time)
    await run_of(source, time, ["T0"])
    time.now += 61.0
    probe = asyncio.create_task(source.fetch(asking("T0")))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert isinstance(await source.fetch(asking("T1")), Fetched)
