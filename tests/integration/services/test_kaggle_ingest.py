"""The first real ingest: bars of the S&P 500, 2013-2018, dirt included, into both databases.

Each database is filled once, and then once more with everything; the tests look at the two.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text

from backend.database.connection import make_engine, transaction
from backend.database.ingest_runs import FailureRecord, failures_of
from backend.database.migrations import migrate
from backend.database.universes import UniverseRecord
from backend.database.urls import direct_url
from backend.ingest.sources.files import FilesSource
from backend.services.ingest import IngestReport, ingest_universe
from support.postgres import empty_database

pytestmark = pytest.mark.shared_data

FILE = Path("prices", "us_sp500_kaggle_2013_2018.parquet")
MONDAY = dt.datetime(2018, 2, 12, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
UNIVERSE = UniverseRecord(
    key="KAGGLE", name="S&P 500", currency="USD", calendar="XNYS", benchmark=None, source="files", source_options={}
)
#: Rows, and rows without open, high and low, as SOURCES.md beside the data says.
N_ROWS, N_SYMBOLS = 619_040, 505
N_MISSING = {"missing_open": 11, "missing_high": 8, "missing_low": 8}

Versions = list[tuple[object, ...]]
#: Ticker, ISO date and rules of a row.
Dirt = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """A filled database: both reports, what the first set aside, and the written versions of rows after each."""

    url: str
    reports: tuple[IngestReport, IngestReport]
    failures: list[FailureRecord]
    versions: tuple[Versions, Versions]


def written_versions(engine: Engine) -> Versions:
    """How many rows were written by which transaction (PostgreSQL), or at which moments (SQLite)."""
    version = "xmin::text" if engine.dialect.name == "postgresql" else "updated_at, known_at"
    with engine.connect() as connection:
        query = text(f"SELECT {version}, count(*) FROM market_data GROUP BY {version} ORDER BY {version}")  # noqa: S608
        return [tuple(row) for row in connection.execute(query)]


async def ingest(url: str, path: Path, now: dt.datetime) -> tuple[IngestReport, list[FailureRecord]]:
    engine = make_engine(url)
    report = await ingest_universe(engine, FilesSource(path), UNIVERSE, clock=lambda: now, is_full=True)
    async with transaction(engine) as connection:
        failures = await failures_of(connection, report.run_id)
    await engine.dispose()
    return report, failures


def ingested_twice(url: str, path: Path) -> Ingested:
    migrate(url)
    engine = create_engine(direct_url(url))
    first, failures = asyncio.run(ingest(url, path, MONDAY))
    before = written_versions(engine)
    second, _ = asyncio.run(ingest(url, path, TUESDAY))
    after = written_versions(engine)
    engine.dispose()
    return Ingested(url=url, reports=(first, second), failures=failures, versions=(before, after))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ingested(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ingested]:
    if request.param == "sqlite":
        yield ingested_twice(f"sqlite:///{tmp_path_factory.mktemp('kaggle') / 'trades.db'}", shared_data / FILE)
        return
    with empty_database(request.getfixturevalue("postgres_server")) as url:
        yield ingested_twice(url, shared_data / FILE)


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> pd.DataFrame:
    """The file as pandas reads it."""
    frame = pd.read_parquet(shared_data / FILE)
    return frame.assign(symbol=frame["symbol"].astype(str))


def broken(raw: pd.DataFrame) -> pd.DataFrame:
    """Whether each row breaks each rule that the file breaks anywhere, in pandas' own words."""
    inside = {name: raw[name].between(raw["low"], raw["high"]) for name in ("open", "close")}
    is_known = raw[["high", "low"]].notna().all(axis=1)
    rules = {
        "missing_open": raw["open"].isna(),
        "missing_high": raw["high"].isna(),
        "missing_low": raw["low"].isna(),
        "high_below_low": raw["high"].lt(raw["low"]),
        "open_outside_range": ~inside["open"] & is_known & raw["open"].notna(),
        "close_outside_range": ~inside["close"] & is_known,
    }
    return pd.DataFrame(rules)


def expected_dirt(raw: pd.DataFrame) -> list[Dirt]:
    flags = broken(raw)
    flags = flags[flags.any(axis=1)]
    return sorted(
        (str(raw.loc[row, "symbol"]), str(raw.loc[row, "date"])[:10], ", ".join(flags.columns[values]))
        for row, values in zip(flags.index, flags.to_numpy(), strict=True)
    )


def found_dirt(failures: list[FailureRecord]) -> list[Dirt]:
    return sorted((row.ticker, str(row.date), row.reason) for row in failures)


def test_the_file_is_the_one_that_its_source_describes(raw: pd.DataFrame) -> None:
    assert (len(raw), raw["symbol"].nunique()) == (N_ROWS, N_SYMBOLS)
    assert {f"missing_{name}": int(raw[name].isna().sum()) for name in ("open", "high", "low")} == N_MISSING
    # What the expectation below leaves out, since there is none of it.
    assert not raw.duplicated(["symbol", "date"]).any()
    assert not raw["close"].isna().any()
    assert not (raw[["open", "high", "low", "close"]] <= 0).any(axis=None)
    assert not (raw["volume"] < 0).any()


def test_every_row_of_the_first_ingest_is_counted_once(ingested: Ingested, raw: pd.DataFrame) -> None:
    report, n_bad = ingested.reports[0], int(broken(raw).any(axis=1).sum())
    assert (report.status, report.tickers, report.failed) == ("succeeded", N_SYMBOLS, 0)
    assert (report.rows_in, report.quarantined) == (N_ROWS, n_bad)
    assert (report.inserted, report.changed, report.unchanged) == (N_ROWS - n_bad, 0, 0)


def test_the_quarantined_rows_are_exactly_the_broken_ones(ingested: Ingested, raw: pd.DataFrame) -> None:
    assert found_dirt(ingested.failures) == expected_dirt(raw)
    assert {row.error_class for row in ingested.failures} == {"BAD_DATA"}


def test_the_dirt_that_its_source_describes_is_among_them(ingested: Ingested) -> None:
    counts = ingested.reports[0].failures
    assert {rule: counts[rule] for rule in N_MISSING} == N_MISSING
    rules = {(row.ticker, str(row.date)): row.reason.split(", ") for row in ingested.failures}
    assert "high_below_low" in rules["AOS", "2014-05-19"]
    assert counts["high_below_low"] == 1
    # Half the price for a day: 17.87 on a low of 35.085.
    assert rules["LNT", "2016-05-19"] == ["close_outside_range"]


def test_a_quarantined_row_keeps_its_values(ingested: Ingested) -> None:
    (row,) = [row for row in ingested.failures if row.ticker == "AOS"]
    assert row.payload == {
        "ticker": "AOS",
        "date": "2014-05-19",
        "open": 23.89,
        "high": 23.595,
        "low": 23.85,
        "close": 24.445,
        "volume": 1944854.0,
        "adjusted_close": None,
    }


def test_the_stored_bars_add_up_to_those_of_the_file(ingested: Ingested, raw: pd.DataFrame) -> None:
    engine = create_engine(direct_url(ingested.url))
    sums = "count(*), min(date), max(date), sum(volume), sum(open), sum(high), sum(low), sum(close)"
    with engine.connect() as connection:
        query = text(f"SELECT ticker, {sums} FROM market_data GROUP BY ticker")  # noqa: S608  our own constant
        found = {row[0]: row[1:] for row in connection.execute(query)}
    engine.dispose()
    good = raw[~broken(raw).any(axis=1)].groupby("symbol")
    assert sorted(found) == sorted(str(name) for name in good.groups)
    dates = good["date"].agg(["count", "min", "max"])
    numbers = good[["volume", "open", "high", "low", "close"]].sum()
    for ticker, (count, first, last, *totals) in found.items():
        expected = (dates.loc[ticker, "count"], str(dates.loc[ticker, "min"])[:10], str(dates.loc[ticker, "max"])[:10])
        assert (count, str(first), str(last)) == expected
        np.testing.assert_allclose(totals, numbers.loc[ticker].to_numpy(), rtol=1e-12)  # in another order of addition


def test_a_second_full_ingest_finds_every_row_unchanged(ingested: Ingested) -> None:
    first, second = ingested.reports
    assert (second.inserted, second.changed, second.unchanged) == (0, 0, first.inserted)
    assert (second.rows_in, second.quarantined) == (first.rows_in, first.quarantined)


def test_a_second_full_ingest_writes_no_bar(ingested: Ingested) -> None:
    before, after = ingested.versions
    assert after == before
