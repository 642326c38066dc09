"""/backtest/{backtest_id}/validation and /shocks: a stored backtest put to the test."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.routers.dependencies import Connection, Store
from backend.schemas.validation import ShocksOut, ValidationOut
from backend.services.validation import shocked, validation_document

router = APIRouter()  # included in the area "backtest"

Shocks = Annotated[
    list[Annotated[str, Query(max_length=80)]],
    Query(
        alias="shock",
        min_length=1,
        max_length=100,
        description="TICKER=MOVE or class:KIND=MOVE, repeatable; a move is a fraction from -1 to 10.",
        examples=["SPY=-0.3", "class:etf=-0.2"],
    ),
]


@router.get("/{backtest_id}/validation", response_model=ValidationOut)
async def get_validation(backtest_id: str, connection: Connection, store: Store) -> Response:
    """Bootstrap and reordering of the returns, and market falls replayed by strategy, benchmark and last holdings."""
    document = await validation_document(connection, store, backtest_id)
    # It follows from the id alone.
    headers = {"ETag": f'"{backtest_id}-validation"', "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(document, media_type="application/json", headers=headers)


@router.get("/{backtest_id}/shocks")
async def get_shocks(backtest_id: str, connection: Connection, store: Store, shocks: Shocks) -> ShocksOut:
    """What moves of your own making, of tickers or whole asset classes, would do to the last holdings at once."""
    found = await shocked(connection, store, backtest_id, shocks)
    return ShocksOut.model_validate(asdict(found) | {"id": backtest_id})
