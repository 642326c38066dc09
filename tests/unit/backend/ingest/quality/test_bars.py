"""Quality control: each rule by a bar made by hand, and what holds whatever comes in."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert

from backend.database.models.every import METADATA
from backend.database.models.market import Bar
from backend.ingest.quality.actions import checked_actions
from backend.ingest.quality.quarantine import Checked
from backend.ingest.quality.rules import QUARANTINES
from backend.ingest.quality.versions import checked
from backend.ingest.sources.contract import ACTION_SCHEMA, BAR_SCHEMA
from support.bars import DAY, Row, actions_of, bar, bars_of

NAN, INF = math.nan, math.inf
TODAY = dt.date(2024, 6, 3)
TOMORROW = TODAY + dt.timedelta(days=1)

# The bar is open 10, high 12, low 9, close 11, volume 1000, adjusted close 11; what is said here is changed.
BROKEN: list[tuple[dict[str, object], tuple[str, ...]]] = [
    ({"ticker": "B"}, ("wrong_ticker",)),
    ({"ticker": "a"}, ("wrong_ticker",)),
    ({"ticker": None}, ("wrong_ticker",)),
    ({"date": None}, ("missing_date",)),
    ({"date": dt.date(1599, 12, 31)}, ("impossible_date",)),
    ({"date": TOMORROW + dt.timedelta(days=1)}, ("future_date",)),
    ({"close": None}, ("missing_close",)),
    ({"close": NAN}, ("missing_close",)),
    ({"open": None}, ("missing_open",)),
    ({"high": NAN}, ("missing_high",)),
    ({"low": None}, ("missing_low",)),
    ({"adjusted_close": INF}, ("infinite_value",)),
    ({"adjusted_close": -1e15}, ("infinite_value",)),
    ({"volume": 1e18}, ("infinite_value",)),
    ({"high": 1e15}, ("infinite_value",)),
    ({"low": 0.0}, ("non_positive_price",)),
    ({"low": -0.01}, ("non_positive_price",)),
    ({"open": 8.99}, ("open_outside_range",)),
    ({"open": 12.01}, ("open_outside_range",)),
    ({"close": 8.99}, ("close_outside_range",)),
    ({"close": 12.01}, ("close_outside_range",)),
    ({"volume": -1.0}, ("negative_volume",)),
    # Several at once, in the order of RULES. A high below the low leaves no room for open and close.
    ({"high": 8.99}, ("high_below_low", "open_outside_range", "close_outside_range")),
    ({"close": INF}, ("infinite_value", "close_outside_range")),
    ({"volume": -INF}, ("infinite_value", "negative_volume")),
    ({"open": None, "high": None, "low": None}, ("missing_open", "missing_high", "missing_low")),
    ({"ticker": None, "date": None, "close": None, "volume": -1.0},
     ("wrong_ticker", "missing_date", "missing_close", "negative_volume")),
]  # fmt: skip

GOOD: list[dict[str, object]] = [
    {},
    {"date": dt.date(1600, 1, 1)},
    {"date": TOMORROW},
    {"volume": None},
    {"volume": 0.0},
    {"volume": 9.99e17},
    {"adjusted_close": None},
    {"adjusted_close": -5.0},
    {"open": 9.0},
    {"open": 12.0},
    {"close": 9.0},
    {"close": 12.0},
    {"open": 11.0, "high": 11.0, "low": 11.0},
    {"low": 5e-324},
]


def checked_rows(*rows: Row, is_closes_only: bool = False) -> Checked:
    return checked(bars_of(rows), ticker="A", today=TODAY, is_closes_only=is_closes_only)


@pytest.mark.parametrize(("changes", "rules"), BROKEN, ids=str)
def test_a_bar_is_set_aside_under_the_names_of_the_rules_it_breaks(
    changes: dict[str, object], rules: tuple[str, ...]
) -> None:
    found = checked_rows(bar() | changes)
    assert [row.rules for row in found.quarantined] == [rules]
    assert found.good.num_rows == 0


def test_every_rule_of_bars_has_an_example_here() -> None:
    shown = {rule for _, rules in BROKEN for rule in rules}
    assert shown | {"duplicate", "bad_action", "duplicate_action", "late_vintage"} == set(QUARANTINES)


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_a_bar_at_the_edge_of_a_rule_is_good(changes: dict[str, object]) -> None:
    row = bar() | changes
    found = checked_rows(row)
    assert found.quarantined == ()
    assert found.good.to_pylist() == [row]


def test_only_the_bad_bar_is_set_aside_and_the_good_ones_come_sorted_by_date() -> None:
    days = [DAY + dt.timedelta(days=number) for number in range(3)]
    found = checked_rows(bar(date=days[2]), bar(date=days[1], volume=-1.0), bar(date=days[0]))
    assert found.good.schema == BAR_SCHEMA
    assert found.good["date"].to_pylist() == [days[0], days[2]]
    assert [row.date for row in found.quarantined] == [days[1]]


def test_nan_becomes_null_in_a_good_bar() -> None:
    found = checked_rows(bar(volume=NAN, adjusted_close=NAN))
    assert found.good["volume"].to_pylist() == [None]
    assert found.good["adjusted_close"].to_pylist() == [None]


def test_no_bars_are_no_bars() -> None:
    found = checked_rows()
    assert (found.good.num_rows, found.quarantined) == (0, ())
    assert found.good.schema == BAR_SCHEMA


def test_a_source_of_closes_needs_no_open_high_and_low() -> None:
    row = bar(open=None, high=None, low=None, volume=None)
    found = checked_rows(row, is_closes_only=True)
    assert found.good.to_pylist() == [row]
    assert found.quarantined == ()


def test_a_source_of_closes_still_needs_a_close() -> None:
    found = checked_rows(bar() | dict.fromkeys(("open", "high", "low", "close")), is_closes_only=True)
    assert [row.rules for row in found.quarantined] == [("missing_close",)]


def test_the_second_bar_of_a_date_is_a_duplicate_and_says_that_it_is_identical() -> None:
    found = checked_rows(bar(), bar())
    assert found.good.num_rows == 1
    assert [(row.rules, row.payload["is_identical"]) for row in found.quarantined] == [(("duplicate",), True)]


def test_of_different_bars_of_a_date_the_first_stays() -> None:
    found = checked_rows(bar(close=11.0), bar(close=11.5), bar(close=11.0))
    assert found.good["close"].to_pylist() == [11.0]
    assert [row.payload["close"] for row in found.quarantined] == [11.5, 11.0]
    assert [row.payload["is_identical"] for row in found.quarantined] == [False, True]


def test_a_bad_bar_makes_no_duplicate_of_the_good_one_after_it() -> None:
    found = checked_rows(bar() | {"close": NAN}, bar(close=11.5))
    assert found.good["close"].to_pylist() == [11.5]
    assert [row.rules for row in found.quarantined] == [("missing_close",)]


def test_a_bar_that_is_set_aside_keeps_its_values_as_json_can_hold_them() -> None:
    row = bar(open=NAN, high=INF, low=None, close=11.25)
    (found,) = checked_rows(row | {"ticker": "A\0B"}).quarantined
    assert (found.ticker, found.date) == ("A", DAY)
    assert json.loads(json.dumps(found.payload, allow_nan=False)) == {
        "ticker": "A\ufffdB",  # PostgreSQL keeps no NUL
        "date": "2024-01-02",
        "open": None,
        "high": "inf",
        "low": None,
        "close": 11.25,
        "volume": 1000.0,
        "adjusted_close": 11.25,
    }


def test_a_date_beyond_the_calendar_is_kept_as_text() -> None:
    # 2**31 - 1 days after 1970, which Python's dates do not reach.
    dates = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
    bars = bars_of([bar()]).set_column(1, BAR_SCHEMA.field("date"), dates)
    (found,) = checked(bars, ticker="A", today=TODAY, is_closes_only=False).quarantined
    assert (found.date, found.rules) == (None, ("future_date",))
    assert found.payload["date"] == "5881580-07-11"


def test_good_actions_come_sorted() -> None:
    rows = [("A", DAY, "split", 2.0), ("A", DAY, "dividend", 0.25), ("A", dt.date(2023, 1, 3), "dividend", 0.2)]
    found = checked_actions(actions_of(rows), ticker="A")
    assert found.good.schema == ACTION_SCHEMA
    assert found.good.to_pylist() == actions_of([rows[2], rows[1], rows[0]]).to_pylist()
    assert found.quarantined == ()


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("B", DAY, "split", 2.0), "wrong_ticker"),
        (("A", None, "split", 2.0), "bad_action"),
        (("A", DAY, "merger", 2.0), "bad_action"),
        (("A", DAY, "split", None), "bad_action"),
        (("A", DAY, "split", 0.0), "bad_action"),
        (("A", DAY, "dividend", -0.1), "bad_action"),
        (("A", DAY, "dividend", NAN), "bad_action"),
        (("A", DAY, "dividend", INF), "bad_action"),
    ],
    ids=str,
)
def test_a_bad_action_is_set_aside_under_its_rule(
    row: tuple[str, dt.date | None, str, float | None], rule: str
) -> None:
    found = checked_actions(actions_of([row]), ticker="A")
    assert [refused.rules for refused in found.quarantined] == [(rule,)]
    assert found.good.num_rows == 0


def test_the_second_action_of_a_day_and_kind_is_a_duplicate() -> None:
    rows = [("A", DAY, "dividend", 0.1), ("A", DAY, "dividend", 0.2), ("A", DAY, "split", 2.0)]
    found = checked_actions(actions_of(rows), ticker="A")
    assert found.good["value"].to_pylist() == [0.1, 2.0]
    assert [(row.rules, row.payload["value"]) for row in found.quarantined] == [(("duplicate_action",), 0.2)]


_VALUES = st.none() | st.sampled_from([9.0, 10.0, 11.0, 12.0, 0.0, -1.0, NAN, INF, 1e15, 1e18]) | st.floats()
_DATES = st.none() | st.dates(DAY, DAY + dt.timedelta(days=4)) | st.dates()
_ROWS = st.lists(
    st.fixed_dictionaries(
        {"ticker": st.sampled_from(["A", "A", "A", "B", None]), "date": _DATES}
        | dict.fromkeys(("open", "high", "low", "close", "volume", "adjusted_close"), _VALUES)
    )
    # Mostly sound bars, so that many are good and many are of one date.
    | st.builds(bar, date=st.dates(DAY, DAY + dt.timedelta(days=4)), close=st.sampled_from([11.0, 0.5, 1e-3])),
    max_size=12,
)


@pytest.fixture(scope="module")
def market_data() -> Iterator[Engine]:
    """A database whose `market_data` has every CHECK of the models."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine, tables=[METADATA.tables["market_data"]])
    yield engine
    engine.dispose()


@given(rows=_ROWS, is_closes_only=st.booleans())
def test_every_row_is_either_good_or_quarantined(rows: list[Row], is_closes_only: bool) -> None:  # noqa: FBT001
    found = checked_rows(*rows, is_closes_only=is_closes_only)
    assert found.good.num_rows + len(found.quarantined) == len(rows)
    assert all(row.rules for row in found.quarantined)


@given(rows=_ROWS, is_closes_only=st.booleans())
def test_every_good_row_passes_the_checks_of_the_database(
    market_data: Engine,
    rows: list[Row],
    is_closes_only: bool,  # noqa: FBT001
) -> None:
    good: list[dict[str, Any]] = checked_rows(*rows, is_closes_only=is_closes_only).good.to_pylist()  # Any: mixed
    stored = {"source": "vendor", "known_at": dt.datetime(2024, 6, 3, tzinfo=dt.UTC)}
    with market_data.connect() as connection:
        if good:
            connection.execute(insert(Bar), [row | stored for row in good])
        connection.rollback()


@given(rows=_ROWS)
def test_every_quarantined_row_can_be_stored_as_json(rows: list[Row]) -> None:
    for row in checked_rows(*rows).quarantined:
        json.dumps(row.payload, allow_nan=False)
