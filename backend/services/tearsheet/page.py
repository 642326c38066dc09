"""A result as one HTML file that needs nothing else: no script, no style sheet, no font or picture of another place.

The bytes are a pure function of the stored document and its tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.services.derived_tables import Curves, drawdowns_table, monthly_table, yearly_table
from backend.services.tearsheet import numbers
from backend.services.tearsheet.pictures import moving_window, pictures
from backend.services.tearsheet.summaries import flattened, good_share, holdings_summary, order_kinds

if TYPE_CHECKING:
    import pyarrow as pa
    from jinja2 import Template

HEADLINE = ("cagr", "sharpe", "max_drawdown", "volatility", "turnover", "cost_drag")
#: 95 of 100 months keep below the size that has the full colour, so that one crash does not make every other pale.
_FULL_COLOUR = 0.95
#: Half of the full colour at most, percent, so that the number on it keeps its contrast.
_MOST_COLOUR = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A row of the table of months: return and strength of colour (percent) of each; None where there is none."""

    year: int
    months: list[tuple[float, int] | None]
    total: float | None
    benchmark: float | None


def tearsheet_page(
    document: Mapping[str, Any],  # Any: JSON values
    curves: Curves,
    *,
    orders: pa.Table,
    holdings: pa.Table,
) -> str:
    """The sheet of a stored backtest as HTML; every text of it is escaped."""
    metrics = {metric["key"]: metric for metric in document["metrics"]}
    benchmark = document["benchmark"]["ticker"] or "benchmark"
    return _template().render(
        document=document,
        spec=document["spec"],
        title=numbers.metric_name(document["spec"]["strategy"]),
        benchmark=benchmark,
        headline=[(metrics[key], metrics.get(f"benchmark_{key}")) for key in HEADLINE if key in metrics],
        good_share=good_share(document["honesty"].get("quality", {})),
        plots=pictures(curves, benchmark),
        window=moving_window(curves),
        years=month_rows(curves),
        falls=drawdowns_table(curves).to_pylist(),
        held=holdings_summary(holdings.to_pydict()),
        books=_told_books(document["books"]),
        kinds=order_kinds(orders.to_pydict()),
        honesty=list(flattened(document["honesty"])),
        spec_rows=list(flattened(document["spec"])),
        spec_json=json.dumps(document["spec"], sort_keys=True, indent=2),
    )


def month_rows(curves: Curves) -> list[Year]:
    """Returns of months and years, the newest year first."""
    months = {(row["month"].year, row["month"].month): row["return"] for row in monthly_table(curves).to_pylist()}
    sizes = sorted(abs(value) for value in months.values() if value is not None)
    full = sizes[int(_FULL_COLOUR * (len(sizes) - 1))] if sizes else 0.0

    def cell(year: int, month: int) -> tuple[float, int] | None:
        value = months.get((year, month))
        return None if value is None else (value, _strength(value, full))

    return [
        Year(
            year=row["year"].year,
            months=[cell(row["year"].year, month) for month in range(1, 13)],
            total=row["return"],
            benchmark=row["benchmark"],
        )
        for row in reversed(yearly_table(curves).to_pylist())
    ]


def _told_books(books: Mapping[str, float]) -> list[tuple[str, float]]:
    """The books from the initial cash to the final equity, what lies between by name."""
    places = {"initial_cash": 0, "trading_profit": 1, "final_equity": 3}
    return sorted(books.items(), key=lambda item: (places.get(item[0], 2), item[0]))


def _strength(value: float, full: float) -> int:
    return round(min(1.0, abs(value) / full) * _MOST_COLOUR) if full > 0 else 0


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  cold start

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (numbers.percent, numbers.amount, numbers.count, numbers.ratio, numbers.metric_name):
        environment.filters[function.__name__] = function
    environment.filters["metric_text"] = numbers.metric_text
    environment.filters["direction"] = numbers.direction
    return environment.get_template("page.html.jinja")
