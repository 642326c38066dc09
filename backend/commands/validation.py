"""`parakeet validate`: a stored backtest put to the test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.commands.running import Json, run
from backend.commands.terminal import console, print_json, print_rows, reported_errors
from backend.config import Settings
from backend.resources import Resources

if TYPE_CHECKING:
    from strategy.validation.stress import Shocked

_SHOWN = ("0.01", "0.05", "0.5", "0.95", "0.99")


def validate(
    backtest_id: Annotated[str, typer.Argument(help="Id of a stored backtest, or its first characters.")],
    *,
    shocks: Annotated[
        list[str] | None,
        typer.Option("--shock", help="TICKER=-0.3 or class:etf=-0.2, repeatable: moves of the last holdings."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Resample a stored backtest, reorder its periods, replay market falls, and apply shocks of your own."""
    with reported_errors(as_json=as_json):
        document, shocked = run(Settings(), lambda resources: _tested(resources, backtest_id, shocks or ()))
    found = json.loads(document) | ({"shocks": asdict(shocked)} if shocked else {})
    if as_json:
        print_json(found)
    else:
        _print(found)


async def _tested(resources: Resources, beginning: str, shocks: Sequence[str]) -> tuple[str, Shocked | None]:
    from backend.commands.backtest import full_id  # noqa: PLC0415  start-up
    from backend.database.connection import transaction  # noqa: PLC0415  start-up
    from backend.services.validation import shocked, validation_document  # noqa: PLC0415  start-up

    backtest_id = await full_id(resources, beginning)
    async with transaction(resources.engine) as connection:
        document = await validation_document(connection, resources.store, backtest_id)
        moved = await shocked(connection, resources.store, backtest_id, shocks) if shocks else None
    return document, moved


def _print(found: Mapping[str, Any]) -> None:  # Any: a JSON document
    resampled, reordered = found["resampled"], found["reordered"]
    rows = [
        _row("total return", resampled["total_return"], is_fraction=True),
        _row("deepest fall", resampled["max_drawdown"], is_fraction=True),
        _row("Sharpe ratio", resampled["sharpe"], is_fraction=False),
        _row("deepest fall, reordered", reordered["max_drawdown"], is_fraction=True),
    ]
    headers = {share: f"{float(share):.0%}" for share in _SHOWN}
    title = f"{resampled['n_samples']:,} paths in blocks of {resampled['block_length']:.1f} sessions, by quantile"
    print_rows(title, rows, {"figure": "", "observed": "observed"} | headers)
    print_rows("Market falls, return and deepest fall", [_fall(window) for window in found["stress"]], _FALL_HEADERS)
    if "shocks" in found:
        changes = [{"ticker": key, "change": _percent(it)} for key, it in found["shocks"]["by_ticker"].items()]
        total = _percent(found["shocks"]["total"])
        print_rows(f"Shocks of the last holdings: {total} of equity", changes, {"ticker": "ticker", "change": "change"})
    console.print(f"loses on {resampled['probability_of_loss']:.1%} of paths", soft_wrap=True)


_FALL_HEADERS = {
    "window": "window",
    "dates": "from high to low",
    "strategy": "strategy",
    "benchmark": "benchmark",
    "holdings": "last holdings",
    "covered": "of them priced",
}


def _fall(window: Mapping[str, Any]) -> dict[str, str | None]:  # Any: a JSON document
    holdings = window["holdings"]
    parts = {name: _replay(window[name]) for name in ("strategy", "benchmark", "holdings")}
    return {
        "window": window["title"],
        "dates": f"{window['start']} to {window['end']}",
        "covered": f"{holdings['covered']:.0%}" if holdings else None,
        **parts,
    }


def _replay(replay: Mapping[str, float] | None) -> str | None:
    return f"{_percent(replay['total_return'])}, {_percent(replay['max_drawdown'])}" if replay else None


def _row(title: str, distribution: Mapping[str, Any], *, is_fraction: bool) -> dict[str, str | None]:  # Any: JSON
    values = {"observed": distribution["observed"]} | {share: distribution["quantiles"][share] for share in _SHOWN}
    return {"figure": title} | {
        name: None if value is None else _percent(value) if is_fraction else f"{value:.2f}"
        for name, value in values.items()
    }


def _percent(value: float) -> str:
    return f"{value * 100:,.1f} %"
