"""Specs that were frozen, and the backtests that extended them: append-only like the ledger of trials."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.errors import UnknownPreregistrationError
from backend.database.inserts import insert_if_absent, row_of
from backend.database.models.results import Preregistration, PreregistrationRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PreregistrationRecord:
    """A frozen spec (`strategy.backtest.design.frozen_spec`), why, and since when."""

    id: str
    spec: dict[str, Any]  # Any: JSON values
    strategy: str
    universe: str
    reason: str
    frozen_at: dt.datetime


async def add_preregistration(connection: AsyncConnection, record: PreregistrationRecord) -> None:
    """Freeze a spec; one that is frozen already keeps its moment and its reason."""
    await connection.execute(insert_if_absent(connection, Preregistration), row_of(record))


async def get_preregistration(connection: AsyncConnection, preregistration_id: str) -> PreregistrationRecord:
    """The frozen spec of this id; `UnknownPreregistrationError` when there is none."""
    query = select(Preregistration.__table__).where(Preregistration.id == preregistration_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise UnknownPreregistrationError(preregistration_id)
    return PreregistrationRecord(**row._mapping)


async def list_preregistrations(connection: AsyncConnection) -> list[PreregistrationRecord]:
    """Every frozen spec, newest first."""
    query = select(Preregistration.__table__).order_by(Preregistration.frozen_at.desc(), Preregistration.id)
    return [PreregistrationRecord(**row._mapping) for row in (await connection.execute(query)).all()]


async def add_run(connection: AsyncConnection, preregistration_id: str, backtest_id: str, at: dt.datetime) -> None:
    """Note that a backtest extended a frozen spec; once is enough."""
    values = {"preregistration_id": preregistration_id, "backtest_id": backtest_id, "created_at": at}
    await connection.execute(insert_if_absent(connection, PreregistrationRun).values(values))


async def runs_of(connection: AsyncConnection, preregistration_id: str) -> list[str]:
    """Ids of the backtests that extended a frozen spec, newest first."""
    query = (
        select(PreregistrationRun.backtest_id)
        .where(PreregistrationRun.preregistration_id == preregistration_id)
        .order_by(PreregistrationRun.created_at.desc(), PreregistrationRun.backtest_id)
    )
    return list((await connection.scalars(query)).all())
