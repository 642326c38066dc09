"""From the body of a request for a sweep to what the services are asked for, and from a sweep to an answer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from backend.routers.backtest_requests import backtest_request
from backend.schemas.sweeps import SweepIn, SweepOut
from backend.services.sweeps.budgets import Budget
from backend.services.sweeps.starting import StartedSweep, SweepRequest
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import Space
from strategy.sweeps.spec import WalkForward


def sweep_request(body: SweepIn) -> SweepRequest:
    """The request of a body; `RequestError` names the field that is wrong."""
    axes = {name: Axis(**_axis(axis.model_dump())) for name, axis in body.space.axes.items()}
    return SweepRequest(
        base=backtest_request(body.base),
        space=Space(**body.space.model_dump() | {"axes": axes}),
        walk_forward=WalkForward(**body.walk_forward.model_dump()) if body.walk_forward else None,
        budget=Budget(**body.budget.model_dump()),
    )


def sweep_answer(found: StartedSweep) -> SweepOut:
    """A sweep as it is answered."""
    record = asdict(found.sweep)
    document = record.pop("document")
    return SweepOut.model_validate(
        record | {"job": asdict(found.job), "result": json.loads(document) if document else None}
    )


def _axis(fields: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    return fields | {"values": None if fields["values"] is None else tuple(fields["values"])}
