"""/strategies: what there is, and the parameters of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from backend.routers.health import add_health
from backend.schemas.strategies import StrategyList, StrategyOut
from strategy.library.contract import Strategy
from strategy.registry import find_strategy, strategy_paths

router = APIRouter(prefix="/strategies", tags=["strategies"])
add_health(router)


@router.get("")
async def list_strategies() -> StrategyList:
    """Every strategy, ours and those of installed packages."""
    return StrategyList(data=[_described(find_strategy(key)) for key in strategy_paths()])


@router.get("/{key}")
async def one_strategy(key: str) -> StrategyOut:
    """One strategy with the JSON schema of its parameters."""
    return _described(find_strategy(key))


def _described(strategy: Strategy[Any]) -> StrategyOut:  # Any: the parameter model is its own
    return StrategyOut(
        key=strategy.key,
        version=strategy.version,
        title=strategy.title,
        description=strategy.description,
        rebalance=strategy.rebalance,
        parameters=strategy.parameters.model_json_schema(),
    )
