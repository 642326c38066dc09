"""The tearsheet of a stored backtest: everything of a result in one file."""

from __future__ import annotations

import asyncio
import json
from typing import Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from aws.s3_cache import ObjectStore, read_table
from backend.database.backtests import BacktestRecord, get_backtest
from backend.database.connection import transaction
from backend.services.result_tables import FileFormat, table_file

SheetFormat: TypeAlias = Literal["html", "csv", "parquet"]
Part: TypeAlias = Literal["series", "metrics"]


async def tearsheet(
    engine: AsyncEngine, store: ObjectStore, backtest_id: str, *, form: SheetFormat, part: Part = "series"
) -> bytes:
    """The sheet as HTML, or one part of it as CSV or Parquet: the series by session, or the figures.

    Raises
    ------
    UnknownBacktestError
        If it was never run.
    """
    async with transaction(engine) as connection:
        record = await get_backtest(connection, backtest_id)
    return (await _page(store, record)).encode() if form == "html" else await _file(store, record, form, part)


async def _page(store: ObjectStore, record: BacktestRecord) -> str:
    # Here and not above: pyarrow and numpy are not for every request of this Lambda.
    from backend.services.derived_tables import curves_of  # noqa: PLC0415
    from backend.services.tearsheet.page import tearsheet_page  # noqa: PLC0415

    keys = (record.equity_key, record.orders_key, record.holdings_key)
    equity, orders, holdings = await asyncio.gather(*(read_table(store, key) for key in keys))
    document = json.loads(record.document)
    curves = curves_of(document, equity)
    return await asyncio.to_thread(tearsheet_page, document, curves, orders=orders, holdings=holdings)


async def _file(store: ObjectStore, record: BacktestRecord, form: FileFormat, part: Part) -> bytes:
    from backend.services.derived_tables import curves_of, metrics_table, series_table  # noqa: PLC0415

    document = json.loads(record.document)
    if part == "metrics":
        return table_file(metrics_table(document), form)
    curves = curves_of(document, await read_table(store, record.equity_key))
    return table_file(series_table(curves), form)
