"""Sweeps as the command line shows them: the best never without what speaks against it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from typing import Any

from backend.commands.terminal import console, print_json, print_rows
from backend.database.connection import transaction
from backend.database.sweeps import list_sweeps
from backend.resources import Resources
from backend.routers.sweep_requests import sweep_answer
from backend.services.sweeps.starting import StartedSweep

#: Rows of a table that could have thousands; JSON has them all.
_MOST_CELLS = 12


async def listed(resources: Resources, limit: int) -> list[dict[str, Any]]:  # Any: cells of mixed types
    """Rows of the newest sweeps."""
    async with transaction(resources.engine) as connection:
        return [asdict(sweep) for sweep in await list_sweeps(connection, before=None, limit=limit)]


def print_sweeps(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:  # Any: cells of mixed types
    """The list, ids cut to what names one."""
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            **row,
            "id": row["id"][:12],
            "created_at": f"{row['created_at']:%Y-%m-%d %H:%M}",
            "status": row["state"] or (f"{row['progress']:.0%} done" if row["status"] == "running" else row["status"]),
        }
        for row in rows
    ]
    headers = {
        "id": "id",
        "created_at": "begun, UTC",
        "strategy": "strategy",
        "universe": "universe",
        "n_trials": "trials",
        "status": "status",
    }
    print_rows("Sweeps", shown, headers)


def print_sweep(found: StartedSweep, *, as_json: bool) -> None:
    """A sweep: as the API answers it, or for people."""
    if as_json:
        sys.stdout.write(sweep_answer(found).model_dump_json() + "\n")
        return
    result = json.loads(found.sweep.document) if found.sweep.document else None
    n_done = f"{result['n_done']:,} of " if result else ""
    console.print(f"sweep {found.sweep.id[:12]} {found.job.status}: {n_done}{found.sweep.n_trials:,} trials")
    if found.job.error:
        console.print(f"why: {found.job.error}", markup=False)
    if result is not None:
        _print_result(result)


def print_stability_map(found: Mapping[str, Any], *, as_json: bool) -> None:  # Any: a JSON document
    """The cells with the best neighbourhoods."""
    if as_json:
        print_json(found)
        return
    axes = [axis["name"] for axis in found["axes"]]
    points = product(*(axis["values"] for axis in found["axes"]))
    columns = ("value", "mean", "minimum", "plateau")
    cells = [
        dict(zip(axes, map(str, point), strict=True)) | {name: found[name][number] for name in columns}
        for number, point in enumerate(points)
    ]
    run = [cell for cell in cells if cell["mean"] is not None]
    best = sorted(run, key=lambda cell: cell["mean"], reverse=True)[:_MOST_CELLS]
    shown = [cell | {name: _ratio(cell[name]) for name in columns} for cell in best]
    title = f"{found['metric']}, by the mean over neighbours: {found['n_done']:,} of {found['n_trials']:,} trials"
    print_rows(title, shown, {name: name for name in (*axes, *columns)})


def print_cross_validation(found: Mapping[str, Any], *, as_json: bool) -> None:  # Any: a JSON document
    """Distributions, and what was chosen how often."""
    if as_json:
        print_json(found)
        return
    names = {"train_sharpe": "where it was chosen", "test_sharpe": "where it was not", "path_sharpe": "whole paths"}
    rows = [
        {"what": title} | {share: _ratio(value) for share, value in found[name].items()}
        for name, title in names.items()
    ]
    headers = {share: f"{float(share):.0%}" for share in found["path_sharpe"]}
    title = f"Sharpe ratio a year of the best, {found['n_splits']:,} splits, {len(found['paths']):,} paths, by quantile"
    print_rows(title, rows, {"what": ""} | headers)
    chosen = [{**it, "parameters": json.dumps(it["parameters"])} for it in found["chosen"][:_MOST_CELLS]]
    print_rows("Chosen", chosen, {"n_splits": "splits", "parameters": "parameters"})
    console.print(f"loses on {found['probability_of_loss']:.1%} of paths")


def _print_result(result: Mapping[str, Any]) -> None:  # Any: a JSON document
    if result["reached"]:
        console.print(
            f"stopped by its budget of {result['reached']}; `parakeet sweep resume` with a larger one goes on"
        )
    for refusal in result.get("refusals", []):  # one of before has none
        console.print(f"{refusal['n_trials']:,} of {result['n_done']:,} trials were refused: {refusal['reason']}")
    if result["best"] is None:
        if result["n_refused"] < result["n_done"]:
            console.print("no trial's returns vary: there is no best one")
        return
    rows = [{"what": what, "figure": figure} for what, figure in _best(result["best"])]
    print_rows("Best of them", rows, {"what": "", "figure": ""})
    _print_stability(result["stability"])
    if result["walk_forward"] is not None:
        _print_walk(result["walk_forward"])
    console.print(result["note"])


def _best(best: Mapping[str, Any]) -> list[tuple[str, str]]:  # Any: a JSON document
    metrics, doubt = best["metrics"], best["doubt"]
    rows = [(name, json.dumps(value)) for name, value in best["parameters"].items()]
    rows += [("Sharpe ratio", _ratio(metrics["sharpe"])), ("growth a year", _share(metrics["cagr"]))]
    rows += [
        ("deepest fall", _share(metrics["max_drawdown"])),
        ("probability that the choice is overfitted", _share(doubt["overfitting"])),
        (f"deflated Sharpe ratio, {_trials(doubt)}", _share(doubt["deflated_sharpe"])),
    ]
    if (tested := doubt["superior_ability"]) is not None:
        name = "the universe held" if tested["benchmark"] == "universe_buy_and_hold" else tested["benchmark"]
        rows.append((f"p-value that no trial beats {name} (Hansen)", _share(tested["consistent"])))
        rows.append(("the same by White's reality check", _share(tested["reality_check"])))
    rows += [("why undefined", reason) for reason in doubt["reasons"]]
    return [*rows, ("backtest", best["backtest_id"][:12])]


def _trials(doubt: Mapping[str, Any]) -> str:  # Any: a JSON document
    n_independent = doubt["n_independent"]
    return f"{doubt['n_trials']:,} trials" + ("" if n_independent is None else f", {n_independent:,} independent")


def _print_stability(groups: Sequence[Mapping[str, Any]]) -> None:  # Any: JSON documents
    rows = [
        {"axis": group["axis"], "value": _span(group), "n_trials": group["n_trials"]}
        | {name: _ratio(group[name]) for name in ("least", "median", "most")}
        for group in groups
    ]
    headers = {"axis": "axis", "value": "value", "n_trials": "trials", "least": "least"}
    print_rows("Sharpe ratio a year, along each axis", rows, headers | {"median": "median", "most": "most"})


def _print_walk(walk: Mapping[str, Any]) -> None:  # Any: a JSON document
    rows = [
        {"test": " to ".join(fold["test"]), "chosen": fold["backtest_id"][:12]}
        | {name: _ratio(fold[name]) for name in ("train_sharpe", "test_sharpe")}
        | {"turnover": _share(fold["turnover"]), "cost": f"{fold['cost']:.3%}"}
        for fold in walk["folds"]
    ]
    title = f"Walk-forward: Sharpe ratio {_ratio(walk['sharpe'])} a year, return {_share(walk['total_return'])}"
    headers = {"test": "judged on", "chosen": "best before", "train_sharpe": "Sharpe before", "test_sharpe": "then"}
    print_rows(title, rows, headers | {"turnover": "turnover", "cost": "its cost"})
    console.print(walk["note"])


def _span(group: Mapping[str, Any]) -> str:  # Any: a JSON document
    low, high = (f"{value:g}" if isinstance(value, float) else str(value) for value in (group["low"], group["high"]))
    return low if low == high else f"{low} to {high}"


def _ratio(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.1%}"
