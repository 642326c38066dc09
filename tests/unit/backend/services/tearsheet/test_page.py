"""The sheet as a whole: everything in it, nothing from elsewhere, and no name that could inject."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from backend.services.derived_tables import Curves
from backend.services.tearsheet.page import month_rows, tearsheet_page
from backend.services.tearsheet.summaries import flattened, holdings_summary, order_kinds
from support.panels import business_days

EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"
ORDERS: dict[str, list[Any]] = {
    "kind": ["rebalance", "delisting", "rebalance"],
    "value": [100.0, 50.0, 300.0],
    "cost": [1.0, 0.0, 1.0],
}


def curves_of_length(n: int) -> Curves:
    steps = np.random.default_rng(7).normal(0.0005, 0.01, size=(2, n))
    ours, theirs = (100_000 * np.cumprod(1 + row).astype(np.float64) for row in steps)
    sessions = business_days(n, "2019-03-01")
    cash = np.zeros(n)
    return Curves(sessions=sessions, equity=ours, cash=cash, benchmark=theirs, periods_per_year=261, cash_rate=0.0)


def document(name: str = "dual_momentum", ticker: str | None = "SPY") -> dict[str, Any]:
    return {
        "id": "ab" * 32,
        "spec": {"strategy": name, "universe": name, "base_currency": "AUD", "parameters": {"tickers": [name, "B"]}},
        "first_session": "2019-03-01",
        "last_session": "2021-01-29",
        "n_sessions": 500,
        "metrics": [{"key": "cagr", "value": 0.1, "unit": "fraction", "definition": f"Growth of {name}."}],
        "benchmark": {"kind": "ticker", "ticker": ticker, "definition": "Bought and held."},
        "books": {"costs": 2.0, "final_equity": 110.0, "initial_cash": 100.0, "trading_profit": 12.0},
        "honesty": {
            "lookahead": {"checked": ["2020-01-02"], "is_identical": True},
            "quality": {"good": 99, "suspect": 1},
            "delisted": 0,
            "track_record": {"probabilistic_sharpe": 0.9, "minimum_length": 687.4, "n_returns": 499},
            "survivorship": {
                "delisted": {"capital_share": 0.1},
                "missing": {"share": None},
                "scenarios": [{"loss": -0.3, "cagr": 0.09}],
            },
            "later_audit": {"gap": {"missing": [{"ticker": name, "n": 2}]}},
        },
        "meta": {"as_of": "2021-02-01", "snapshot": "cd" * 32, "data_hash": "ef" * 32, "generated_at": "2021-02-02"},
    }


def holdings_of(ticker: str) -> pa.Table:
    days = business_days(2).tolist()
    return pa.table(
        {
            "session": [days[0], days[1], days[1]],
            "ticker": ["A", ticker, "A"],
            "shares": [1.0, 2.0, 3.0],
            "value": [10.0, 70.0, 30.0],
            "weight": [1.0, 0.7, 0.3],
        }
    )


def page(name: str = "dual_momentum", n: int = 500) -> str:
    found = document(name, name)
    return tearsheet_page(found, curves_of_length(n), orders=pa.table(ORDERS), holdings=holdings_of(name))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> _Tags:
    found = _Tags()
    found.feed(text)
    return found


def test_the_same_document_gives_the_same_bytes() -> None:
    assert page() == page()


def test_no_name_can_inject() -> None:
    harmless, evil = parsed(page("x")), parsed(page(EVIL))
    # The same elements with the same attributes but for what is written in them, and the name as plain text.
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(attributes) for _, attributes in evil.tags] == [
        sorted(attributes) for _, attributes in harmless.tags
    ]
    assert EVIL in evil.text
    assert "49" not in {text.strip() for text in evil.text.split("\n")}


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    found = parsed(page())
    assert {"script", "link", "img", "iframe", "object", "form"}.isdisjoint(tag for tag, _ in found.tags)
    assert not [
        name for _, attributes in found.tags for name in attributes if name in {"src", "href"} or name[:2] == "on"
    ]
    assert not re.search(r"https?://|url\(|@import", page())


def test_every_table_has_headers_and_every_drawing_a_name() -> None:
    found = parsed(page())
    tables = sum(tag == "table" for tag, _ in found.tags)
    assert tables == sum(tag == "thead" for tag, _ in found.tags) > 6
    assert all("scope" in attributes for tag, attributes in found.tags if tag == "th")
    drawings = [attributes for tag, attributes in found.tags if tag == "svg"]
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(drawings) == 6
    assert len(ids) == len(set(ids))
    for attributes in drawings:
        assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)


def test_the_page_names_what_it_was_computed_from_and_blocks_it_does_not_know() -> None:
    text = parsed(page()).text
    assert "10.0\u00a0% of the capital" in text
    assert "499 sessions, where 687 suffice" in text
    for part in ("ab" * 32, "cd" * 32, "ef" * 32, "later audit / gap / missing", "parameters / tickers"):
        assert part in text


@pytest.mark.parametrize("n", [2, 30, 200])
def test_a_short_result_is_drawn_too(n: int) -> None:
    assert "Sharpe ratio" in page(n=n)


def test_months_stand_in_their_year_and_add_up_to_it() -> None:
    curves = curves_of_length(500)
    rows = month_rows(curves)
    assert [row.year for row in rows] == [2021, 2020, 2019]
    product = np.prod([1 + cell[0] for cell in rows[1].months if cell is not None])
    assert product - 1 == pytest.approx(rows[1].total)
    assert rows[2].months[:2] == [None, None]
    assert max(cell[1] for row in rows for cell in row.months if cell is not None) == 50


def test_holdings_are_summed_up_with_the_largest_first() -> None:
    found = holdings_summary(holdings_of("BIG").to_pydict(), n=1)
    assert found is not None
    assert [held.ticker for held in found.largest] == ["BIG"]
    assert (found.n_others, found.n_changes, found.mean_count) == (1, 2, 1.5)
    assert found.mean_largest == pytest.approx((1.0 + 0.7) / 2)
    assert holdings_summary(holdings_of("BIG").slice(0, 0).to_pydict()) is None


def test_orders_are_summed_up_by_kind() -> None:
    first, second = order_kinds(ORDERS)
    assert (first.kind, first.n, first.value, first.cost, first.share) == ("rebalance", 2, 400.0, 2.0, 0.005)
    assert (second.kind, second.n, second.share) == ("delisting", 1, 0.0)


def test_nested_values_become_rows() -> None:
    found = list(flattened({"a_b": {"c": True, "d": None}, "e": [1, 2], "f": [], "g": 0.1, "h": list(range(20))}))
    assert found == [
        ("a b / c", "yes"),
        ("a b / d", "\u2013"),
        ("e", "1, 2"),
        ("f", "\u2013"),
        ("g", "0.1"),
        ("h", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"),
    ]


def test_a_result_of_an_older_engine_has_its_sheet() -> None:
    old = document()
    old["honesty"] = {name: old["honesty"][name] for name in ("lookahead", "quality", "delisted")}
    text = tearsheet_page(old, curves_of_length(30), orders=pa.table(ORDERS), holdings=holdings_of("B"))
    assert "No look-ahead" in text
    assert "true Sharpe" not in text
