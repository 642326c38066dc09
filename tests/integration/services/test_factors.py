"""Factor files in both databases: imported, imported again, revised, withdrawn, and read as of a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.factors import FactorQuery, factor_datasets
from backend.ingest.errors import BadDataError
from backend.services.errors import RequestError
from backend.services.factors import FactorImport, FactorPage, factor_page, import_factors

MONDAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)
JULY_1, JULY_2, JULY_3 = (dt.date(1963, 7, day) for day in (1, 2, 3))


async def imported(engine: AsyncEngine, path: Path, text: str, now: dt.datetime = MONDAY) -> FactorImport:
    path.write_text(text)
    return await import_factors(engine, str(path), dataset="ff", clock=lambda: now)


async def page_of(
    engine: AsyncEngine, as_of: dt.datetime, *, names: Sequence[str] | None = None, limit: int = 100_000
) -> FactorPage:
    async with transaction(engine) as connection:
        return await factor_page(connection, FactorQuery(dataset="ff", as_of=as_of, names=names, limit=limit))


def counts(done: FactorImport) -> tuple[int, int, int, int]:
    return done.new, done.changed, done.withdrawn, done.unchanged


FIRST = ",SMB,HML\n19630701,0.02,-0.35\n19630702,-0.28,-99.99\n"
SECOND = ",SMB,HML\n19630701,0.05,-99.99\n19630702,-0.28,0.28\n19630703,0.10,0.20\n"


async def test_values_are_stored_once_and_missing_ones_not_at_all(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    done = await imported(engine, path, FIRST)
    assert counts(done) == (3, 0, 0, 0)
    assert (done.location, done.unit, done.known_at) == (str(path), "fraction", MONDAY)
    assert counts(await imported(engine, path, FIRST, TUESDAY)) == (0, 0, 0, 3)
    assert (await page_of(engine, WEDNESDAY)).rows == [
        (JULY_1, "HML", -0.0035),
        (JULY_1, "SMB", 0.0002),
        (JULY_2, "SMB", -0.0028),
    ]


async def test_a_revision_is_seen_from_its_moment_on(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    await imported(engine, path, FIRST)
    # One value changed, one is missing now, one was filled in, and a day is new.
    assert counts(await imported(engine, path, SECOND, TUESDAY)) == (3, 1, 1, 1)
    before = await page_of(engine, TUESDAY - dt.timedelta(microseconds=1))
    assert [(date, name) for date, name, _ in before.rows] == [(JULY_1, "HML"), (JULY_1, "SMB"), (JULY_2, "SMB")]
    after = await page_of(engine, TUESDAY)
    assert [(date, name) for date, name, _ in after.rows] == [
        (JULY_1, "SMB"),
        (JULY_2, "HML"),
        (JULY_2, "SMB"),
        (JULY_3, "HML"),
        (JULY_3, "SMB"),
    ]
    assert after.rows[0][2] == pytest.approx(0.0005)


async def test_a_withdrawn_value_may_come_back(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    for text, now in ((FIRST, MONDAY), (SECOND, TUESDAY), (FIRST, WEDNESDAY)):
        done = await imported(engine, path, text, now)
    # HML of July 1st is new again, HML of the 2nd withdrawn, SMB of the 1st changed back; the 3rd is not in the file.
    assert counts(done) == (1, 1, 1, 1)
    assert (JULY_1, "HML", -0.0035) in (await page_of(engine, WEDNESDAY)).rows


async def test_a_clock_that_goes_backwards_does_not_hide_a_revision(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    await imported(engine, path, FIRST, TUESDAY)
    await imported(engine, path, SECOND, MONDAY)
    rows = {(date, name): value for date, name, value in (await page_of(engine, WEDNESDAY)).rows}
    assert rows[JULY_1, "SMB"] == pytest.approx(0.0005)


async def test_a_file_that_is_refused_changes_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "ff.csv"
    await imported(engine, path, FIRST)
    with pytest.raises(BadDataError, match="line 3"):
        await imported(engine, path, ",SMB\n19630701,1.00\n19630702,much\n", TUESDAY)
    assert len((await page_of(engine, WEDNESDAY)).rows) == 3


async def test_every_name_says_how_far_it_reaches(engine: AsyncEngine, tmp_path: Path) -> None:
    await imported(engine, tmp_path / "ff.csv", FIRST)
    async with transaction(engine) as connection:
        found = await factor_datasets(connection, as_of=WEDNESDAY)
        assert await factor_datasets(connection, as_of=MONDAY - dt.timedelta(days=1)) == []
    assert [(it.dataset, it.name, it.first, it.last, it.n_values, it.known_at) for it in found] == [
        ("ff", "HML", JULY_1, JULY_1, 1, MONDAY),
        ("ff", "SMB", JULY_1, JULY_2, 2, MONDAY),
    ]


async def test_what_was_not_known_is_refused_with_what_was(engine: AsyncEngine, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="known are none"):
        await page_of(engine, WEDNESDAY)
    await imported(engine, tmp_path / "ff.csv", FIRST)
    with pytest.raises(RequestError, match="the names are HML, SMB"):
        await page_of(engine, WEDNESDAY, names=["CMA"])


@pytest.mark.parametrize("dataset", ["", "a b", "-ff", "f" * 81, "ff/5"])
async def test_a_dataset_needs_a_proper_name(engine: AsyncEngine, tmp_path: Path, dataset: str) -> None:
    with pytest.raises(RequestError, match="letters, digits"):
        await import_factors(engine, str(tmp_path), dataset=dataset)


def french(frame: pd.DataFrame) -> str:
    """A vintage in the form in which French's library serves it."""
    frame = frame.assign(date=[f"{day:%Y%m%d}" for day in frame["date"]])
    return frame.rename(columns={"date": ""}).to_csv(index=False)


def fraction(per_cent: float) -> float:
    """The fraction nearest to a printed per cent."""
    return float(f"{per_cent}e-2")


@pytest.mark.shared_data
async def test_the_revision_of_the_profitability_and_investment_factors_is_kept_cell_by_cell(
    engine: AsyncEngine, shared_data: Path, tmp_path: Path
) -> None:
    columns = ["date", "RMW", "CMA"]
    folder = shared_data / "factors"
    older = pd.read_parquet(folder / "ff5_daily_percent_vintage_emalek2024.parquet", columns=columns)
    newer = pd.read_parquet(folder / "ff5_mom_daily_percent.parquet", columns=columns)
    first = await imported(engine, tmp_path / "ff.csv", french(older))
    second = await imported(engine, tmp_path / "ff.csv", french(newer), TUESDAY)
    both = older.merge(newer, on="date", suffixes=("_before", "_after"))
    differs = {name: both[f"{name}_before"] != both[f"{name}_after"] for name in ("RMW", "CMA")}
    assert counts(first) == (2 * len(older), 0, 0, 0)
    n_changed = sum(int(cells.sum()) for cells in differs.values())
    assert counts(second) == (2 * (len(newer) - len(both)), n_changed, 0, 2 * len(both) - n_changed)
    # As it was known before, to the last digit, and how many cells moved by more than 0.01 per cent: SOURCES.md.
    moments = {"before": TUESDAY - dt.timedelta(microseconds=1), "after": TUESDAY}
    for name, n_moved in (("CMA", 8_128), ("RMW", 5_883)):
        known = {
            when: {date: value for date, _, value in (await page_of(engine, moment, names=[name])).rows}
            for when, moment in moments.items()
        }
        assert known["before"] == {
            date: fraction(value) for date, value in zip(older["date"], older[name], strict=True)
        }
        assert known["after"] == {date: fraction(value) for date, value in zip(newer["date"], newer[name], strict=True)}
        moves = np.array([known["after"][date] - known["before"][date] for date in both["date"]])
        assert int((np.abs(moves) > 0.0001 + 1e-9).sum()) == n_moved
