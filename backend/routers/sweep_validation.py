"""/backtest/sweeps/{sweep_id}/stability and /cross-validation: a sweep put to the test."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.routers.dependencies import Connection, Store
from backend.schemas.sweep_validation import CrossValidationIn, CrossValidationOut, StabilityIn, StabilityOut

router = APIRouter()  # included in the area "backtest", before the routes with an id


@router.get("/sweeps/{sweep_id}/stability")
async def get_stability(
    sweep_id: str, connection: Connection, store: Store, asked: Annotated[StabilityIn, Query()]
) -> StabilityOut:
    """Whether good parameters of a grid stand among good ones, or alone."""
    from backend.services.sweeps.validation import sweep_stability  # noqa: PLC0415  cold start

    return StabilityOut.model_validate(await sweep_stability(connection, store, sweep_id, asked.metric))


@router.get("/sweeps/{sweep_id}/cross-validation")
async def get_cross_validation(
    sweep_id: str, connection: Connection, store: Store, asked: Annotated[CrossValidationIn, Query()]
) -> CrossValidationOut:
    """What choosing the best trial gives out of sample: purged k-fold, or combinatorial purged cross-validation."""
    from backend.services.sweeps.validation import (  # noqa: PLC0415  cold start
        CrossValidationPlan,
        sweep_cross_validation,
    )

    plan = CrossValidationPlan(**asked.model_dump())
    return CrossValidationOut.model_validate(await sweep_cross_validation(connection, store, sweep_id, plan))
