"""The strategies there are, by dotted path: nothing is imported before it is asked for.

Third parties add theirs through the entry-point group ``parakeet.strategies`` (``key = "module:ATTRIBUTE"``). An entry
point cannot replace one of ours.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from strategy.errors import ParameterError, UnknownStrategyError
from strategy.library.contract import Parameters, Strategy

ENTRY_POINT_GROUP = "parakeet.strategies"
LIBRARY = {
    "buy_and_hold": "strategy.library.buy_and_hold:BUY_AND_HOLD",
    "dual_momentum": "strategy.library.dual_momentum:DUAL_MOMENTUM",
    "equal_weight": "strategy.library.equal_weight:EQUAL_WEIGHT",
    "hierarchical_risk_parity": "strategy.library.hierarchical_risk_parity:HIERARCHICAL_RISK_PARITY",
    "momentum": "strategy.library.momentum:MOMENTUM",
    "sma_crossover": "strategy.library.sma_crossover:SMA_CROSSOVER",
}


def strategy_paths() -> dict[str, str]:
    """Key to dotted path of every strategy, ours and those of installed packages, sorted by key."""
    return dict(sorted({**_third_party(tuple(sys.path)), **LIBRARY}.items()))


@cache
def _third_party(_search_path: tuple[str, ...]) -> dict[str, str]:
    """Entry points of installed packages, read once for each search path: reading their metadata takes 5 ms."""
    return {entry.name: entry.value for entry in entry_points(group=ENTRY_POINT_GROUP)}


def find_strategy(key: str) -> Strategy[Any]:  # Any: the parameter model is known only after the look-up
    """Import and return the strategy of this key; `UnknownStrategyError` when there is none."""
    paths = strategy_paths()
    if key not in paths:
        raise UnknownStrategyError(key, tuple(paths))
    module, _, attribute = paths[key].partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, Strategy):
        raise UnknownStrategyError(key, tuple(paths))
    return found


def parsed_parameters(strategy: Strategy[Any], values: dict[str, Any]) -> Parameters:  # Any: see find_strategy
    """Validate raw parameter values; `ParameterError` names the first field that is wrong and why."""
    try:
        parameters: Parameters = strategy.parameters.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise ParameterError(field, first.get("input"), first["msg"]) from error
    return parameters
