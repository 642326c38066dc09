"""Universes of the registry and of the user's own, their members, and what an ingest makes of both."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.universes import UniverseRecord, get_universe, members, universe_keys
from backend.ingest.errors import MembersFileError
from backend.services.action_files import import_map_files
from backend.services.errors import NoMembersError, RequestError, UniverseExistsError
from backend.services.gaps import universe_gaps
from backend.services.ingest import ingest_by_key, ingest_universe
from backend.services.known_universes import known_universes
from backend.services.universes import (
    MemberList,
    MembersReport,
    change_members,
    check_universe,
    create_universe,
    described,
    import_members,
)
from strategy.errors import CalendarError, MembershipError
from strategy.universe import SINCE_EVER, MemberChange, Membership, members_on
from support.bars import Vendor, bar

MONDAY = dt.datetime(2024, 1, 8, 22, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)
MINE = UniverseRecord(
    key="MINE", name="Mine", currency="USD", calendar="XNYS", benchmark=None, source="yahoo", source_options={}
)


def stay(ticker: str, start: dt.date = SINCE_EVER, end: dt.date | None = None) -> Membership:
    return Membership(ticker=ticker, start_date=start, end_date=end)


async def stays_of(engine: AsyncEngine, key: str, as_of: dt.datetime | None = None) -> list[Membership]:
    async with transaction(engine) as connection:
        return (await members(connection, key, as_of=as_of))[0]


async def record_of(engine: AsyncEngine, key: str) -> UniverseRecord:
    async with transaction(engine) as connection:
        return await get_universe(connection, key)


def listed(folder: Path, *rows: str) -> Path:
    path = folder / "members.csv"
    path.write_text("\n".join(("ticker,start_date,end_date", *rows)), encoding="utf-8")
    return path


def test_every_universe_of_the_registry_is_described_rightly() -> None:
    known = known_universes()
    assert sorted(known) == ["ASX200", "ASX_ETFS", "CORE_ETFS", "NASDAQ100", "SPX500", "US_ETFS"]
    for universe in known.values():
        check_universe(universe.record, now=MONDAY)
        assert (universe.record.list_date is None) == (universe.list_file is None)
        assert bool(universe.stays()) == (universe.list_file is not None)


def test_the_etf_lists_hold_their_benchmark() -> None:
    for key in ("CORE_ETFS", "US_ETFS", "ASX_ETFS"):
        universe = known_universes()[key]
        assert universe.record.benchmark in {member.ticker for member in universe.stays()}


async def test_a_universe_of_the_registry_is_described_before_it_is_stored(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        record, stays = await described(connection, "CORE_ETFS")
        assert await universe_keys(connection) == []
    assert (record.calendar, record.benchmark, len(stays)) == ("XNYS", "SPY", 12)


async def test_an_unknown_universe_is_answered_with_those_that_there_are(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        with pytest.raises(UnknownUniverseError, match="CORE_ETFS"):
            await described(connection, "MARS")


async def test_an_ingest_stores_a_universe_of_the_registry_with_its_list(engine: AsyncEngine) -> None:
    record = known_universes()["CORE_ETFS"].record
    vendor = Vendor([bar("SPY"), bar("STRANGER")])
    await ingest_universe(engine, vendor, record, clock=lambda: MONDAY)
    assert await record_of(engine, "CORE_ETFS") == record
    stays = await stays_of(engine, "CORE_ETFS")
    # What has bars but is not on the list is no member.
    assert sorted(stays, key=lambda it: it.ticker) == sorted(
        known_universes()["CORE_ETFS"].stays(), key=lambda it: it.ticker
    )


async def test_an_index_without_a_list_is_not_ingested(engine: AsyncEngine) -> None:
    with pytest.raises(NoMembersError, match="data universes import SPX500"):
        await ingest_by_key(engine, "SPX500", clock=lambda: MONDAY)
    with pytest.raises(NoMembersError, match="survivors"):
        await ingest_universe(engine, Vendor([bar("A")]), known_universes()["SPX500"].record, clock=lambda: MONDAY)
    async with transaction(engine) as connection:
        assert await universe_keys(connection) == []


async def test_an_imported_list_is_stored_with_its_date(engine: AsyncEngine, tmp_path: Path) -> None:
    path = listed(tmp_path, "A,2020-01-02,2021-03-01", "A,2022-01-03,", "B,2020-01-02,")
    order = MemberList(path=path, list_date=dt.date(2024, 1, 5))
    report = await import_members(engine, "SPX500", order, clock=lambda: MONDAY)
    assert report == MembersReport(universe="SPX500", stays=3, appended=3, withdrawn=0, list_date=dt.date(2024, 1, 5))
    again = await import_members(engine, "SPX500", MemberList(path=path), clock=lambda: TUESDAY)
    assert again == replace(report, appended=0)
    stays = await stays_of(engine, "SPX500")
    assert [member.ticker for member in members_on(stays, dt.date(2021, 6, 1))] == ["B"]
    assert [member.ticker for member in members_on(stays, dt.date(2022, 6, 1))] == ["A", "B"]
    assert (await record_of(engine, "SPX500")).benchmark == "SPY"


async def test_a_list_that_lacks_a_known_stay_takes_it_back_only_when_told_to(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    whole = listed(tmp_path, "A,2020-01-02,", "B,2020-01-02,")
    await import_members(engine, "SPX500", MemberList(path=whole), clock=lambda: MONDAY)
    before = await stays_of(engine, "SPX500")
    corrected = listed(tmp_path, "A,2020-01-03,", "B,2020-01-02,")
    with pytest.raises(RequestError, match=r"1 stays .*A from 2020-01-02.*--replace"):
        await import_members(engine, "SPX500", MemberList(path=corrected), clock=lambda: TUESDAY)
    assert await stays_of(engine, "SPX500") == before
    report = await import_members(engine, "SPX500", MemberList(path=corrected, replaces=True), clock=lambda: TUESDAY)
    assert (report.stays, report.appended, report.withdrawn) == (2, 1, 1)
    assert await stays_of(engine, "SPX500") == [stay("A", dt.date(2020, 1, 3)), stay("B", dt.date(2020, 1, 2))]
    assert await stays_of(engine, "SPX500", MONDAY) == before


async def test_a_symbol_in_a_list_names_the_company_that_bore_it_then(engine: AsyncEngine, tmp_path: Path) -> None:
    # Washington Mutual was WM until 2008; Waste Management bore WMI, and WM from 2009-08-05.
    maps = tmp_path / "maps"
    maps.mkdir()
    (maps / "wm.csv").write_text("19980102,uw\n19980716,uw\n20090804,wmi\n20501231,wm\n", encoding="utf-8")
    (maps / "wm.1.csv").write_text("19981209,wm\n20080926,wm\n", encoding="utf-8")
    await import_map_files(engine, maps, currency="USD", calendar="XNYS", clock=lambda: MONDAY)
    listed = tmp_path / "members.csv"
    listed.write_text(
        "ticker,start_date,end_date\nWM,1999-01-04,2008-09-26\nWMI,1998-08-31,2009-08-04\nWM,2009-08-05,\nX,2000-01-03,\n",
        encoding="utf-8",
    )
    await import_members(engine, "SPX500", MemberList(path=listed), clock=lambda: MONDAY)
    assert await stays_of(engine, "SPX500") == [
        stay("WM", dt.date(1998, 8, 31), dt.date(2009, 8, 4)),
        stay("WM", dt.date(2009, 8, 5)),
        stay("WM@1998-12-09", dt.date(1999, 1, 4), dt.date(2008, 9, 26)),
        stay("X", dt.date(2000, 1, 3)),
    ]


async def test_a_file_with_an_error_stores_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    path = listed(tmp_path, "A,2020-01-02,", "B,soon,")
    with pytest.raises(MembersFileError, match="line 3"):
        await import_members(engine, "SPX500", MemberList(path=path), clock=lambda: MONDAY)
    async with transaction(engine) as connection:
        assert await universe_keys(connection) == []


async def test_an_ingest_adds_no_member_to_a_list(engine: AsyncEngine) -> None:
    await create_universe(engine, MINE, [stay("A")], clock=lambda: MONDAY)
    listed_as = await record_of(engine, "MINE")
    assert listed_as.list_date == MONDAY.date()
    await ingest_universe(engine, Vendor([bar("A"), bar("B")]), listed_as, clock=lambda: MONDAY)
    assert await stays_of(engine, "MINE") == [stay("A")]


async def test_a_universe_without_a_list_takes_whatever_has_bars(engine: AsyncEngine) -> None:
    await create_universe(engine, replace(MINE, benchmark="B"), [], clock=lambda: MONDAY)
    record = await record_of(engine, "MINE")
    await ingest_universe(engine, Vendor([bar("A"), bar("B")]), record, clock=lambda: MONDAY)
    # But for the benchmark, which is there to be compared with.
    assert [member.ticker for member in await stays_of(engine, "MINE")] == ["A"]


async def test_tickers_join_and_leave_by_date(engine: AsyncEngine) -> None:
    await create_universe(engine, MINE, [stay("A"), stay("B")], clock=lambda: MONDAY)
    day = dt.date(2024, 2, 1)
    changes = [
        MemberChange(ticker="A", date=day, joins=False),
        MemberChange(ticker="B", date=SINCE_EVER, joins=False),
        MemberChange(ticker="C", date=day, joins=True),
    ]
    report = await change_members(engine, "MINE", changes, clock=lambda: TUESDAY)
    assert (report.stays, report.appended, report.withdrawn) == (2, 2, 1)
    assert await stays_of(engine, "MINE") == [stay("A", end=dt.date(2024, 1, 31)), stay("C", day)]
    again = await change_members(engine, "MINE", [changes[0], changes[2]], clock=lambda: TUESDAY)
    assert (again.appended, again.withdrawn) == (0, 0)
    with pytest.raises(MembershipError, match="D on 2024-02-01: cannot leave"):
        await change_members(engine, "MINE", [MemberChange(ticker="D", date=day, joins=False)])


async def test_creating_a_universe_again_changes_nothing_and_another_one_is_refused(engine: AsyncEngine) -> None:
    made = await create_universe(engine, MINE, [stay("A")], clock=lambda: MONDAY)
    assert await create_universe(engine, MINE, [stay("A")], clock=lambda: TUESDAY) == made
    for record, stays in ((replace(MINE, currency="AUD"), [stay("A")]), (MINE, [stay("B")])):
        with pytest.raises(UniverseExistsError, match="MINE"):
            await create_universe(engine, record, stays)
    with pytest.raises(UniverseExistsError, match="SPX500"):
        await create_universe(engine, replace(MINE, key="SPX500"), [])


@pytest.mark.parametrize(
    ("wrong", "error", "reason"),
    [
        ({"key": "MY ETFS"}, RequestError, "letters, digits"),
        ({"currency": "USX"}, RequestError, "ISO 4217"),
        ({"kind": "bond"}, RequestError, "equity, etf"),
        ({"source": "oracle"}, RequestError, "tiingo"),
        ({"calendar": "NYSX"}, CalendarError, "like it are XNYS"),
        ({"calendar": "XBEL"}, CalendarError, "cannot build it"),
    ],
)
async def test_a_wrong_description_is_refused_by_field(
    engine: AsyncEngine, wrong: dict[str, Any], error: type[Exception], reason: str
) -> None:  # Any: fields of mixed types
    with pytest.raises(error, match=reason):
        await create_universe(engine, replace(MINE, **wrong), [])


async def test_members_that_overlap_are_refused(engine: AsyncEngine) -> None:
    with pytest.raises(MembershipError, match="A: its stay from 2024-01-02 overlaps"):
        await create_universe(engine, MINE, [stay("A"), stay("A", dt.date(2024, 1, 2))])


async def test_gaps_are_sessions_without_a_bar_and_bars_on_other_days_are_counted(engine: AsyncEngine) -> None:
    """Sessions of the week from Tuesday 2 January 2024: 2, 3, 4, 5, 8; Saturday the 6th is none."""
    days = {"A": (2, 3, 4, 5, 8), "B": (2, 5, 6, 8), "C": (3, 5)}
    rows = [bar(ticker, dt.date(2024, 1, number)) for ticker, numbers in days.items() for number in numbers]
    await ingest_universe(engine, Vendor(rows), MINE, clock=lambda: TUESDAY)
    async with transaction(engine) as connection:
        found = await universe_gaps(connection, "MINE", limit=1)
    assert (found.n_missing, found.n_tickers, found.n_off_session) == (3, 2, 1)
    (worst,) = found.tickers
    assert (worst.ticker, worst.n_missing) == ("B", 2)
    assert worst.sessions == (dt.date(2024, 1, 3), dt.date(2024, 1, 4))


async def test_without_bars_there_are_no_gaps(engine: AsyncEngine) -> None:
    await create_universe(engine, MINE, [stay("A")])
    async with transaction(engine) as connection:
        assert (await universe_gaps(connection, "MINE", limit=5)).n_missing == 0


@pytest.mark.shared_data
async def test_the_members_of_2008_are_those_of_the_file(engine: AsyncEngine, shared_data: Path) -> None:
    path = shared_data / "membership" / "sp500_ticker_start_end.csv"
    report = await import_members(engine, "SPX500", MemberList(path=path), clock=lambda: MONDAY)
    assert (report.stays, report.appended) == (1230, 1230)
    stays = await stays_of(engine, "SPX500")
    assert len(members_on(stays, dt.date(2008, 1, 2))) == 498
    again = await import_members(engine, "SPX500", MemberList(path=path), clock=lambda: TUESDAY)
    assert again.appended == 0
