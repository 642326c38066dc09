"""`parakeet sweep`: search the parameters of a backtest, and see what came out and how little of it may be skill."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import INCOMPLETE, progress_bar, reported_errors
from backend.config import Settings
from backend.resources import Resources

if TYPE_CHECKING:
    from backend.services.sweeps.starting import StartedSweep

sweep_app = typer.Typer(no_args_is_help=True, help="Search the parameters of a backtest.")

_POLL_S = 0.2
Report = Callable[[int, int], None]
SweepId = Annotated[str, typer.Argument(help="Id of a sweep, or its first characters.")]
BudgetOption = Annotated[
    list[str] | None, typer.Option("--budget", help="trials=100, seconds=600 or dollars=0.5, repeatable.")
]


AxisOption = Annotated[
    list[str] | None,
    typer.Option("--axis", help="lookback=63,126 or low:high:points as lookback=20:180:9, with :log; repeatable."),
]
Params = Annotated[list[str] | None, typer.Option("--param", help="name=value that stays; repeatable.")]
Date = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First, last session.")]
WalkOption = Annotated[
    list[str] | None, typer.Option("--walk-forward", help="n_train=756, n_test=252, purge=0, is_anchored=true.")
]
SpecFile = Annotated[
    Path | None, typer.Option(help="JSON file as POST /backtest/sweeps takes it; options replace parts of it.")
]


@sweep_app.command(name="run")
def run_sweep(
    strategy: Annotated[str | None, typer.Argument(help="Key of the strategy; absent: that of --spec.")] = None,
    universe: Annotated[str | None, typer.Argument(help="Key of the universe; absent: that of --spec.")] = None,
    *,
    axes: AxisOption = None,
    params: Params = None,
    start: Date = None,
    end: Date = None,
    costs: Annotated[str | None, typer.Option(help="Named cost model.")] = None,
    execution: Annotated[list[str] | None, typer.Option("--execution", help="name=value, repeatable.")] = None,
    method: Annotated[str | None, typer.Option(help="grid, or a sample: random, sobol.")] = None,
    samples: Annotated[int | None, typer.Option(help="Points of a sample.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of a sample.")] = None,
    walk_forward: WalkOption = None,
    budget: BudgetOption = None,
    spec: SpecFile = None,
    as_json: Json = False,
) -> None:
    """Run a sweep to its end, or find it; one that was stopped goes on where it was."""
    from backend.commands.sweep_body import axes_of, named_values, sweep_body  # noqa: PLC0415  start-up
    from backend.routers.sweep_requests import sweep_request  # noqa: PLC0415  start-up
    from backend.services.sweeps.starting import start_sweep  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        base = {
            "strategy": strategy,
            "universe": universe,
            "parameters": named_values(params, option="param", example="top_n=2"),
            "start": f"{start:%Y-%m-%d}" if start else None,
            "end": f"{end:%Y-%m-%d}" if end else None,
            "costs": {"preset": costs},
            "execution": named_values(execution, option="execution", example="cash_rate=0.03"),
        }
        space = {"axes": axes_of(axes), "method": method, "n_samples": samples, "seed": seed}
        walk = named_values(walk_forward, option="walk-forward", example="n_train=756")
        limits = named_values(budget, option="budget", example="seconds=600")
        options = {"base": base, "space": space, "walk_forward": walk, "budget": limits}
        request = sweep_request(sweep_body(spec, options))
    _watch(lambda it: start_sweep(it.engine, it.store, it.queue, request, price=it.price), as_json=as_json)


@sweep_app.command()
def resume(sweep_id: SweepId, *, budget: BudgetOption = None, as_json: Json = False) -> None:
    """Let a sweep that was cancelled, failed or used its budget up go on where it was."""
    from backend.commands.sweep_body import budget_of  # noqa: PLC0415  start-up
    from backend.services.sweeps.budgets import Budget  # noqa: PLC0415  start-up
    from backend.services.sweeps.starting import resume_sweep  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        given = Budget(**budget_of(budget).model_dump()) if budget else None

    async def resumed(resources: Resources) -> StartedSweep:
        found = await _full_id(resources, sweep_id)
        return await resume_sweep(resources.engine, resources.queue, found, budget=given, price=resources.price)

    _watch(resumed, as_json=as_json)


@sweep_app.command()
def show(sweep_id: SweepId, *, as_json: Json = False) -> None:
    """Show how far a sweep is, and what it found."""
    from backend.commands.sweep_pages import print_sweep  # noqa: PLC0415  start-up
    from backend.services.sweeps.starting import started  # noqa: PLC0415  start-up

    async def found(resources: Resources) -> StartedSweep:
        return await started(resources.engine, await _full_id(resources, sweep_id))

    with reported_errors(as_json=as_json):
        sweep = run(Settings(), found)
    print_sweep(sweep, as_json=as_json)


@sweep_app.command()
def cancel(sweep_id: SweepId, *, as_json: Json = False) -> None:
    """Stop a sweep at its next batch; what is done stays."""
    from backend.commands.sweep_pages import print_sweep  # noqa: PLC0415  start-up
    from backend.services.jobs import cancelled_job  # noqa: PLC0415  start-up
    from backend.services.sweeps.starting import started  # noqa: PLC0415  start-up

    async def cancelled(resources: Resources) -> StartedSweep:
        found = await _full_id(resources, sweep_id)
        await cancelled_job(resources.engine, (await started(resources.engine, found)).job.id)
        return await started(resources.engine, found)

    with reported_errors(as_json=as_json):
        sweep = run(Settings(), cancelled)
    print_sweep(sweep, as_json=as_json)


@sweep_app.command(name="list")
def list_all(
    *, limit: Annotated[int, typer.Option(min=1, max=1_000, help="Newest so many.")] = 50, as_json: Json = False
) -> None:
    """List sweeps, newest first."""
    from backend.commands.sweep_pages import listed, print_sweeps  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json):
        rows = run(Settings(), lambda resources: listed(resources, limit))
    print_sweeps(rows, as_json=as_json)


@sweep_app.command()
def stability(
    sweep_id: SweepId,
    *,
    metric: Annotated[str, typer.Option(help="A figure of which more is better: sharpe, cagr, calmar …")] = "sharpe",
    as_json: Json = False,
) -> None:
    """Show whether good parameters of a grid stand among good ones, or alone."""
    from backend.commands.backtest import refusals  # noqa: PLC0415  start-up
    from backend.commands.sweep_pages import print_stability_map  # noqa: PLC0415  start-up
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.schemas.sweep_validation import StabilityIn  # noqa: PLC0415  start-up
    from backend.services.sweeps.validation import sweep_stability  # noqa: PLC0415  start-up

    async def mapped(resources: Resources) -> dict[str, Any]:  # Any: JSON values
        found = await _full_id(resources, sweep_id)
        async with transaction(resources.engine) as connection:
            return await sweep_stability(connection, resources.store, found, metric)

    with reported_errors(as_json=as_json):
        with refusals():
            StabilityIn.model_validate({"metric": metric})
        document = run(Settings(), mapped)
    print_stability_map(document, as_json=as_json)


@sweep_app.command()
def validate(
    sweep_id: SweepId,
    *,
    groups: Annotated[int, typer.Option(help="Of sessions, 2 to 20.")] = 10,
    test_groups: Annotated[int, typer.Option(help="Tested at a time; 1 is purged k-fold.")] = 2,
    purge: Annotated[int, typer.Option(help="Sessions on either side of a test that train nothing.")] = 21,
    embargo: Annotated[int, typer.Option(help="More of them after a test.")] = 0,
    as_json: Json = False,
) -> None:
    """Judge the choice of the best trial out of sample, by combinatorial purged cross-validation."""
    from backend.commands.backtest import refusals  # noqa: PLC0415  start-up
    from backend.commands.sweep_pages import print_cross_validation  # noqa: PLC0415  start-up
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.schemas.sweep_validation import CrossValidationIn  # noqa: PLC0415  start-up
    from backend.services.sweeps.validation import CrossValidationPlan, sweep_cross_validation  # noqa: PLC0415  start-up

    given = {"n_groups": groups, "n_test_groups": test_groups, "purge": purge, "embargo": embargo}

    async def judged(resources: Resources) -> dict[str, Any]:  # Any: JSON values
        found = await _full_id(resources, sweep_id)
        async with transaction(resources.engine) as connection:
            return await sweep_cross_validation(connection, resources.store, found, CrossValidationPlan(**given))

    with reported_errors(as_json=as_json):
        with refusals():
            CrossValidationIn.model_validate(given)
        document = run(Settings(), judged)
    print_cross_validation(document, as_json=as_json)


def _watch(begin: Callable[[Resources], Coroutine[None, None, StartedSweep]], *, as_json: bool) -> None:
    """Begin a sweep, draw how far it is until its job has ended, and print it; exit 1 unless the job succeeded."""
    from backend.commands.sweep_pages import print_sweep  # noqa: PLC0415  start-up

    with reported_errors(as_json=as_json), progress_bar("sweep", is_hidden=as_json) as report:
        sweep = run(Settings(), lambda resources: _ended(resources, begin, report))
    print_sweep(sweep, as_json=as_json)
    if sweep.job.status != "succeeded":
        raise typer.Exit(INCOMPLETE)


async def _ended(
    resources: Resources, begin: Callable[[Resources], Coroutine[None, None, StartedSweep]], report: Report
) -> StartedSweep:
    """The sweep once its job has ended: done by this process, or, where the settings name a worker, by that."""
    from backend.services.sweeps.starting import watched_sweep  # noqa: PLC0415  start-up

    sweep = await begin(resources)
    while sweep.job.status in {"queued", "running"}:
        report(round(sweep.job.progress * sweep.sweep.n_trials), sweep.sweep.n_trials)
        await asyncio.sleep(_POLL_S)
        sweep = await watched_sweep(resources.engine, resources.queue, sweep.sweep.id)
    return sweep


async def _full_id(resources: Resources, beginning: str) -> str:
    """The id that begins so, or the beginning itself where none does; `RequestError` when several do."""
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.database.sweeps import sweep_ids_that_begin  # noqa: PLC0415  start-up
    from backend.services.errors import RequestError  # noqa: PLC0415  start-up

    async with transaction(resources.engine) as connection:
        ids = await sweep_ids_that_begin(connection, beginning)
    if len(ids) > 1:
        raise RequestError("sweep_id", beginning, "several ids begin so; give more of it")
    return ids[0] if ids else beginning
