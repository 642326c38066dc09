"""Yahoo's chart answer: prices as traded again, exchange dates, and no bar of a session under way. Written by hand."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA, FetchRequest
from backend.ingest.sources.yahoo_chart import parsed_chart

EVERYTHING = FetchRequest(ticker="X", start=None, end=None)
NOW = dt.datetime(2026, 11, 25, 2, 0, tzinfo=dt.UTC)
Rows = list[dict[str, Any]]  # Any: rows of mixed columns


def opening(day: str) -> int:
    """Unix time of 14:30 UTC, when New York opens in winter."""
    return int(dt.datetime.fromisoformat(f"{day}T14:30:00+00:00").timestamp())


def result_of(
    days: list[str],
    close: list[float | None],
    *,
    splits: dict[str, tuple[float, float]] | None = None,
    dividends: dict[str, float] | None = None,
    **meta: object,
) -> dict[str, Any]:  # Any: Yahoo's JSON
    """A result as the chart API gives it: open, high, low and adjusted close like the close, and a volume of 1000."""
    stamps = [opening(day) for day in days]
    split_events = {
        str(opening(day)): {"date": opening(day), "numerator": new, "denominator": old}
        for day, (new, old) in (splits or {}).items()
    }
    paid = {str(opening(day)): {"date": opening(day), "amount": cash} for day, cash in (dividends or {}).items()}
    quotes: dict[str, list[float | None]] = {name: list(close) for name in ("open", "high", "low", "close")}
    return {
        "meta": {"symbol": "X", "exchangeTimezoneName": "America/New_York", "dataGranularity": "1d", **meta},
        "timestamp": stamps,
        "events": {"splits": split_events, "dividends": paid},
        "indicators": {"quote": [{**quotes, "volume": [1000] * len(days)}], "adjclose": [{"adjclose": list(close)}]},
    }


def parsed(result: dict[str, Any], request: FetchRequest = EVERYTHING, *, now: dt.datetime = NOW) -> tuple[Rows, Rows]:
    found = parsed_chart(result, request, now=now)
    assert found.bars.schema == BAR_SCHEMA
    assert found.actions.schema == ACTION_SCHEMA
    return found.bars.to_pylist(), found.actions.to_pylist()


def test_prices_before_a_split_are_made_as_traded_again() -> None:
    # A 2:1 split on the 3rd and a 3:1 split on the 5th: a share of the 2nd became six.
    bars, actions = parsed(
        result_of(
            ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
            [10.0, 11.0, 12.0, 13.0],
            splits={"2024-01-03": (2, 1), "2024-01-05": (3, 1)},
            dividends={"2024-01-04": 0.1},
        )
    )
    assert [row["close"] for row in bars] == [60.0, 33.0, 36.0, 13.0]
    assert [row["volume"] for row in bars] == [round(1000 / 6), round(1000 / 3), round(1000 / 3), 1000]
    assert [row["adjusted_close"] for row in bars] == [10.0, 11.0, 12.0, 13.0]
    assert [(row["ex_date"].day, row["kind"], row["value"]) for row in actions] == [
        (3, "split", 2.0),
        (5, "split", 3.0),
        (4, "dividend", pytest.approx(0.3)),
    ]


def test_splits_after_the_asked_span_count_too() -> None:
    days = ["2024-01-02", "2024-01-03", "2024-01-04"]
    result = result_of(days, [10.0, 10.0, 10.0], splits={"2024-01-04": (2, 1)})
    bars, actions = parsed(result, FetchRequest(ticker="X", start=dt.date(2024, 1, 3), end=dt.date(2024, 1, 3)))
    assert [(row["date"].day, row["close"]) for row in bars] == [(3, 20.0)]
    assert actions == []


def test_a_split_on_a_day_without_a_bar_counts_from_the_next_bar_on() -> None:
    result = result_of(["2024-01-02", "2024-01-04"], [10.0, 11.0], splits={"2024-01-03": (2, 1)})
    assert [row["close"] for row in parsed(result)[0]] == [20.0, 11.0]


def test_a_reverse_split_is_undone_too() -> None:
    # One share for eight, as USO did on 2020-04-29.
    result = result_of(["2024-01-02", "2024-01-03"], [80.0, 81.0], splits={"2024-01-03": (1, 8)})
    bars, actions = parsed(result)
    assert [(row["close"], row["volume"]) for row in bars] == [(10.0, 8000.0), (81.0, 1000.0)]
    assert [row["value"] for row in actions] == [0.125]


def test_a_dividend_of_the_day_of_a_split_is_cash_per_share_after_it() -> None:
    days = ["2024-01-02", "2024-01-03"]
    result = result_of(days, [10.0, 10.0], splits={"2024-01-03": (2, 1)}, dividends={"2024-01-03": 0.5})
    assert [row["value"] for row in parsed(result)[1]] == [2.0, 0.5]


def test_a_new_split_is_no_restatement() -> None:
    # What Yahoo sends is a 32-bit float: 499.23 as traded, quartered by the 4:1 split of 2020-08-31.
    days = ["2020-08-28", "2020-08-31"]
    before, _ = parsed(result_of(days[:1], [float(np.float32(499.23))]))
    quartered = float(np.float32(499.23 / 4))
    after, _ = parsed(result_of(days, [quartered, 129.04], splits={"2020-08-31": (4, 1)}))
    assert before[0]["close"] == after[0]["close"] == 499.23


@example(cents=99_998, ratio=(7, 1))
@given(
    cents=st.integers(100, 99_999),
    ratio=st.sampled_from([(2, 1), (3, 2), (4, 1), (7, 1), (1, 10), (1, 8)]),
)
def test_no_quoted_price_is_restated_by_a_split(cents: int, ratio: tuple[int, int]) -> None:
    price = cents / 100
    sent = float(np.float32(price * ratio[1] / ratio[0]))
    bars, _ = parsed(result_of(["2024-01-02", "2024-01-03"], [sent, 1.0], splits={"2024-01-03": ratio}))
    assert bars[0]["close"] == pytest.approx(price, abs=0.5e-4)


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        # Sydney opens at 10:00, which in summer is 23:00 UTC of the day before.
        ("Australia/Sydney", "2024-01-01T23:00:00+00:00", dt.date(2024, 1, 2)),
        ("America/New_York", "2024-01-02T14:30:00+00:00", dt.date(2024, 1, 2)),
        # Exchange rates have a bar from midnight to midnight of London.
        ("Europe/London", "2024-06-30T23:00:00+00:00", dt.date(2024, 7, 1)),
        ("America/New_York", "1962-01-02T15:00:00+00:00", dt.date(1962, 1, 2)),
    ],
)
def test_the_session_is_the_local_date_of_the_exchange(zone: str, moment: str, expected: dt.date) -> None:
    result = result_of(["2024-01-02"], [10.0], exchangeTimezoneName=zone)
    result["timestamp"] = [int(dt.datetime.fromisoformat(moment).timestamp())]
    assert [row["date"] for row in parsed(result)[0]] == [expected]


# As in a recording of 2025-03-24: open from 13:30 to 20:00 UTC, asked at 13:51.
MARCH_24 = {"regular": {"start": 1742823000, "end": 1742846400}}
CLOSE = dt.datetime(2025, 3, 24, 20, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("now", "last_trade", "days"),
    [
        (CLOSE - dt.timedelta(hours=6), 1742824293, [21]),
        # After the close quotes may still be delayed; an hour later they are not.
        (CLOSE + dt.timedelta(minutes=1), 1742846399, [21]),
        (CLOSE + dt.timedelta(minutes=59), 1742846399, [21]),
        (CLOSE + dt.timedelta(hours=1), 1742846399, [21, 24]),
        # A trade at or after the close ends the session at once, whatever our clock says.
        (CLOSE - dt.timedelta(hours=6), 1742846400, [21, 24]),
    ],
)
def test_the_bar_of_a_session_that_has_not_ended_is_left_out(
    now: dt.datetime, last_trade: int, days: list[int]
) -> None:
    result = result_of(["2025-03-21", "2025-03-24"], [10.0, 11.0], currentTradingPeriod=MARCH_24)
    result["meta"]["regularMarketTime"] = last_trade
    # Yahoo dates the bar of a session under way with its last trade.
    result["timestamp"][1] = last_trade
    bars, _ = parsed(result, now=now)
    assert [row["date"].day for row in bars] == days


def test_a_session_that_has_not_begun_leaves_the_last_one_alone() -> None:
    # Asked on Sunday 2025-03-23: the hours are Monday's, the last trade was on Friday.
    friday = 1742587200
    result = result_of(["2025-03-20", "2025-03-21"], [10.0, 11.0], currentTradingPeriod=MARCH_24)
    result["meta"]["regularMarketTime"] = friday
    bars, _ = parsed(result, now=CLOSE - dt.timedelta(days=1))
    assert [row["date"].day for row in bars] == [20, 21]


@pytest.mark.parametrize("volume", [0, None])
def test_a_row_without_any_value_is_no_bar_but_a_partial_one_is_kept_for_quality_control(volume: int | None) -> None:
    days = ["2024-01-02", "2024-01-03", "2024-01-04"]
    result = result_of(days, [10.0, None, None], dividends={"2024-01-04": 0.5})
    (quotes,) = result["indicators"]["quote"]
    quotes["open"][0] = None
    quotes["volume"][2] = volume
    bars, actions = parsed(result)
    # The 2nd lacks its open, the 3rd has a volume but no price, the 4th has nothing but a dividend.
    assert [(row["date"].day, row["open"], row["close"]) for row in bars] == [(2, None, 10.0), (3, None, None)]
    assert [(row["ex_date"].day, row["value"]) for row in actions] == [(4, 0.5)]


@pytest.mark.parametrize(
    ("sent", "stored"),
    # 32-bit floats of prices that never were divided: their seven digits stay, however small they are.
    [(1.1220825910568237, 1.122083), (8.445e-06, 8.445e-06), (118.69000244140625, 118.69), (715910.5, 715910.5)],
)
def test_prices_keep_the_seven_digits_that_yahoo_sends(sent: float, stored: float) -> None:
    bars, _ = parsed(result_of(["2024-01-02"], [sent]))
    assert bars[0]["close"] == pytest.approx(stored, rel=1e-15)


def test_a_price_of_before_many_splits_is_the_one_that_was_quoted() -> None:
    # Apple closed its first day, 1980-12-12, at 28 3/4; five splits later (2, 2, 2, 7 and 4 to 1) Yahoo divides by 224
    # and sends six decimals of 0.12834821 as a 32-bit float.
    splits = {"1987-06-16": 2, "2000-06-21": 2, "2005-02-28": 2, "2014-06-09": 7, "2020-08-31": 4}
    result = result_of(
        ["1980-12-12"], [float(np.float32(0.128348))], splits={day: (new, 1) for day, new in splits.items()}
    )
    assert parsed(result)[0][0]["close"] == 28.75


def test_rows_out_of_order_are_put_in_order() -> None:
    result = result_of(["2024-01-03", "2024-01-02"], [10.0, 11.0], splits={"2024-01-03": (2, 1)})
    # The split of the 3rd doubles the close of the 2nd.
    assert [(row["date"].day, row["close"]) for row in parsed(result)[0]] == [(2, 22.0), (3, 10.0)]


def test_an_answer_without_adjusted_closes_has_none() -> None:
    result = result_of(["2024-01-02"], [10.0])
    del result["indicators"]["adjclose"]
    assert [(row["close"], row["adjusted_close"]) for row in parsed(result)[0]] == [(10.0, None)]


def test_what_is_not_said_of_an_instrument_is_not_kept() -> None:
    facts = parsed_chart(result_of(["2024-01-02"], [10.0], currency=None), EVERYTHING, now=NOW).metadata
    assert facts == {"timezone": "America/New_York"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda result: result["meta"].pop("exchangeTimezoneName"),
        lambda result: result["meta"].update(exchangeTimezoneName="Mars/Olympus"),
        lambda result: result["indicators"]["quote"][0].pop("close"),
        lambda result: result["indicators"]["quote"][0].update(close=["ten"]),
        lambda result: result["indicators"]["quote"][0].update(close=[10.0, 11.0]),
        lambda result: result["indicators"].update(quote=[]),
        lambda result: result.update(timestamp=["yesterday"]),
        lambda result: result["events"].update(splits={"1": {"date": 1, "numerator": 2, "denominator": 0}}),
        lambda result: result["events"].update(splits={"1": {"date": 1, "numerator": -2, "denominator": 1}}),
        lambda result: result["events"].update(dividends={"1": {"date": 1, "amount": "much"}}),
        lambda result: result["events"].update(dividends=[1]),
    ],
)
def test_a_damaged_answer_is_refused(damage: Any) -> None:  # Any: a change in place
    result = result_of(["2024-01-02"], [10.0])
    damage(result)
    with pytest.raises((LookupError, TypeError, ValueError, ArithmeticError, AttributeError)):
        parsed(result)


def test_importing_the_source_imports_no_client_and_no_pandas() -> None:
    script = (
        "import sys, backend.ingest.sources.yahoo\n"
        "backend.ingest.sources.yahoo.YahooSource()\n"
        "print([name for name in ('pandas', 'curl_cffi', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
