"""`parakeet data universes`: which there are, who is in them, and changes of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.commands.running import Json, UniverseKey, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources
from strategy.universe import SINCE_EVER, MemberChange, Membership, members_on

if TYPE_CHECKING:
    from backend.services.universes import MembersReport

universes_app = typer.Typer(no_args_is_help=True, help="Universes: which there are, and who is in them.")

Tickers = Annotated[list[str], typer.Argument(help="One or more tickers.")]


@universes_app.command("list")
def list_universes(*, as_json: Json = False) -> None:
    """List the universes that are stored, and those that the platform knows by name."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.database.universes import universe_keys  # noqa: PLC0415  start-up
    from backend.services.known_universes import known_universes  # noqa: PLC0415  start-up
    from backend.services.universes import described  # noqa: PLC0415  start-up

    async def read(resources: Resources) -> list[dict[str, Any]]:  # Any: rows of mixed columns
        today = dt.datetime.now(dt.UTC).date()
        async with transaction(resources.engine) as connection:
            stored = await universe_keys(connection)
            found = {key: await described(connection, key) for key in sorted({*stored, *known_universes()})}
        return [
            asdict(record) | {"members": len(members_on(stays, today)), "is_stored": key in stored}
            for key, (record, stays) in found.items()
        ]

    with reported_errors(as_json=as_json):
        rows = run(Settings(), read)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["stored"] = "yes" if row["is_stored"] else "no"
    names = ("key", "name", "kind", "currency", "calendar", "benchmark", "source", "list_date", "members", "stored")
    print_rows("Universes", rows, {name: name.replace("_", " ") for name in names})


@universes_app.command()
def show(
    universe: UniverseKey,
    *,
    on: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Members on this day.")] = None,
    as_json: Json = False,
) -> None:
    """Show a universe and every stay in it, or its members on a day."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.services.universes import described  # noqa: PLC0415  start-up

    async def read(resources: Resources) -> tuple[dict[str, Any], list[Membership]]:  # Any: a row of mixed columns
        async with transaction(resources.engine) as connection:
            record, stays = await described(connection, universe)
        return asdict(record), stays if on is None else members_on(stays, on.date())

    with reported_errors(as_json=as_json):
        told, stays = run(Settings(), read)
    rows = [asdict(stay) for stay in stays]
    if as_json:
        print_json(told | {"members": rows})
        return
    for row in rows:
        row["start_date"] = None if row["start_date"] == SINCE_EVER else row["start_date"]
    told = {name: value for name, value in told.items() if name != "source_options" and value is not None}
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items()), markup=False)
    title = f"{len(rows):,} stays" if on is None else f"{len(rows):,} members on {on:%Y-%m-%d}"
    print_rows(title, rows, {"ticker": "ticker", "start_date": "from", "end_date": "to"})


@universes_app.command()
def create(
    universe: UniverseKey,
    tickers: Annotated[list[str] | None, typer.Argument(help="Its members, since ever; absent: all with bars.")] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Absent: the key.")] = None,
    kind: Annotated[str, typer.Option(help="equity, etf, index, fx, crypto or fund.")] = "equity",
    currency: Annotated[str, typer.Option(help="Of its members' quotes: ISO 4217.")] = "USD",
    calendar: Annotated[str, typer.Option(help="Exchange: ISO 10383, 24/5 or 24/7.")] = "XNYS",
    benchmark: Annotated[str | None, typer.Option(help="A ticker, member or not.")] = None,
    source: Annotated[str, typer.Option(help="yahoo, tiingo, or tiingo,yahoo in that order.")] = "yahoo",
    as_json: Json = False,
) -> None:
    """Describe a universe of your own."""
    from backend.database.universes import UniverseRecord  # noqa: PLC0415  start-up
    from backend.services.universes import create_universe  # noqa: PLC0415  start-up

    record = UniverseRecord(
        key=universe,
        name=name or universe,
        kind=kind,
        currency=currency,
        calendar=calendar,
        benchmark=benchmark,
        source=source,
        source_options={},
    )
    stays = [Membership(ticker=ticker, start_date=SINCE_EVER, end_date=None) for ticker in sorted(set(tickers or ()))]
    with reported_errors(as_json=as_json):
        made = run(Settings(), lambda resources: create_universe(resources.engine, record, stays))
    if as_json:
        print_json(asdict(made) | {"members": [asdict(stay) for stay in stays]})
    else:
        console.print(f"{made.key}: {len(stays):,} members; `parakeet ingest {made.key}` brings their bars")


@universes_app.command()
def add(
    universe: UniverseKey,
    tickers: Tickers,
    *,
    day: Annotated[
        dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; absent: since ever.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let tickers join a universe."""
    _change(universe, tickers, day.date() if day else SINCE_EVER, joins=True, as_json=as_json)


@universes_app.command()
def remove(
    universe: UniverseKey,
    tickers: Tickers,
    *,
    day: Annotated[
        dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day out; absent: today.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let tickers leave a universe; who leaves on the day of joining was never in."""
    date = day.date() if day else dt.datetime.now(dt.UTC).date()
    _change(universe, tickers, date, joins=False, as_json=as_json)


@universes_app.command("import")
def import_list(
    universe: UniverseKey,
    members: Annotated[Path, typer.Option(help="CSV or Parquet: ticker, start_date, end_date; or date, add, remove.")],
    *,
    end_date: Annotated[
        Literal["last-day", "first-day-out"], typer.Option(help="What the file's end dates mean.")
    ] = "last-day",
    list_date: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Absent: today.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take back the stays that it does not have.")] = False,
    as_json: Json = False,
) -> None:
    """Take the members of a universe from a file; the whole file is checked first."""
    from backend.services.universes import MemberList, import_members  # noqa: PLC0415  start-up

    day = list_date.date() if list_date else None
    order = MemberList(path=members, end_date=end_date, list_date=day, replaces=replace)
    with reported_errors(as_json=as_json):
        report = run(Settings(), lambda resources: import_members(resources.engine, universe, order))
    _print_report(report, as_json=as_json)


def _change(universe: str, tickers: Sequence[str], date: dt.date, *, joins: bool, as_json: bool) -> None:
    from backend.services.universes import change_members  # noqa: PLC0415  start-up

    changes = [MemberChange(ticker=ticker, date=date, joins=joins) for ticker in tickers]
    with reported_errors(as_json=as_json):
        report = run(Settings(), lambda resources: change_members(resources.engine, universe, changes))
    _print_report(report, as_json=as_json)


def _print_report(report: MembersReport, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(report))
        return
    changed = f"{report.appended:,} new or changed, {report.withdrawn:,} taken back"
    console.print(f"{report.universe}: {report.stays:,} stays ({changed}), list of {report.list_date}")
