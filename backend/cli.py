"""`parakeet`: every job of the platform from a terminal.

Exit codes: 0 done; 1 finished, but something failed; 2 bad input; 3 not found; 4 database or cache unavailable;
5 locked by another run.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from backend.commands.data import data_app
from backend.commands.restatement import restatement
from backend.commands.running import Json, UniverseKey, prepare_libraries, run
from backend.commands.sweeps import sweep_app
from backend.commands.terminal import (
    INCOMPLETE,
    console,
    print_json,
    print_rows,
    print_summaries,
    progress_bar,
    reported_errors,
)
from backend.commands.validation import validate
from backend.config import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(data_app, name="data")
app.add_typer(sweep_app, name="sweep")
app.command()(validate)
app.command()(restatement)

SheetForm = Literal["html", "pdf", "csv", "parquet"]
SheetPart = Literal["series", "metrics"]
ExecutionSettings = Annotated[
    list[str] | None,
    typer.Option("--execution", help="name=value, repeatable: volume_cap, lot_size, dividends, cash_rate …"),
]
BaseCurrency = Annotated[
    str | None, typer.Option(help="Cash and values in this, by the rates of the universe FX, such as AUD.")
]
WeightConstraints = Annotated[
    str | None, typer.Option(help='Of weights, as JSON: \'{"max_weight": 0.2, "turnover": 0.5}\'.')
]
DatedSymbols = Annotated[bool, typer.Option("--dated-symbols", help="files: each row bears the symbol of its day.")]


def main() -> None:
    """Entry point of the installed command."""
    prepare_libraries(os.environ)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    app()


@app.command()
def migrate(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL, change nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when the database is behind.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the database schema up to date."""
    from backend.database.migrations import current_revision, head_revision, pending_sql  # noqa: PLC0415  start-up
    from backend.database.migrations import migrate as upgrade  # noqa: PLC0415  start-up

    url = Settings().direct_source_url()
    with reported_errors(as_json=as_json):
        if dry_run:
            typer.echo(pending_sql(url), nl=False)
            return
        before = current_revision(url)
        after = before if check else upgrade(url)[1]
    if as_json:
        print_json({"before": before, "after": after, "head": head_revision()})
    else:
        console.print(f"schema at {after or 'nothing'}, code at {head_revision()}")
    if after != head_revision():
        raise typer.Exit(INCOMPLETE)


@app.command()
def ingest(
    universe: UniverseKey,
    *,
    source: Annotated[str | None, typer.Option(help="sample, files, yahoo, tiingo; tiingo,yahoo in turn.")] = None,
    path: Annotated[Path | None, typer.Option(help="files: a CSV or Parquet file, or a folder of them.")] = None,
    columns: Annotated[list[str] | None, typer.Option("--map", help="files: their=ours, repeatable.")] = None,
    dated_symbols: DatedSymbols = False,
    tickers: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    currency: Annotated[str | None, typer.Option(help="Quote currency; absent: as known, or USD.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Exchange (ISO 10383), 24/5 or 24/7; absent: as known.")] = None,
    kind: Annotated[str | None, typer.Option(help="equity, etf, index, fx, crypto or fund; absent: as known.")] = None,
    lookback_days: Annotated[int, typer.Option(min=0, max=3650, help="Days fetched again for restatements.")] = 7,
    full: Annotated[bool, typer.Option("--full", help="Fetch everything again, not only what is missing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the bars of a universe up to date."""
    from backend.commands.ingest import IngestOrder, run_ingest  # noqa: PLC0415  start-up

    order = IngestOrder(
        universe=universe,
        source=source,
        path=path,
        columns=tuple(columns or ()),
        has_dated_symbols=dated_symbols,
        tickers=tuple(name.strip() for name in tickers.split(",") if name.strip()) if tickers else None,
        currency=currency,
        calendar=calendar,
        kind=kind,
        lookback_days=lookback_days,
        is_full=full,
    )
    settings = Settings()
    with reported_errors(as_json=as_json), progress_bar(f"ingest {universe}", is_hidden=as_json) as report:
        done = run(settings, lambda resources: run_ingest(resources, settings, order, progress=report))
    if as_json:
        print_json(asdict(done))
    else:
        _print_run(asdict(done))
    if done.status != "succeeded":
        raise typer.Exit(INCOMPLETE)


@app.command()
def snapshot(
    universe: UniverseKey,
    *,
    as_of: Annotated[dt.datetime | None, typer.Option(help="Build it as known at this moment, UTC.")] = None,
    as_json: Json = False,
) -> None:
    """Build the immutable snapshot of a universe that backtests are computed from."""
    from backend.services.snapshots import build_snapshot  # noqa: PLC0415  start-up

    moment = as_of.replace(tzinfo=dt.UTC) if as_of else None
    with reported_errors(as_json=as_json), progress_bar(f"snapshot {universe}", is_hidden=as_json) as report:
        built = run(Settings(), lambda it: build_snapshot(it.engine, it.store, universe, as_of=moment, progress=report))
    if as_json:
        print_json(asdict(built))
        return
    console.print(
        f"snapshot {built.snapshot_id[:12]} of {universe}: {built.n_sessions:,} sessions x {built.n_tickers:,} "
        f"tickers, as of {built.as_of:%Y-%m-%d %H:%M} UTC, " + ("new" if built.is_new else "unchanged")
    )


@app.command()
def backtest(
    strategy: Annotated[str, typer.Argument(help="Key of the strategy; `parakeet strategies` lists them.")],
    universe: UniverseKey,
    *,
    params: Annotated[list[str] | None, typer.Option("--param", help="name=value, repeatable; JSON values.")] = None,
    start: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First session.")] = None,
    end: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last session.")] = None,
    costs: Annotated[str, typer.Option(help="Named cost model.")] = "ten_bps",
    fill: Annotated[Literal["next_open", "next_close"], typer.Option(help="Price of the next session.")] = "next_open",
    rebalance: Annotated[str | None, typer.Option(help="Schedule; absent: the strategy's own.")] = None,
    initial_cash: Annotated[float, typer.Option(min=1, max=1e12, help="Base currency.")] = 100_000.0,
    whole_shares: Annotated[bool, typer.Option("--whole-shares", help="Trade no parts of a share.")] = False,
    settings: ExecutionSettings = None,
    benchmark: Annotated[str | None, typer.Option(help="A ticker of the universe.")] = None,
    base_currency: BaseCurrency = None,
    constraints: WeightConstraints = None,
    as_json: Json = False,
) -> None:
    """Run a backtest, or show the stored result of the same spec."""
    from backend.commands import backtest as order  # noqa: PLC0415  start-up

    options = {"fill": fill, "rebalance": rebalance, "initial_cash": initial_cash}
    options["fractional_shares"] = not whole_shares
    with reported_errors(as_json=as_json):
        request = order.parsed_request(
            strategy,
            universe,
            params or (),
            span=(start.date() if start else None, end.date() if end else None),
            costs=costs,
            execution=options | order.execution_settings(settings or ()),
        )
        kept = order.parsed_constraints(constraints)
        request = replace(request, benchmark=benchmark, base_currency=base_currency, constraints=kept)
        document, live = run(Settings(), lambda resources: order.audited_document(resources, request))
    if as_json:
        typer.echo(document)
    else:
        order.print_result(json.loads(document), live)


@app.command()
def preregister(
    strategy: Annotated[str, typer.Argument(help="Key of the strategy, with its defaults or --param.")],
    universe: UniverseKey,
    *,
    reason: Annotated[str, typer.Option(help="What is expected of it, in words that can be held against it.")],
    params: Annotated[list[str] | None, typer.Option("--param", help="name=value, repeatable; JSON values.")] = None,
    start: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First session.")] = None,
    costs: Annotated[str, typer.Option(help="Named cost model.")] = "ten_bps",
) -> None:
    """Freeze a backtest, and extend it to the newest snapshot; repeat it to extend it again. Prints JSON."""
    from backend.commands.backtest import extended_preregistration, parsed_request  # noqa: PLC0415  start-up

    with reported_errors(as_json=False):
        span = (start.date() if start else None, None)
        request = parsed_request(strategy, universe, params or (), span=span, costs=costs, execution={})
        found = run(Settings(), lambda it: extended_preregistration(it, request, reason))
    print_json(asdict(found))


@app.command()
def tearsheet(
    backtest_id: Annotated[str, typer.Argument(help="Id of a stored backtest, or its first characters.")],
    *,
    form: Annotated[
        Literal["html", "pdf", "csv", "parquet"], typer.Option("--format", help="pdf needs Chromium.")
    ] = "html",
    part: Annotated[
        Literal["series", "metrics"], typer.Option(help="csv, parquet: by session, or figures.")
    ] = "series",
    out: Annotated[Path | None, typer.Option(help="File to write; absent: named by the id, in this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Write a result into one file: a page that needs nothing else, its print, or its series or figures."""
    from backend.commands.backtest import written_tearsheet  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        path = run(Settings(), lambda it: written_tearsheet(it, backtest_id, form=form, part=part, out=out))
    if as_json:
        print_json({"path": path})
    else:
        console.print(f"wrote {path}", soft_wrap=True, markup=False)


@app.command()
def strategies(
    key: Annotated[str | None, typer.Argument(help="Show the parameters of this one.")] = None, *, as_json: Json = False
) -> None:
    """List the strategies, or the parameters of one."""
    from strategy.registry import find_strategy, strategy_paths  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        found = [find_strategy(name) for name in ([key] if key else strategy_paths())]
    if as_json:
        schemas = [{"key": it.key, "title": it.title, "parameters": it.parameters.model_json_schema()} for it in found]
        print_json(schemas)
    elif key is None:
        rows = [{"key": it.key, "title": it.title, "rebalance": it.rebalance} for it in found]
        print_rows("Strategies", rows, {"key": "key", "title": "title", "rebalance": "rebalance"})
    else:
        console.print(found[0].description, soft_wrap=True)
        fields = found[0].parameters.model_fields.items()
        rows = [{"name": name, "default": str(it.default), "meaning": it.description} for name, it in fields]
        print_rows(found[0].title, rows, {"name": "parameter", "default": "default", "meaning": "meaning"})


@app.command()
def quickstart(*, as_json: Json = False) -> None:
    """Migrate, ingest the bundled sample, build its snapshots, and run two backtests; what is done is not repeated."""
    from backend.commands.quickstart import run_quickstart  # noqa: PLC0415  start-up
    from backend.database.migrations import migrate as upgrade  # noqa: PLC0415  start-up

    settings = Settings()
    with reported_errors(as_json=as_json):
        upgrade(settings.direct_source_url())
        documents = run(settings, lambda resources: run_quickstart(resources, settings, is_quiet=as_json))
    if as_json:
        print_json([json.loads(document) for document in documents])
    else:
        print_summaries([json.loads(document) for document in documents])
        console.print(
            "These twenty companies were picked in hindsight, because they lived and grew: nobody could have known in "
            "1990. Read the figures as a comparison of two rules, not as what an investor would have earned."
        )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve the API; its documentation is at /docs."""
    import uvicorn  # noqa: PLC0415  start-up

    console.print(f"serving http://{host}:{port} (documentation at /docs); Ctrl-C stops")
    uvicorn.run("backend.main:make_main_app", factory=True, host=host, port=port, log_level="warning")


def _print_run(run: dict[str, Any]) -> None:  # Any: columns of mixed types
    names = ("rows_in", "inserted", "changed", "unchanged", "quarantined", "failed")
    counts = ", ".join(f"{run[name]:,} {name.replace('_', ' ')}" for name in names)
    console.print(f"ingest of {run['universe']} {run['status']}: {counts} (run {run['run_id']})", soft_wrap=True)
    if run["failures"]:
        console.print(f"why: {_counted(run['failures'])}", soft_wrap=True)
    if run["fallbacks"]:
        console.print(f"from a later source, because of: {_counted(run['fallbacks'])}", soft_wrap=True)
    if run["error"]:
        console.print(f"first failure: {run['error']}", soft_wrap=True, markup=False)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
