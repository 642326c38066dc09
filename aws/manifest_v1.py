"""Manifests of schema version 1, said in version 2: what was ever published stays readable.

Version 1 named the sessions and tickers of every span by themselves, and had all columns of a span in one object: one
range each, and one of the footer. A column's range is a run of pages, so it is one chunk over all sessions of its span.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

_FOOTER = "footer"


def modern_body(body: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The same manifest as version 2 writes it."""
    days = [dt.date.fromisoformat(text) for span in body["spans"] for text in span["sessions"]]
    tickers = sorted({ticker for span in body["spans"] for ticker in span["tickers"]})
    column_of = {ticker: column for column, ticker in enumerate(tickers)}
    return body | {
        "sessions": {"first": days[0].isoformat(), "gaps": [(after - day).days for day, after in pairwise(days)]},
        "tickers": tickers,
        "spans": [_modern_span(span, column_of) for span in body["spans"]],
    }


def _modern_span(span: dict[str, Any], column_of: dict[str, int]) -> dict[str, Any]:  # Any: JSON
    is_full = len(span["tickers"]) == len(column_of)
    return {
        "n_sessions": len(span["sessions"]),
        "sessions_per_chunk": len(span["sessions"]),
        "tickers": None if is_full else [column_of[ticker] for ticker in span["tickers"]],
        "columns": {
            name: {"object": span["object"], "chunks": [(part["offset"], part["length"], part["sha256"])]}
            for name, part in span["ranges"].items()
            if name != _FOOTER
        },
    }
