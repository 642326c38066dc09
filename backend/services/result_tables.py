"""Rows of a stored result table, as JSON columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

from aws.s3_cache import ObjectStore, read_table


async def read_rows(
    store: ObjectStore, key: str, *, offset: int, limit: int
) -> tuple[dict[str, list[Any]], int]:  # Any: JSON values of mixed columns
    """Columns of rows `offset` to `offset + limit` of a table in the cache, and how many rows it has in all."""
    table = await read_table(store, key)
    part = table.slice(offset, limit)
    columns = {name: [_json(value) for value in part.column(name).to_pylist()] for name in part.column_names}
    return columns, table.num_rows


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
