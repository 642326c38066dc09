"""Pages of what is listed newest first."""

from __future__ import annotations

import datetime as dt
from typing import TypeVarTuple

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

Row = TypeVarTuple("Row")


def newest_first(
    query: Select[*Row],
    moment: InstrumentedAttribute[dt.datetime],
    key: InstrumentedAttribute[str],
    *,
    before: tuple[dt.datetime, str] | None,
    limit: int,
) -> Select[*Row]:
    """The query by `moment` and then `key`, both falling, from behind the cursor `before`; None: from the newest."""
    query = query.order_by(moment.desc(), key.desc()).limit(limit)
    if before is None:
        return query
    last_moment, last_key = before
    return query.where(or_(moment < last_moment, and_(moment == last_moment, key < last_key)))
