"""`parakeet data diff`: what is known beside the bars, and what was rewritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

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


def add_fact_commands(app: typer.Typer) -> None:
    """Put the commands of this module under another one."""
    app.command()(diff)
