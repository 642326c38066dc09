"""What a sheet says of holdings, orders and anything nested, in a few rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backend.services.tearsheet.numbers import NONE

#: Entries of a list that are written out.
_MOST_ENTRIES = 12
#: Fractional numbers from here on are written without a fraction.
_WHOLE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One holding at a close: its value in base currency and its share of equity, a fraction."""

    ticker: str
    shares: float
    value: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsSummary:
    """The largest holdings after the last change, and what is typical of all changes."""

    session: dt.date
    largest: list[Holding]
    n_others: int
    n_changes: int
    mean_count: float
    mean_largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind:
    """All orders of one kind: how many, their value and cost in base currency, and cost over value (None: no value)."""

    kind: str
    n: int
    value: float
    cost: float
    share: float | None


def holdings_summary(columns: Mapping[str, Sequence[Any]], n: int = 10) -> HoldingsSummary | None:  # Any: mixed columns
    """The holdings table in short; None when nothing was ever held."""
    by_session: dict[dt.date, list[Holding]] = defaultdict(list)
    names = ("session", "ticker", "shares", "value", "weight")
    for session, ticker, shares, value, weight in zip(*(columns[name] for name in names), strict=True):
        by_session[session].append(Holding(ticker=ticker, shares=shares, value=value, weight=weight))
    if not by_session:
        return None
    session = max(by_session)
    last = sorted(by_session[session], key=lambda held: (-abs(held.weight), held.ticker))
    return HoldingsSummary(
        session=session,
        largest=last[:n],
        n_others=len(last[n:]),
        n_changes=len(by_session),
        mean_count=sum(map(len, by_session.values())) / len(by_session),
        mean_largest=sum(max(abs(held.weight) for held in held) for held in by_session.values()) / len(by_session),
    )


def order_kinds(columns: Mapping[str, Sequence[Any]]) -> list[OrderKind]:  # Any: mixed columns
    """The orders table by kind, the most frequent kind first."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for kind, value, cost in zip(columns["kind"], columns["value"], columns["cost"], strict=True):
        total = sums[kind]
        total[0] += 1
        total[1] += value
        total[2] += cost
    kinds = [
        OrderKind(kind=kind, n=int(n), value=value, cost=cost, share=cost / value if value else None)
        for kind, (n, value, cost) in sums.items()
    ]
    return sorted(kinds, key=lambda it: (-it.n, it.kind))


def flattened(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Rows (name, text) of JSON values of any depth: a sheet shows blocks that later versions add to a document."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flattened(inner, f"{name} / {_words(key)}" if name else _words(key))
    else:
        yield name, _written(value)


def _written(value: object) -> str:
    if value is None or value in ({}, []):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(key)} {_written(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return _listed(value)
    return (f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.6g}") if isinstance(value, float) else str(value)


def _listed(values: Sequence[object]) -> str:
    between = "; " if any(isinstance(value, Mapping) for value in values) else ", "
    shown = between.join(map(_written, islice(values, _MOST_ENTRIES)))
    rest = len(values) - _MOST_ENTRIES
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def good_share(counts: Mapping[str, int]) -> float | None:
    """Share of the counted bars that is good, a fraction; None where nothing is counted."""
    total = sum(counts.values())
    return counts.get("good", 0) / total if total else None
