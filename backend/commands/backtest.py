"""Backtests as the command line orders them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from backend.resources import Resources
from backend.services.backtests import BacktestRequest, run_backtest
from backend.services.errors import RequestError
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.spec import Execution


def parsed_request(
    strategy: str,
    universe: str,
    params: Sequence[str],
    *,
    span: tuple[dt.date | None, dt.date | None],
    costs: str,
    execution: Mapping[str, Any],  # Any: fields of Execution, checked by it
) -> BacktestRequest:
    """Request of the options; `RequestError` names the one that is wrong."""
    if costs not in PRESETS:
        raise RequestError("costs", costs, f"known are {', '.join(PRESETS)}")
    start, end = span
    return BacktestRequest(
        strategy=strategy,
        universe=universe,
        parameters=dict(_parameter(text) for text in params),
        start=start,
        end=end,
        costs=PRESETS[costs],
        execution=Execution(**execution),
    )


async def stored_documents(resources: Resources, requests: Sequence[BacktestRequest]) -> list[str]:
    """Documents of the requests, computed where they are not stored yet."""
    return [
        (await run_backtest(resources.engine, resources.store, request, origin="cli")).document for request in requests
    ]


def _parameter(text: str) -> tuple[str, Any]:  # Any: a JSON value, validated by the strategy's model
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise RequestError("param", text, "write name=value, for example --param lookback=252")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
