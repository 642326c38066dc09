"""/data/universes: what they are, who is in them, and what their bars lack."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from backend.database.universes import UniverseRecord, universe_keys
from backend.routers.dependencies import Connection, Engine
from backend.routers.idempotency import Key, claim
from backend.routers.moments import AsOf, moment
from backend.schemas.universes import (
    GapsOut,
    MemberChangesIn,
    MemberIn,
    MemberOut,
    MembersReportOut,
    UniverseIn,
    UniverseOut,
)
from backend.services.universes import change_members, create_universe, described
from strategy.errors import MembershipError
from strategy.universe import SINCE_EVER, MemberChange, Membership, members_on

router = APIRouter()  # included in the area "data"


@router.get("/universes")
async def get_universes(connection: Connection) -> list[str]:
    """Keys of all universes that are stored."""
    return await universe_keys(connection)


@router.post("/universes", status_code=201)
async def post_universe(body: UniverseIn, engine: Engine, idempotency_key: Key = None) -> UniverseOut:
    """Describe a universe of one's own; the same again changes nothing."""
    await claim(engine, idempotency_key, body)
    record = UniverseRecord(
        name=body.name or body.key, source_options={}, **body.model_dump(exclude={"name", "members"})
    )
    stays = [_stay(member) for member in body.members]
    made = await create_universe(engine, record, stays)
    return _shown(made, stays, on=None, as_of=dt.datetime.now(dt.UTC))


@router.get("/universes/{key}")
async def get_one_universe(
    key: str, connection: Connection, on: dt.date | None = None, as_of: AsOf = None
) -> UniverseOut:
    """A universe with its members on a date, or with every stay there ever was."""
    known_at = moment(as_of)
    universe, stays = await described(connection, key, as_of=known_at)
    return _shown(universe, stays if on is None else members_on(stays, on), on=on, as_of=known_at)


@router.post("/universes/{key}/members")
async def post_members(
    key: str, body: MemberChangesIn, engine: Engine, idempotency_key: Key = None
) -> MembersReportOut:
    """Let tickers join and leave; who leaves on the day of joining was never in. The same again changes nothing."""
    await claim(engine, idempotency_key, body)
    changes = [
        MemberChange(ticker=change.ticker, date=change.date, joins=joins)
        for joins, named in ((True, body.joins), (False, body.leaves))
        for change in named
    ]
    return MembersReportOut.model_validate(asdict(await change_members(engine, key, changes)))


@router.get("/universes/{key}/gaps")
async def get_gaps(
    key: str, connection: Connection, limit: Annotated[int, Query(ge=1, le=100, description="Tickers listed.")] = 20
) -> GapsOut:
    """Sessions of the exchange without a bar, between the first and the last bar of each ticker."""
    from backend.services.gaps import universe_gaps  # noqa: PLC0415  cold start: arrays

    return GapsOut.model_validate({"universe": key} | asdict(await universe_gaps(connection, key, limit=limit)))


def _stay(member: MemberIn) -> Membership:
    start = member.start_date or SINCE_EVER
    if member.end_date is not None and member.end_date < start:
        raise MembershipError([f"{member.ticker} ends on {member.end_date}, before it has begun on {start}"])
    return Membership(ticker=member.ticker, start_date=start, end_date=member.end_date)


def _shown(universe: UniverseRecord, stays: list[Membership], *, on: dt.date | None, as_of: dt.datetime) -> UniverseOut:
    told = asdict(universe)
    del told["source_options"]
    members = [MemberOut.model_validate(asdict(stay)) for stay in stays]
    return UniverseOut(on=on, as_of=as_of, members=members, **told)
