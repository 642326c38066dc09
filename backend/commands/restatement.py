"""`parakeet restatement`: a stored backtest beside the same spec as known at another moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

if TYPE_CHECKING:
    from backend.services.backtest_restatement import MetricDifference, RestatedBacktest

#: Rewritten facts that are drawn; `--json` has all that the answer lists.
_MOST_SHOWN = 20


def restatement(
    backtest_id: Annotated[str, typer.Argument(help="Id of a stored backtest, or its first characters.")],
    *,
    as_of: Annotated[dt.datetime, typer.Option(help="The other moment, UTC.")],
    as_json: Json = False,
) -> None:
    """Run a stored backtest on what was known at another moment, and show which figures and facts differ."""
    with reported_errors(as_json=as_json):
        found = run(Settings(), lambda resources: _restated(resources, backtest_id, as_of.replace(tzinfo=dt.UTC)))
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)


async def _restated(resources: Resources, beginning: str, as_of: dt.datetime) -> RestatedBacktest:
    from backend.commands.backtest import full_id  # noqa: PLC0415  start-up
    from backend.services.backtest_restatement import restated_backtest  # noqa: PLC0415  start-up

    backtest_id = await full_id(resources, beginning)
    return await restated_backtest(resources.engine, resources.store, backtest_id, as_of=as_of)


def _print(found: RestatedBacktest) -> None:
    moments = [f"{moment:%Y-%m-%d %H:%M}" for moment in (found.as_of, found.other_as_of)]
    rows = [_difference(metric) for metric in found.metrics if metric.value != metric.other]
    if rows:
        headers = {"figure": "figure", "value": moments[0], "other": moments[1], "difference": "difference"}
        print_rows(f"Figures as known at {moments[0]} and {moments[1]} UTC", rows, headers)
    else:
        console.print(f"no figure differs between {moments[0]} and {moments[1]} UTC")
    if found.changes:
        facts = [{name: str(value) for name, value in asdict(change).items()} for change in found.changes[:_MOST_SHOWN]]
        n_facts = f"{len(found.changes):,}" if found.is_complete else f"{len(found.changes):,} and more"
        headers = {"ticker": "ticker", "date": "session", "field": "field", "before": "before", "after": "after"}
        print_rows(f"Rewritten facts: {n_facts}", facts, headers)
    console.print(f"the other run is backtest {found.other_id[:12]}; it is no further trial")


def _difference(metric: MetricDifference) -> dict[str, str]:
    values = {"value": metric.value, "other": metric.other, "difference": metric.difference}
    return {"figure": metric.key.replace("_", " ")} | {
        name: f"{value:,.6g}" if isinstance(value, int | float) else str(value or "-") for name, value in values.items()
    }
