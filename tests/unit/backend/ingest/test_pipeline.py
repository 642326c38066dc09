"""The pipeline: how many at once, what is tried again, whom a failure concerns, and what closing does."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import pyarrow as pa
import pytest

from backend.ingest.errors import (
    BadDataError,
    NetworkError,
    SourceError,
    SourceSettingsError,
    TickerNotFoundError,
)
from backend.ingest.pipeline import TickerOutcome, outcomes
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, Fetched, FetchRequest, PriceSource
from support.bars import DAY, actions_of, bar, bars_of

TODAY = dt.date(2024, 6, 3)

Answer = Callable[[str], Awaitable[Fetched]]


class Source:
    """A source that answers by a function of the ticker, and counts what it is asked."""

    name = "vendor"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.n_active = 0
        self.most_active = 0

    async def tickers(self) -> Sequence[str]:
        return ()

    async def fetch(self, request: FetchRequest) -> Fetched:
        self.asked.append(request.ticker)
        self.n_active += 1
        self.most_active = max(self.most_active, self.n_active)
        try:
            return await self._answer(request.ticker)
        except asyncio.CancelledError:
            self.cancelled.append(request.ticker)
            raise
        finally:
            self.n_active -= 1

    async def close(self) -> None:
        return


def fetched(ticker: str) -> Fetched:
    return Fetched(bars=bars_of([bar(ticker)]), actions=ACTION_SCHEMA.empty_table())


async def at_once(ticker: str) -> Fetched:
    return fetched(ticker)


async def after_a_turn(ticker: str) -> Fetched:
    await asyncio.sleep(0)
    return fetched(ticker)


async def never(ticker: str) -> Fetched:
    await asyncio.Event().wait()
    return fetched(ticker)


def failing(errors: dict[str, Exception]) -> Answer:
    async def answer(ticker: str) -> Fetched:
        if ticker in errors:
            raise errors[ticker]
        return fetched(ticker)

    return answer


def requests_of(tickers: Sequence[str]) -> list[FetchRequest]:
    return [FetchRequest(ticker=ticker, start=None, end=None) for ticker in tickers]


async def no_sleep(wait_s: float) -> None:
    raise AssertionError(f"nothing here is to be tried again, least of all after {wait_s} s")


async def collected(source: PriceSource, tickers: Sequence[str], *, concurrency: int = 2) -> dict[str, TickerOutcome]:
    ready = outcomes(source, requests_of(tickers), concurrency=concurrency, today=TODAY, sleep=no_sleep)
    async with aclosing(ready):
        return {outcome.ticker: outcome async for outcome in ready}


@pytest.mark.parametrize("concurrency", [1, 3, 10])
async def test_exactly_so_many_tickers_are_fetched_at_once_as_asked(concurrency: int) -> None:
    source = Source(after_a_turn)
    found = await collected(source, list("ABCDEFGHIJ"), concurrency=concurrency)
    assert sorted(found) == sorted(source.asked) == list("ABCDEFGHIJ")
    assert source.most_active == concurrency


async def test_a_ticker_that_takes_long_counts_among_those_fetched_at_once() -> None:
    async def answer(ticker: str) -> Fetched:
        return await (never if ticker == "A" else after_a_turn)(ticker)

    source = Source(answer)
    async with aclosing(outcomes(source, requests_of("ABCDEF"), concurrency=3, today=TODAY)) as ready:
        assert sorted([(await anext(ready)).ticker for _ in range(5)]) == ["B", "C", "D", "E", "F"]
    assert source.most_active == 3


async def test_a_slow_taker_slows_the_vendor_down() -> None:
    source = Source(at_once)
    async with aclosing(outcomes(source, requests_of("ABCDEF"), concurrency=2, today=TODAY, sleep=no_sleep)) as ready:
        await anext(ready)
        for _ in range(10):  # turns of the event loop in which a greedy pipeline would go on
            await asyncio.sleep(0)
        assert source.asked == ["A", "B"]


async def in_vain(ready: AsyncGenerator[TickerOutcome, None]) -> None:
    """Wait for an outcome for as many turns of the event loop as all that is not held up needs."""
    waiting = asyncio.ensure_future(anext(ready))
    for _ in range(30):
        await asyncio.sleep(0)
    assert waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class ReadingSource(Source):
    """One whose vendor answers at once, and which then reads for ever."""

    async def fetch(self, request: FetchRequest) -> Fetched:
        request.answered()
        return await super().fetch(request)


async def test_tickers_that_are_answered_make_room_for_as_many_more_and_no_others() -> None:
    source = ReadingSource(never)
    async with aclosing(outcomes(source, requests_of("ABCDEFG"), concurrency=2, today=TODAY)) as ready:
        await in_vain(ready)
    assert source.asked == ["A", "B", "C", "D"]
    assert sorted(source.cancelled) == ["A", "B", "C", "D"]


async def test_a_ticker_that_is_tried_again_counts_again() -> None:
    class Unlucky(Source):
        async def fetch(self, request: FetchRequest) -> Fetched:
            if request.ticker == "A" and "A" not in self.asked:
                self.asked.append("A")
                request.answered()
                raise NetworkError(self.name, "A", "a page instead of JSON")
            return await super().fetch(request)

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    source = Unlucky(never)
    async with aclosing(outcomes(source, requests_of("ABCDEFG"), concurrency=2, today=TODAY, sleep=sleep)) as ready:
        await in_vain(ready)
    # B and C took the places of A, which came a second time before another could.
    assert source.asked == ["A", "B", "C", "A"]


async def test_requests_are_taken_from_the_iterable_only_when_their_turn_comes() -> None:
    waiting = iter(requests_of("ABCDEF"))
    async with aclosing(outcomes(Source(at_once), waiting, concurrency=2, today=TODAY, sleep=no_sleep)) as ready:
        await anext(ready)
        assert [request.ticker for request in waiting] == ["C", "D", "E", "F"]


async def test_an_outcome_comes_as_soon_as_it_is_ready() -> None:
    async def answer(ticker: str) -> Fetched:
        return await (never if ticker == "A" else at_once)(ticker)

    async with aclosing(outcomes(Source(answer), requests_of("ABC"), concurrency=2, today=TODAY)) as ready:
        assert [(await anext(ready)).ticker for _ in range(2)] == ["B", "C"]


async def test_no_requests_give_no_outcome() -> None:
    assert await collected(Source(at_once), []) == {}


async def test_bars_and_actions_are_parted_into_good_and_bad() -> None:
    bars = bars_of([bar(), bar(date=dt.date(2024, 1, 3), volume=-1.0)])
    actions = actions_of([("A", DAY, "split", 2.0), ("A", DAY, "split", 3.0)])

    async def answer(_: str) -> Fetched:
        return Fetched(bars=bars, actions=actions, metadata={"basis": "traded"})

    outcome = (await collected(Source(answer), ["A"]))["A"]
    assert outcome.n_rows == 2
    assert outcome.good.to_pylist() == [bar()]
    assert [row.rules for row in outcome.quarantined] == [("negative_volume",)]
    assert outcome.actions["value"].to_pylist() == [2.0]
    assert [row.rules for row in outcome.refused_actions] == [("duplicate_action",)]
    assert (outcome.metadata, outcome.failure) == ({"basis": "traded"}, None)


async def test_metadata_of_closes_only_excuse_missing_open_high_and_low() -> None:
    row = bar(open=None, high=None, low=None)

    async def answer(_: str) -> Fetched:
        return Fetched(bars=bars_of([row]), actions=ACTION_SCHEMA.empty_table(), metadata={"fields": "close"})

    outcome = (await collected(Source(answer), ["A"]))["A"]
    assert outcome.good.to_pylist() == [row]


async def test_a_transient_error_is_tried_again_after_a_wait() -> None:
    errors: list[Exception] = [NetworkError("vendor", "A", "reset"), NetworkError("vendor", "A", "reset")]
    waits_s: list[float] = []

    async def answer(ticker: str) -> Fetched:
        if errors:
            raise errors.pop()
        return fetched(ticker)

    async def sleep(wait_s: float) -> None:
        waits_s.append(wait_s)

    ready = outcomes(Source(answer), requests_of("A"), concurrency=1, today=TODAY, sleep=sleep)
    assert [(outcome.ticker, outcome.failure) async for outcome in ready] == [("A", None)]
    assert len(waits_s) == 2


@pytest.mark.parametrize("kind", [TickerNotFoundError, BadDataError])
async def test_a_lasting_error_fails_its_own_ticker_only(kind: type[SourceError]) -> None:
    error = kind("vendor", "B", "gone")
    found = await collected(Source(failing({"B": error})), list("ABC"))
    assert {ticker: outcome.failure for ticker, outcome in found.items()} == {"A": None, "B": error, "C": None}
    assert (found["B"].n_rows, found["B"].good.num_rows) == (0, 0)


async def test_a_ticker_of_which_no_bar_passed_has_failed() -> None:
    async def answer(_: str) -> Fetched:
        return Fetched(bars=bars_of([bar(volume=-1.0)]), actions=ACTION_SCHEMA.empty_table())

    outcome = (await collected(Source(answer), ["A"]))["A"]
    assert isinstance(outcome.failure, BadDataError)
    assert outcome.failure.reason == "not one of its 1 bars passed; the first: negative_volume"
    assert len(outcome.quarantined) == 1


async def test_a_ticker_with_nothing_new_has_not_failed() -> None:
    async def answer(_: str) -> Fetched:
        return Fetched(bars=BAR_SCHEMA.empty_table(), actions=ACTION_SCHEMA.empty_table())

    outcome = (await collected(Source(answer), ["A"]))["A"]
    assert (outcome.n_rows, outcome.failure) == (0, None)


@pytest.mark.parametrize(
    ("bars", "actions"),
    [
        (bars_of([bar()]).drop_columns(["volume"]), ACTION_SCHEMA.empty_table()),
        (bars_of([bar()]).select(BAR_SCHEMA.names[::-1]), ACTION_SCHEMA.empty_table()),
        (bars_of([bar()]).set_column(6, "volume", pa.array([1], pa.int64())), ACTION_SCHEMA.empty_table()),
        (bars_of([bar()]), ACTION_SCHEMA.empty_table().drop_columns(["kind"])),
    ],
    ids=["column missing", "other order", "other type", "actions"],
)
async def test_tables_of_another_schema_are_bad_data_of_that_ticker(bars: pa.Table, actions: pa.Table) -> None:
    async def answer(ticker: str) -> Fetched:
        return Fetched(bars=bars, actions=actions) if ticker == "A" else fetched(ticker)

    found = await collected(Source(answer), ["A", "B"])
    assert isinstance(found["A"].failure, BadDataError)
    assert found["A"].failure.error_class == "BAD_DATA"
    assert found["B"].failure is None


@pytest.mark.parametrize("error", [SourceSettingsError("KEY", None, "refused"), ValueError("a defect of ours")])
async def test_an_error_that_concerns_every_ticker_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        await collected(Source(failing({"B": error})), list("ABC"))
    assert caught.value is error


async def test_an_error_that_is_raised_cancels_what_is_under_way() -> None:
    async def answer(ticker: str) -> Fetched:
        return await (never if ticker == "A" else failing({"B": SourceSettingsError("KEY", None, "refused")}))(ticker)

    source = Source(answer)
    with pytest.raises(SourceSettingsError):
        await collected(source, list("ABC"))
    assert source.cancelled == ["A"]


async def test_closing_cancels_what_is_under_way_and_begins_nothing_more() -> None:
    async def answer(ticker: str) -> Fetched:
        return await (at_once if ticker == "A" else never)(ticker)

    source = Source(answer)
    async with aclosing(outcomes(source, requests_of("ABCDE"), concurrency=3, today=TODAY)) as ready:
        await anext(ready)
    assert source.asked == ["A", "B", "C"]
    assert sorted(source.cancelled) == ["B", "C"]
