"""/data/factors: series that are no prices, as known at a moment."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.database.factors import FactorQuery
from backend.routers.cursors import cursor_bar, encoded_cursor
from backend.routers.dependencies import Connection
from backend.routers.moments import moment, names_in
from backend.routers.price_formats import MEDIA_TYPES
from backend.schemas.factors import FactorNameOut, FactorOut, FactorsIn, FactorsOut
from backend.schemas.meta import MetaOut
from backend.services.errors import RequestError
from backend.services.factors import factor_page

router = APIRouter()  # included in the area "data"


@router.get("/factors", response_model=FactorsOut)
async def get_factors(connection: Connection, asked: Annotated[FactorsIn, Query()]) -> Response:
    """Values of a dataset of factors, rates or other series, sorted by date and name."""
    query = _query(asked)
    found = await factor_page(connection, query)
    rows = [FactorOut(date=date, name=name, value=value) for date, name, value in found.rows]
    data = _csv(rows)
    meta = MetaOut(
        as_of=query.as_of,
        source=sorted({item.source for item in found.names}),
        quality={},
        data_hash=hashlib.sha256(data).hexdigest(),
        generated_at=dt.datetime.now(dt.UTC),
    )
    next_cursor = encoded_cursor(rows[-1].name, rows[-1].date.isoformat()) if found.has_more else None
    if asked.format == "csv":
        headers = {"X-As-Of": query.as_of.isoformat(), "X-Data-Hash": meta.data_hash}
        headers |= {"X-Next-Cursor": next_cursor} if next_cursor else {}
        return Response(data, media_type=MEDIA_TYPES["csv"], headers=headers)
    known = [FactorNameOut.model_validate(asdict(item)) for item in found.names]
    page = FactorsOut(meta=meta, dataset=asked.dataset, names=known, data=rows, next_cursor=next_cursor)
    return Response(page.model_dump_json(), media_type="application/json")


def _query(asked: FactorsIn) -> FactorQuery:
    if asked.start is not None and asked.end is not None and asked.start > asked.end:
        raise RequestError("start", asked.start.isoformat(), f"is after end {asked.end.isoformat()}")
    after = cursor_bar(asked.cursor)
    return FactorQuery(
        dataset=asked.dataset,
        names=names_in(asked.names, field="names") if asked.names is not None else None,
        start=asked.start,
        end=asked.end,
        as_of=moment(asked.as_of),
        after=(after[1], after[0]) if after else None,
        limit=asked.limit,
    )


def _csv(rows: list[FactorOut]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(FactorOut.model_fields)
    writer.writerows((row.date, row.name, row.value) for row in rows)
    return buffer.getvalue().encode()
