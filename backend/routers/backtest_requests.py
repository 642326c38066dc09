"""From the body of a request to what the services are asked for."""

from __future__ import annotations

from backend.schemas.backtest import BacktestIn, ConstraintsIn, CostsIn
from backend.services.backtests import BacktestRequest
from backend.services.errors import RequestError
from strategy.allocation.constraints import Constraints
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.costs import CostModel
from strategy.backtest.spec import Execution


def backtest_request(body: BacktestIn) -> BacktestRequest:
    """The request of a body; `RequestError` names the field that is wrong."""
    return BacktestRequest(
        strategy=body.strategy,
        universe=body.universe,
        parameters=body.parameters,
        start=body.start,
        end=body.end,
        costs=_costs(body.costs),
        execution=Execution(**body.execution.model_dump()),
        benchmark=body.benchmark,
        snapshot=body.snapshot,
        base_currency=body.base_currency,
        fx_snapshot=body.fx_snapshot,
        constraints=constraints_of(body.constraints),
    )


def constraints_of(body: ConstraintsIn | None) -> Constraints | None:
    """The constraints of a body."""
    return None if body is None else Constraints.from_json(body.model_dump())


def _costs(body: CostsIn) -> CostModel:
    if body.preset not in PRESETS:
        raise RequestError("costs.preset", body.preset, f"known are {', '.join(PRESETS)}")
    preset = PRESETS[body.preset]
    own = body.model_dump(exclude={"preset"}, exclude_none=True)
    return preset.replaced(**own)
