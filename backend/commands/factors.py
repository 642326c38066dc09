"""`parakeet data factors`: series that are no prices, from files and from the web."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

factors_app = typer.Typer(no_args_is_help=True, help="Factor returns, interest rates and other series.")


@factors_app.command("import")
def import_(
    location: Annotated[
        str,
        typer.Argument(help="A file, a URL, french:NAME of Kenneth French's data library, or fred:ID of FRED."),
    ],
    *,
    dataset: Annotated[str, typer.Option(help="Name to keep it under, for example ff5.")],
    as_json: Json = False,
) -> None:
    """Import a factor file; what is known already is not written again, what changed becomes a new version."""
    from backend.services.factors import import_factors  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        done = run(Settings(), lambda resources: import_factors(resources.engine, location, dataset=dataset))
    if as_json:
        print_json(asdict(done))
        return
    console.print(
        f"{dataset}: {done.new:,} new, {done.changed:,} changed, {done.withdrawn:,} withdrawn, "
        f"{done.unchanged:,} unchanged values (unit: {done.unit})"
    )


@factors_app.command()
def show(
    dataset: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    *,
    as_of: Annotated[dt.datetime | None, typer.Option(help="As known at this moment, UTC.")] = None,
    as_json: Json = False,
) -> None:
    """List the series that are stored, and how far each reaches."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.database.factors import factor_datasets  # noqa: PLC0415  start-up

    moment = as_of.replace(tzinfo=dt.UTC) if as_of else dt.datetime.now(dt.UTC)

    async def read(resources: Resources) -> list[dict[str, Any]]:  # Any: rows of mixed columns
        async with transaction(resources.engine) as connection:
            return [asdict(item) for item in await factor_datasets(connection, as_of=moment, dataset=dataset)]

    with reported_errors(as_json=as_json):
        rows = run(Settings(), read)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["span"] = f"{row['first']} to {row['last']}"
    print_rows("Factors", rows, {"dataset": "dataset", "name": "name", "n_values": "values", "span": "span"})
