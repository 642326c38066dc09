"""/backtest/{id}/honesty: a result among all trials so far."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from backend.routers.dependencies import Engine, Store
from backend.schemas.honesty import LiveHonestyOut
from backend.services.honesty import live_honesty

router = APIRouter()


@router.get("/{backtest_id}/honesty")
async def get_honesty(backtest_id: str, engine: Engine, store: Store, response: Response) -> LiveHonestyOut:
    """Trials so far of the strategy and in all, how many are independent, and the deflated Sharpe ratio of them."""
    response.headers["Cache-Control"] = "no-store"
    return LiveHonestyOut(**asdict(await live_honesty(engine, store, backtest_id)))
