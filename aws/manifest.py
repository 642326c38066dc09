"""The manifest of a snapshot: which sessions and tickers it has, and where their values are.

Its canonical JSON is hashed, and the hash is the snapshot id. Written since schema version 2::

    {"schema_version": 2, "universe", "currency", "benchmark", "as_of", "n_bars", "quality",
     "sessions": {"first": "2005-01-03", "gaps": [1, 1, 1, 3, ...]},      days from each session to the next
     "tickers": ["A", "AA", ...],
     "tables": {"actions": "<Arrow IPC in base64>", "members": ...},
     "spans": [{"n_sessions": 780, "sessions_per_chunk": 256, "tickers": null,
                "columns": {"close": {"object": "objects/<sha256>.parquet",
                                      "chunks": [[offset, length, sha256], ...]}, ...}}, ...]}

The spans follow each other and together are all sessions; a span's `tickers` are their places among all tickers, null
when it has every one. Manifests of version 1 can still be read (`aws.manifest_v1`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

SCHEMA_VERSION = 2
_EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes of one column over some sessions in an object, and their sha256."""

    offset: int
    length: int
    sha256: str

    @property
    def stop(self) -> int:
        """Place behind the last byte."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a span: the object that holds it, and its chunks in order of time."""

    object: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some sessions in a row: how many, which of the snapshot's tickers (None: all), and where their values are."""

    n_sessions: int
    sessions_per_chunk: int
    tickers: tuple[int, ...] | None
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything a panel is made of.

    `as_of` is the newest moment of knowledge among the facts included, not the moment of the build: the same facts give
    the same snapshot. `n_bars` and `quality` count the bars. `days` are the sessions, as days since 1970-01-01.
    `tables` holds the corporate actions and the members, as `aws.facts` writes and reads them.
    """

    universe: str
    currency: str
    benchmark: str | None
    as_of: dt.datetime
    n_bars: int
    quality: Mapping[str, int]
    days: tuple[int, ...]
    tickers: tuple[str, ...]
    spans: tuple[Span, ...]
    tables: Mapping[str, str]

    @property
    def first(self) -> dt.date:
        """First session."""
        return _date(self.days[0])

    @property
    def last(self) -> dt.date:
        """Last session."""
        return _date(self.days[-1])

    def to_json(self) -> bytes:
        """Canonical JSON, whose hash is the snapshot id."""
        body = {
            "schema_version": SCHEMA_VERSION,
            "universe": self.universe,
            "currency": self.currency,
            "benchmark": self.benchmark,
            "as_of": self.as_of.isoformat(),
            "n_bars": self.n_bars,
            "quality": dict(self.quality),
            "sessions": {"first": self.first.isoformat(), "gaps": [after - day for day, after in pairwise(self.days)]},
            "tickers": self.tickers,
            "tables": dict(self.tables),
            "spans": [_span_json(span) for span in self.spans],
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """The manifest of its canonical JSON, of this version or of version 1."""
        body = json.loads(data)
        if body["schema_version"] == 1:
            from aws.manifest_v1 import modern_body  # noqa: PLC0415  only for snapshots of old

            body = modern_body(body)
        sessions = body["sessions"]
        return cls(
            **{name: body[name] for name in ("universe", "currency", "benchmark", "n_bars", "quality", "tables")},
            as_of=dt.datetime.fromisoformat(body["as_of"]),
            days=tuple(accumulate(sessions["gaps"], initial=day_number(dt.date.fromisoformat(sessions["first"])))),
            tickers=tuple(body["tickers"]),
            spans=tuple(_span(span) for span in body["spans"]),
        )


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def _date(number: int) -> dt.date:
    return dt.date.fromordinal(number + _EPOCH)


def _span(body: dict[str, Any]) -> Span:  # Any: JSON
    tickers = body["tickers"]
    return Span(
        n_sessions=body["n_sessions"],
        sessions_per_chunk=body["sessions_per_chunk"],
        tickers=None if tickers is None else tuple(tickers),
        columns={name: _column(**column) for name, column in body["columns"].items()},
    )


def _column(object: str, chunks: list[tuple[int, int, str]]) -> Column:  # noqa: A002  as in the JSON
    return Column(
        object=object,
        chunks=tuple(Chunk(offset=offset, length=length, sha256=sha256) for offset, length, sha256 in chunks),
    )


def _span_json(span: Span) -> dict[str, Any]:  # Any: JSON
    return {
        "n_sessions": span.n_sessions,
        "sessions_per_chunk": span.sessions_per_chunk,
        "tickers": span.tickers,
        "columns": {
            name: {
                "object": column.object,
                "chunks": [(chunk.offset, chunk.length, chunk.sha256) for chunk in column.chunks],
            }
            for name, column in span.columns.items()
        },
    }
