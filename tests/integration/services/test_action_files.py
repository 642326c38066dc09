"""Instruments and actions from files, up to stored bars that no reused symbol joins."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.actions import actions
from backend.database.connection import transaction
from backend.database.instruments import InstrumentRecord, add_instruments, instruments
from backend.database.models.market import Bar
from backend.database.universes import UniverseRecord
from backend.ingest.errors import SourceSettingsError
from backend.ingest.sources.selection import make_source
from backend.services.action_files import ActionImport, import_actions, import_factor_files, import_map_files
from backend.services.ingest import IngestReport, ingest_universe

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)


def maps(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.replace('_', '.')}.csv").write_text(text, encoding="utf-8")
    return folder


async def imported(engine: AsyncEngine, folder: Path) -> ActionImport:
    return await import_map_files(engine, folder, currency="USD", calendar="XNYS", clock=lambda: MONDAY)


async def test_a_company_still_listed_has_the_id_of_its_symbol(engine: AsyncEngine, tmp_path: Path) -> None:
    folder = maps(
        tmp_path,
        fb_1="19990929,fb\n20030328,fb\n",
        fb="20120518,fb\n20501231,fb\n",
        twx_1="19980102,twx\n20010111,twx\n",
        twx="19980102,aol\n20031015,aol\n20180615,twx\n",
    )
    assert await imported(engine, folder) == ActionImport(instruments=4, actions=4, new=4)
    async with transaction(engine) as connection:
        found = await instruments(connection, ["FB", "FB@1999-09-29", "TWX", "TWX@1998-01-02"])
        told = await actions(connection, sorted(found))
    assert {key: record.symbol for key, record in found.items()} == {
        "FB": "FB",
        "FB@1999-09-29": "FB",
        "TWX": "AOL",
        "TWX@1998-01-02": "TWX",
    }
    # 2003-03-28, 2001-01-11 and 2018-06-15 were Friday, Thursday and Friday; the next sessions are these.
    assert [(it.ticker, it.kind, it.ex_date, it.new_symbol) for it in told] == [
        ("FB@1999-09-29", "delisting", dt.date(2003, 3, 31), None),
        ("TWX", "symbol_change", dt.date(2003, 10, 16), "TWX"),
        ("TWX", "delisting", dt.date(2018, 6, 18), None),
        ("TWX@1998-01-02", "delisting", dt.date(2001, 1, 12), None),
    ]


async def test_maps_a_second_time_change_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    folder = maps(tmp_path, fb_1="19990929,fb\n20030328,fb\n", fb="20120518,fb\n20501231,fb\n")
    await imported(engine, folder)
    assert await imported(engine, folder) == ActionImport(instruments=2, actions=1, new=0)


async def test_an_instrument_of_which_only_the_symbol_is_known_is_described(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    ingested = InstrumentRecord(
        id="WM",
        symbol="WM",
        start_date=None,
        kind="equity",
        currency="USD",
        calendar="XNYS",
        name=None,
        known_at=MONDAY,
    )
    async with transaction(engine) as connection:
        await add_instruments(connection, [ingested])
    await imported(engine, maps(tmp_path, wm="19980102,uw\n19980716,uw\n20090804,wmi\n20501231,wm\n"))
    async with transaction(engine) as connection:
        (found,) = (await instruments(connection, ["WM"])).values()
    assert (found.symbol, found.start_date) == ("UW", dt.date(1998, 1, 2))


@pytest.mark.parametrize(("files", "reason"), [({}, "no file"), ({"a": "20200102,a\nx,a\n"}, "line 2")])
async def test_damaged_maps_leave_nothing_behind(
    engine: AsyncEngine, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    with pytest.raises(SourceSettingsError, match=reason):
        await imported(engine, maps(tmp_path, **files))
    async with transaction(engine) as connection:
        assert await instruments(connection, ["A"]) == {}


async def test_a_table_of_actions_is_stored_once(engine: AsyncEngine, tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(
        "ticker,ex_date,kind,value,new_symbol\nNA,2024-01-02,split,2,\nNA,2024-01-03,dividend,0.5,\n"
        "NA,2024-01-04,symbol_change,1,NB\nNA,2024-01-05,delisting,-1,\n",
        encoding="utf-8",
    )
    assert await import_actions(engine, path, clock=lambda: MONDAY) == ActionImport(instruments=1, actions=4, new=4)
    assert (await import_actions(engine, path, clock=lambda: MONDAY)).new == 0
    async with transaction(engine) as connection:
        told = await actions(connection, ["NA"])
    assert [(it.kind, it.value, it.new_symbol) for it in told] == [
        ("split", 2.0, None),
        ("dividend", 0.5, None),
        ("symbol_change", 1.0, "NB"),
        ("delisting", -1.0, None),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ticker,ex_date,kind\nA,2024-01-02,split\n", "no column value; columns found: ticker, ex_date, kind"),
        ("ticker,ex_date,kind,value\nA,2024-01-02,split,2\nA,2024-01-03,split,-1\n", "row 2 is no action.*value=-1"),
        ("ticker,ex_date,kind,value\nA,2024-01-02,merger,1\n", "row 1 is no action.*merger"),
        ("ticker,ex_date,kind,value\nA,soon,split,2\n", "another type"),
        ("ticker,ex_date,kind,value\nA,2024-01-02,symbol_change,1\n", "row 1 is no action"),
    ],
)
async def test_a_damaged_table_of_actions_is_refused_whole(
    engine: AsyncEngine, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceSettingsError, match=reason):
        await import_actions(engine, path)
    async with transaction(engine) as connection:
        assert await actions(connection, ["A"]) == []


async def ingest_lean(engine: AsyncEngine, path: Path) -> IngestReport:
    universe = UniverseRecord(
        key="LEAN",
        name="LEAN",
        currency="USD",
        calendar="XNYS",
        benchmark=None,
        source="files",
        source_options={"path": str(path), "symbols": "dated"},
    )
    source = make_source(universe.source, universe.source_options)
    try:
        return await ingest_universe(engine, source, universe, is_full=True)
    finally:
        await source.close()


@pytest.mark.shared_data
async def test_a_reused_symbol_joins_no_two_companies(engine: AsyncEngine, shared_data: Path) -> None:
    # WM was Washington Mutual's until 2008; Waste Management bore UW, WMI and, from 2009-08-05, WM.
    await imported(engine, shared_data / "lean" / "map_files")
    report = await ingest_lean(engine, shared_data / "lean" / "us_daily_raw.parquet")
    rows = pd.read_parquet(shared_data / "lean" / "us_daily_raw.parquet", columns=["symbol", "date", "close"])
    assert report.rows_in == len(rows) == report.inserted + report.quarantined + report.unchanged
    spans = {
        row.ticker: (row.first, row.last, row.n)
        for row in await spans_of(engine, ["WM", "WM@1998-12-09", "QQQ", "GOOG", "GOOGL"])
    }
    waste = rows[
        ((rows.symbol == "UW") & (rows.date <= dt.date(1998, 7, 16)))
        | ((rows.symbol == "WMI") & (rows.date <= dt.date(2009, 8, 4)))
        | ((rows.symbol == "WM") & (rows.date > dt.date(2009, 8, 4)))
    ]
    assert spans["WM"] == (dt.date(1998, 1, 2), dt.date(2021, 3, 31), len(waste))
    washington = rows[(rows.symbol == "WM") & (rows.date <= dt.date(2009, 8, 4))]
    assert spans["WM@1998-12-09"] == (dt.date(1998, 12, 9), washington.date.max(), len(washington))
    # Google's first class of shares bore GOOG until 2014-04-02, and GOOGL since; the second GOOCV, then GOOG.
    assert spans["GOOGL"][0] == dt.date(2004, 8, 19)
    assert spans["GOOG"][0] == dt.date(2014, 3, 27)
    again = await ingest_lean(engine, shared_data / "lean" / "us_daily_raw.parquet")
    assert (again.inserted, again.changed) == (0, 0)


async def spans_of(engine: AsyncEngine, ids: list[str]) -> list:  # type: ignore[type-arg]  # rows of mixed columns
    query = select(
        Bar.ticker, func.min(Bar.date).label("first"), func.max(Bar.date).label("last"), func.count().label("n")
    )
    async with transaction(engine) as connection:
        return list((await connection.execute(query.where(Bar.ticker.in_(ids)).group_by(Bar.ticker))).all())


@pytest.mark.shared_data
async def test_factor_files_become_actions_of_the_instruments_they_name(engine: AsyncEngine, shared_data: Path) -> None:
    lean = shared_data / "lean"
    await imported(engine, lean / "map_files")
    done = await import_factor_files(engine, lean / "factor_files", calendar="XNYS", clock=lambda: MONDAY)
    assert done.new == done.actions > 500
    async with transaction(engine) as connection:
        told = await actions(connection, ["AAPL"])
    # Apple's own history of splits since 2000 (investor.apple.com): 2:1, 2:1, 7:1 and 4:1.
    splits = [(it.ex_date, round(it.value or 0, 6)) for it in told if it.kind == "split"]
    assert splits == [
        (dt.date(2000, 6, 21), 2.0),
        (dt.date(2005, 2, 28), 2.0),
        (dt.date(2014, 6, 9), 7.0),
        (dt.date(2020, 8, 31), 4.0),
    ]
    first = next(it for it in told if it.kind == "dividend")
    assert (first.ex_date, round(first.value or 0, 2)) == (dt.date(2012, 8, 9), 2.65)
    again = await import_factor_files(engine, lean / "factor_files", calendar="XNYS", clock=lambda: MONDAY)
    assert again.new == 0
