"""What Tiingo says of a ticker beside its prices: when it was first traded, and that it is no longer."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from backend.ingest.errors import BadDataError, NetworkError, RateLimitError, SourceSettingsError
from backend.ingest.sources.contract import FetchRequest
from support.tiingo import Handler, answering, fetched, listing, row


def whole(ticker: str) -> FetchRequest:
    return FetchRequest(ticker=ticker, start=None, end=None)


async def test_the_first_session_of_a_ticker_is_told_with_its_whole_history() -> None:
    answer = await fetched(answering(json=[row("2020-08-28")]), whole("AAPL"))
    assert (answer.metadata, answer.actions.num_rows) == ({"first_trade_date": "1980-12-12"}, 0)


async def test_a_delta_request_with_a_recent_bar_costs_one_request() -> None:
    def unexpected(_request: httpx.Request) -> httpx.Response:
        raise AssertionError

    answer = await fetched(answering(json=[row("2020-08-28")]), facts=unexpected)
    assert answer.metadata == {}


@pytest.mark.parametrize(
    ("end", "n_actions"),
    # Today is 2020-09-01: an end a month and a day ago is one, a shorter silence may be a halt in trading.
    [("2020-07-31", 1), ("2020-08-02", 0), (None, 0)],
)
async def test_a_ticker_whose_data_ended_long_ago_is_delisted_on_the_day_after(end: str | None, n_actions: int) -> None:
    since = FetchRequest(ticker="AAPL", start=date(2020, 7, 1), end=None)
    facts = answering(json=listing("AAPL", end=end))
    answer = await fetched(answering(json=[row("2020-07-31")]), since, facts=facts)
    expected = [("AAPL", date(2020, 8, 1), "delisting", 0.0)] * n_actions
    assert [tuple(action.values())[:4] for action in answer.actions.to_pylist()] == expected


@pytest.mark.parametrize(
    ("start", "end", "n_actions"),
    [
        (date(2020, 8, 1), None, 1),
        (date(2020, 8, 2), None, 0),
        (None, date(2020, 7, 31), 0),
        (None, date(2020, 8, 1), 1),
    ],
)
async def test_a_delisting_is_told_in_the_span_in_which_it_lies(
    start: date | None, end: date | None, n_actions: int
) -> None:
    request = FetchRequest(ticker="AAPL", start=start, end=end)
    rows = [row("2020-07-31")] if start is None else []
    facts = answering(json=listing("AAPL", end="2020-07-31"))
    assert (await fetched(answering(json=rows), request, facts=facts)).actions.num_rows == n_actions


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (answering(503), NetworkError),
        (answering(429), RateLimitError),
        (answering(json=listing("MSFT")), BadDataError),
        (answering(json=[]), BadDataError),
        (answering(text="Error"), BadDataError),
        (answering(json=listing("AAPL", start="long ago")), BadDataError),
        (answering(401), SourceSettingsError),
    ],
)
async def test_prices_of_a_ticker_of_which_the_vendor_tells_nothing_sound_are_not_taken(
    facts: Handler, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await fetched(answering(json=[row("2020-08-28")]), whole("AAPL"), facts=facts)


async def test_a_ticker_with_prices_only_is_taken_as_it_is() -> None:
    answer = await fetched(answering(json=[row("2020-08-28")]), whole("AAPL"), facts=answering(404))
    assert (answer.bars.num_rows, answer.metadata, answer.actions.num_rows) == (1, {}, 0)


@pytest.mark.parametrize("status", [200, 429])
async def test_a_used_up_account_is_a_rate_limit_whatever_the_status(status: int) -> None:
    text = "Error: You have run over your hourly request allocation. Then upgrade at api.tiingo.com/pricing"
    with pytest.raises(RateLimitError, match="used up"):
        await fetched(answering(status, text=text))


async def test_a_field_without_value_in_csv_is_none() -> None:
    text = "date,close,high,low,open,volume,adjClose\n2020-08-28,11.0,,9.0,10.0,100,5.5\n"
    answer = await fetched(answering(text=text))
    assert answer.bars.to_pylist()[0]["high"] is None


@pytest.mark.parametrize("text", ["date,close\n2020-08-28,11.0\n", "date,close,high,low,open,volume,adjClose\n1,2\n"])
async def test_a_csv_answer_of_another_form_is_bad_data(text: str) -> None:
    with pytest.raises(BadDataError):
        await fetched(answering(text=text))
