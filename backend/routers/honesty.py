"""/backtest/{id}/honesty and /restatement: a result among all trials so far, and as known at another moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.routers.dependencies import Engine, Store
from backend.routers.moments import moment
from backend.schemas.honesty import LiveHonestyOut, RestatedBacktestOut
from backend.services.backtest_restatement import restated_backtest
from backend.services.honesty import live_honesty

router = APIRouter()


@router.get("/{backtest_id}/honesty")
async def get_honesty(backtest_id: str, engine: Engine, store: Store, response: Response) -> LiveHonestyOut:
    """Trials so far of the strategy and in all, how many are independent, and the deflated Sharpe ratio of them."""
    response.headers["Cache-Control"] = "no-store"
    return LiveHonestyOut(**asdict(await live_honesty(engine, store, backtest_id)))


@router.get("/{backtest_id}/restatement")
async def get_restatement(
    backtest_id: str,
    engine: Engine,
    store: Store,
    as_of: Annotated[dt.datetime, Query(description="The other moment, with its zone.")],
) -> RestatedBacktestOut:
    """The same spec on the snapshot of another moment: differences of every figure, and the facts rewritten between."""
    found = await restated_backtest(engine, store, backtest_id, as_of=moment(as_of))
    return RestatedBacktestOut.model_validate(asdict(found))
