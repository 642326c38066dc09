"""Manifests, and how sessions are parted into spans."""

from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.manifest import Chunk, Column, Manifest, Span
from aws.snapshots import parted_sessions
from support.snapshots import manifest_of


def weekdays(first: str, last: str) -> list[dt.date]:
    days = np.arange(first, np.datetime64(last) + 1, dtype="datetime64[D]")
    found: list[dt.date] = days[np.is_busday(days)].astype(object).tolist()
    return found


def bounds(parts: list[tuple[dt.date, ...]]) -> list[tuple[str, str]]:
    return [(part[0].isoformat(), part[-1].isoformat()) for part in parts]


def test_a_manifest_survives_its_json() -> None:
    chunks = (Chunk(offset=4, length=10, sha256="ab"), Chunk(offset=14, length=1, sha256="cd"))
    span = Span(
        n_sessions=3, sessions_per_chunk=2, tickers=(0, 2), columns={"close": Column(object="o", chunks=chunks)}
    )
    manifest = manifest_of(
        as_of=dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC),
        days=[dt.date(2024, 1, 4), dt.date(2024, 1, 5), dt.date(2024, 1, 8)],
        tickers=("A", "B", "C"),
        spans=[span],
    )
    data = manifest.to_json()
    assert Manifest.from_json(data) == manifest
    assert Manifest.from_json(data).to_json() == data
    assert (manifest.first, manifest.last) == (dt.date(2024, 1, 4), dt.date(2024, 1, 8))


def test_the_json_of_a_manifest_is_fixed() -> None:
    # Snapshot ids are hashes of it: another one for the same facts would make every backtest anew.
    manifest = manifest_of(as_of=dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC), tickers=("A",))
    body = manifest.to_json().split(b'"tables"')[0]
    assert body == (
        b'{"as_of":"2024-01-08T22:00:00+00:00","benchmark":null,"currency":"USD","n_bars":1,"quality":{"good":1,'
        b'"suspect":0},"schema_version":2,"sessions":{"first":"2024-01-04","gaps":[]},"spans":[],'
    )
    assert len(hashlib.sha256(manifest.to_json()).hexdigest()) == 64


def test_a_universe_of_stocks_has_two_spans() -> None:
    # The newest quarter is the fourth of 2026, and five are before it in the open span.
    assert bounds(parted_sessions(weekdays("2005-12-05", "2026-11-24"), 560)) == [
        ("2005-12-05", "2025-06-30"),
        ("2025-07-01", "2026-11-24"),
    ]


def test_the_next_day_moves_only_the_open_span() -> None:
    before = parted_sessions(weekdays("2005-12-05", "2026-11-24"), 560)
    after = parted_sessions(weekdays("2005-12-05", "2026-11-25"), 560)
    assert after[:-1] == before[:-1]


def test_a_new_quarter_extends_the_closed_span() -> None:
    before = parted_sessions(weekdays("2005-12-05", "2026-12-31"), 560)
    after = parted_sessions(weekdays("2005-12-05", "2027-01-01"), 560)
    assert bounds(after)[-1] == ("2025-10-01", "2027-01-01")
    assert after[0][: len(before[0])] == before[0]


def test_a_large_universe_is_parted_into_eras_that_a_few_tickers_do_not_move() -> None:
    days = weekdays("2005-01-03", "2026-11-24")
    parts = parted_sessions(days, 8000)
    assert max(len(part) for part in parts) * 8000 < 6_000_000
    assert bounds(parts)[:2] == [("2005-01-03", "2006-12-29"), ("2007-01-01", "2008-12-31")]
    assert parted_sessions(days, 8300) == parts


@given(
    days=st.sets(st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)), min_size=1),
    n_tickers=st.sampled_from([1, 500, 8000, 50_000]),
)
def test_the_spans_together_are_all_sessions_in_order(days: set[dt.date], n_tickers: int) -> None:
    parts = parted_sessions(sorted(days), n_tickers)
    assert [day for part in parts for day in part] == sorted(days)


@pytest.mark.parametrize("newest", ["2024-01-01", "2024-03-29", "2024-07-01", "2024-12-31"])
def test_a_year_of_sessions_lies_in_the_open_span(newest: str) -> None:
    assert 260 <= len(parted_sessions(weekdays("2005-01-03", newest), 560)[-1]) <= 400
