"""/backtest/preregistrations: freeze a spec, and extend it to newer data."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Response

from backend.database.preregistrations import list_preregistrations
from backend.routers.backtest_requests import backtest_request
from backend.routers.dependencies import Connection, Engine, Store
from backend.routers.idempotency import Key, claim
from backend.schemas.preregistrations import (
    PreregistrationIn,
    PreregistrationList,
    PreregistrationOut,
    PreregistrationRow,
    SampleOut,
)
from backend.services.preregistrations import Registered, Sample, extend, preregister, registered

router = APIRouter(prefix="/preregistrations")


@router.post("")
async def post_preregistration(
    body: PreregistrationIn, engine: Engine, store: Store, idempotency_key: Key = None
) -> PreregistrationOut:
    """Freeze a backtest; the same one again is the one that is frozen, with its moment and its reason."""
    await claim(engine, idempotency_key, body)
    record = await preregister(engine, store, backtest_request(body.backtest), reason=body.reason)
    return _out(await registered(engine, store, record.id))


@router.get("")
async def get_preregistrations(connection: Connection) -> PreregistrationList:
    """Every frozen spec, newest first."""
    records = await list_preregistrations(connection)
    names = PreregistrationRow.model_fields
    return PreregistrationList(data=[PreregistrationRow(**{n: getattr(it, n) for n in names}) for it in records])


@router.get("/{preregistration_id}")
async def get_preregistration(
    preregistration_id: str, engine: Engine, store: Store, response: Response
) -> PreregistrationOut:
    """A frozen spec, with its figures before and after the moment kept apart."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await registered(engine, store, preregistration_id))


@router.post("/{preregistration_id}/extend")
async def post_extension(preregistration_id: str, engine: Engine, store: Store) -> PreregistrationOut:
    """Run a frozen spec up to the newest snapshot; without a newer one it stays as it is."""
    return _out(await extend(engine, store, preregistration_id))


def _out(found: Registered) -> PreregistrationOut:
    record = found.record
    return PreregistrationOut(
        id=record.id,
        spec=record.spec,
        reason=record.reason,
        frozen_at=record.frozen_at,
        backtest_ids=found.backtest_ids,
        in_sample=_sample(found.in_sample),
        out_of_sample=_sample(found.out_of_sample),
    )


def _sample(sample: Sample | None) -> SampleOut | None:
    return None if sample is None else SampleOut(**asdict(sample))
