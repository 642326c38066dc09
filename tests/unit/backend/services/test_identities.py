"""Bars of a symbol are stored under the instrument that bore it."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.database.universes import UniverseRecord
from backend.ingest.errors import BadDataError, NetworkError
from backend.ingest.pipeline import TickerOutcome
from backend.services.identities import Identities
from strategy.symbols import SymbolStay, symbol_stays
from support.bars import actions_of, bar, bars_of

TODAY = dt.date(2026, 11, 25)
NOW = dt.datetime(2026, 11, 25, 22, tzinfo=dt.UTC)
UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="files", source_options={}, kind="etf"
)
WASTE = symbol_stays(
    "WM",
    "UW",
    start_date=dt.date(1998, 1, 2),
    changes=[(dt.date(1998, 7, 17), "WMI"), (dt.date(2009, 8, 5), "WM")],
    delisted_on=None,
)
LEHMAN = symbol_stays("LEH", "LEH", start_date=None, changes=[], delisted_on=dt.date(2008, 9, 18))


def known(*stays: SymbolStay, is_dated: bool = False, newest: dict[str, dt.date] | None = None) -> Identities:
    return Identities(
        universe=UNIVERSE,
        today=TODAY,
        is_dated=is_dated,
        stays=list(stays),
        newest=newest or {},
        registered={stay.instrument for stay in stays},
    )


def fetched(symbol: str, *days: str, **facts: str) -> TickerOutcome:
    dates = [dt.date.fromisoformat(day) for day in days]
    actions = actions_of([(symbol, dates[-1], "split", 2.0)]) if dates else actions_of([])
    good = bars_of(bar(symbol, date) for date in dates)
    return TickerOutcome(ticker=symbol, source="vendor", n_rows=len(dates), good=good, actions=actions, metadata=facts)


def shown(outcomes: list[TickerOutcome]) -> dict[str, list[str]]:
    """Days of each instrument; its bars and actions must bear its id."""
    for outcome in outcomes:
        assert set(outcome.good["ticker"].to_pylist()) <= {outcome.ticker}
        assert set(outcome.actions["ticker"].to_pylist()) <= {outcome.ticker}
        assert outcome.n_rows == outcome.good.num_rows
    return {outcome.ticker: [str(day) for day in outcome.good["date"].to_pylist()] for outcome in outcomes}


def test_a_new_symbol_is_an_instrument_of_that_id() -> None:
    run = known()
    assert shown(run.identified(fetched("A", "2024-01-02"))) == {"A": ["2024-01-02"]}
    (new,) = run.take_new()
    assert (new.id, new.symbol, new.start_date) == ("A", "A", None)
    assert (new.kind, new.currency, new.calendar) == ("etf", "USD", "XNYS")
    assert run.take_new() == []


def test_a_vendor_may_say_what_an_instrument_is() -> None:
    run = known()
    run.identified(fetched("AUDUSD=X", "2024-01-02", instrument="CURRENCY", currency="AUD"))
    (new,) = run.take_new()
    assert (new.kind, new.currency) == ("fx", "AUD")


def test_a_vendor_asked_for_todays_symbol_gives_the_history_under_the_id() -> None:
    run = known(*WASTE)
    assert run.id_of("WM") == "WM"
    assert shown(run.identified(fetched("WM", "1998-01-02", "2024-01-02"))) == {"WM": ["1998-01-02", "2024-01-02"]}


def test_bars_of_the_present_symbol_of_a_renamed_instrument_are_its_own() -> None:
    run = known(*symbol_stays("FB", "FB", start_date=None, changes=[(dt.date(2022, 6, 9), "META")], delisted_on=None))
    assert shown(run.identified(fetched("META", "2024-01-02"))) == {"FB": ["2024-01-02"]}


def test_rows_under_the_symbols_of_their_day_go_to_who_bore_them() -> None:
    # WM was Washington Mutual's until 2008, of which nothing is registered, and is Waste Management's since 2009-08-05.
    run = known(*WASTE, is_dated=True)
    days = ("1998-12-09", "2008-09-26", "2009-08-05", "2021-03-31")
    assert shown(run.identified(fetched("WM", *days))) == {"WM@1998-12-09": list(days[:2]), "WM": list(days[2:])}
    assert shown(run.identified(fetched("WMI", "2009-08-04"))) == {"WM": ["2009-08-04"]}
    (new,) = run.take_new()
    assert (new.id, new.symbol) == ("WM@1998-12-09", "WM")


def test_the_same_rows_go_to_the_same_instruments_the_second_time() -> None:
    run = known(*WASTE, is_dated=True)
    first = shown(run.identified(fetched("WM", "1998-12-09", "2009-08-05")))
    assert len(run.take_new()) == 1
    assert shown(run.identified(fetched("WM", "1998-12-09", "2009-08-05"))) == first
    assert run.take_new() == []


def test_bars_after_a_delisting_are_another_companys() -> None:
    run = known(*LEHMAN, newest={"LEH": dt.date(2008, 9, 17)})
    assert run.id_of("LEH") == "LEH"
    found = shown(run.identified(fetched("LEH", "2008-09-17", "2024-01-02")))
    assert found == {"LEH": ["2008-09-17"], "LEH@2024-01-02": ["2024-01-02"]}
    assert run.id_of("LEH") == "LEH@2024-01-02"


def test_a_listing_that_began_after_the_last_stored_bar_is_another_companys() -> None:
    a = symbol_stays("A", "A", start_date=None, changes=[], delisted_on=None)
    run = known(*a, newest={"A": dt.date(2019, 5, 1)})
    found = shown(run.identified(fetched("A", "2020-01-02", first_trade_date="2020-01-02")))
    assert found == {"A@2020-01-02": ["2020-01-02"]}


@pytest.mark.parametrize(
    ("days", "facts"),
    [
        (("2019-05-31",), {}),
        (("2019-05-01", "2024-01-02"), {}),
        (("2024-01-02",), {"first_trade_date": "1999-01-04"}),
    ],
    ids=["a gap of thirty days", "a bar that joins them", "a listing as old as the stored bars"],
)
def test_bars_that_join_the_stored_ones_are_the_same_companys(days: tuple[str, ...], facts: dict[str, str]) -> None:
    a = symbol_stays("A", "A", start_date=None, changes=[], delisted_on=None)
    run = known(*a, newest={"A": dt.date(2019, 5, 1)})
    assert shown(run.identified(fetched("A", *days, **facts))) == {"A": list(days)}


def test_bars_that_nothing_joins_to_the_stored_ones_are_refused_with_the_remedy() -> None:
    a = symbol_stays("A", "A", start_date=None, changes=[], delisted_on=None)
    run = known(*a, newest={"A": dt.date(2019, 5, 1)})
    (outcome,) = run.identified(fetched("A", "2019-06-01"))
    assert isinstance(outcome.failure, BadDataError)
    assert outcome.good.num_rows == 0
    for part in ("end on 2019-05-01", "begin on 2019-06-01", "--full", "delisting"):
        assert part in outcome.failure.reason


def test_a_failure_is_told_of_the_instrument() -> None:
    run = known(*symbol_stays("FB", "FB", start_date=None, changes=[(dt.date(2022, 6, 9), "META")], delisted_on=None))
    down = NetworkError("vendor", "META", "down")
    (outcome,) = run.identified(TickerOutcome(ticker="META", source="vendor", failure=down))
    assert outcome.ticker == "FB"
    assert isinstance(outcome.failure, NetworkError)
