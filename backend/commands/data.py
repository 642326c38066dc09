"""`parakeet data`: what is stored, from a terminal."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import typer

from backend.commands.factors import factors_app
from backend.commands.facts import add_fact_commands
from backend.commands.quality import add_quality_commands
from backend.commands.running import Json, run
from backend.commands.terminal import print_json, print_rows, reported_errors
from backend.commands.universes import universes_app
from backend.config import Settings
from backend.resources import Resources

data_app = typer.Typer(no_args_is_help=True, help="Look at what is stored.")
add_fact_commands(data_app)
data_app.add_typer(factors_app, name="factors")
add_quality_commands(data_app)
data_app.add_typer(universes_app, name="universes")


@data_app.command()
def status(*, as_json: Json = False) -> None:
    """Show how much there is of every universe, and how old it is."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.services.market_data import all_coverage  # noqa: PLC0415  start-up

    async def read(resources: Resources) -> list[dict[str, Any]]:  # Any: rows of mixed columns
        async with transaction(resources.engine) as connection:
            found = await all_coverage(connection, resources.store, now=dt.datetime.now(dt.UTC))
        return [asdict(item) for item in found]

    with reported_errors(as_json=as_json):
        rows = run(Settings(), read)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["sessions"] = f"{row['first_session']} to {row['last_session']}" if row["bars"] else None
        row["run"] = row["last_run"]["status"] if row["last_run"] else None
    headers = {"key": "universe", "tickers": "tickers", "bars": "bars", "sessions": "sessions"}
    print_rows("Market data", rows, headers | {"sessions_behind": "sessions behind", "run": "last run"})
