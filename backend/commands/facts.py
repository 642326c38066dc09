"""`parakeet data diff`, `actions` and `instruments`: what is known beside the bars, and what was rewritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

if TYPE_CHECKING:
    from backend.services.action_files import ActionImport

actions_app = typer.Typer(no_args_is_help=True, help="Splits, dividends, symbol changes and delistings.")
instruments_app = typer.Typer(no_args_is_help=True, help="What bars are stored under, and the symbols it bore.")

Calendar = Annotated[str, typer.Option(help="Exchange (ISO 10383).")]

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


def diff(
    as_of: Annotated[
        list[dt.datetime], typer.Option("--as-of", formats=_MOMENTS, help="Two moments in UTC: give it twice.")
    ],
    universe: Annotated[str | None, typer.Option(help="Only instruments of this universe.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most bars to list.")] = 1_000,
    *,
    as_json: Json = False,
) -> None:
    """Show what vendors rewrote between two moments, by ticker, date and field."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.services.restatements import RestatementPage, RestatementQuery, restatements  # noqa: PLC0415  start-up

    if len(as_of) != 2:  # noqa: PLR2004  from and to
        raise typer.BadParameter(f"give --as-of twice, not {len(as_of)} times", param_hint="--as-of")
    earlier, later = sorted(moment.replace(tzinfo=dt.UTC) for moment in as_of)
    query = RestatementQuery(earlier=earlier, later=later, universe=universe, after=None, limit=limit)

    async def read(resources: Resources) -> RestatementPage:
        async with transaction(resources.engine) as connection:
            return await restatements(connection, query)

    with reported_errors(as_json=as_json):
        found = run(Settings(), read)
    rows = [asdict(change) for change in found.changes]
    if as_json:
        print_json({"by_field": found.by_field, "changes": rows, "is_complete": found.next_bar is None})
        return
    headers = {"ticker": "ticker", "date": "date", "field": "field", "before": "before", "after": "after"}
    print_rows(f"Rewritten from {earlier:%Y-%m-%d %H:%M} to {later:%Y-%m-%d %H:%M} UTC", rows, headers)
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(found.by_field.items())) or "nothing was rewritten"
    console.print(counts + ("" if found.next_bar is None else f"; only the first {limit:,} bars: raise --limit"))


@actions_app.command("import")
def import_actions(
    path: Annotated[Path, typer.Argument(help="table: a CSV or Parquet file; lean: a folder of factor files.")],
    form: Annotated[Literal["table", "lean"], typer.Option("--format", help="What the path holds.")] = "table",
    calendar: Calendar = "XNYS",
    *,
    as_json: Json = False,
) -> None:
    """Add the corporate actions of a file that are new or say otherwise than known so far."""
    from backend.services import action_files as files  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        if form == "table":
            done = run(Settings(), lambda it: files.import_actions(it.engine, path))
        else:
            done = run(Settings(), lambda it: files.import_factor_files(it.engine, path, calendar=calendar))
    _print_import(done, as_json=as_json)


@actions_app.command("show")
def show_actions(
    tickers: Annotated[str, typer.Argument(help="Ids of instruments, separated by commas.")], *, as_json: Json = False
) -> None:
    """Show the corporate actions of instruments."""
    from backend.database.actions import actions  # noqa: PLC0415  start-up
    from backend.database.connection import transaction  # noqa: PLC0415  start-up

    names = sorted({name.strip() for name in tickers.split(",") if name.strip()})

    async def read(resources: Resources) -> list[dict[str, Any]]:  # Any: rows of mixed columns
        async with transaction(resources.engine) as connection:
            return [asdict(action) for action in await actions(connection, names)]

    with reported_errors(as_json=as_json):
        rows = run(Settings(), read)
    if as_json:
        print_json(rows)
        return
    headers = {"ticker": "ticker", "ex_date": "ex-date", "kind": "kind", "value": "value", "new_symbol": "new symbol"}
    print_rows("Corporate actions", rows, headers)


@instruments_app.command("import")
def import_instruments(
    folder: Annotated[Path, typer.Argument(help="Folder of LEAN map files: symbol and last date of each stay.")],
    currency: Annotated[str, typer.Option(help="Quote currency.")] = "USD",
    calendar: Calendar = "XNYS",
    *,
    as_json: Json = False,
) -> None:
    """Register companies with every symbol they bore, so that a reused symbol never joins two of them."""
    from backend.services.action_files import import_map_files  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        done = run(Settings(), lambda it: import_map_files(it.engine, folder, currency=currency, calendar=calendar))
    _print_import(done, as_json=as_json)


@instruments_app.command("show")
def show_instruments(
    symbol: Annotated[str, typer.Argument(help="Exactly as the exchange writes it.")], *, as_json: Json = False
) -> None:
    """Show every instrument that ever bore a symbol."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.services.instruments import SymbolHistory, symbol_history  # noqa: PLC0415  start-up

    now = dt.datetime.now(dt.UTC)

    async def read(resources: Resources) -> SymbolHistory:
        async with transaction(resources.engine) as connection:
            return await symbol_history(connection, symbol, on=now.date(), as_of=now)

    with reported_errors(as_json=as_json):
        found = run(Settings(), read)
    rows = [asdict(stay) for _, stays in found.instruments for stay in stays]
    if as_json:
        print_json({"symbol": symbol, "holder": found.holder, "stays": rows})
        return
    headers = {"instrument": "instrument", "symbol": "symbol", "start_date": "from", "end_date": "to"}
    print_rows(f"Who bore {symbol}", rows, headers)
    console.print(f"today: {found.holder or 'nobody known'}")


def _print_import(done: ActionImport, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
    else:
        console.print(f"{done.instruments:,} instruments, {done.actions:,} actions, {done.new:,} of them new")


def add_fact_commands(app: typer.Typer) -> None:
    """Put the commands of this module under another one."""
    app.command()(diff)
    app.add_typer(actions_app, name="actions")
    app.add_typer(instruments_app, name="instruments")
