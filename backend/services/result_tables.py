"""Tables of a stored backtest: those that were stored with it, and those that follow from its equity curve."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aws.s3_cache import ObjectStore, read_table
from backend.database.backtests import BacktestRecord
from backend.services.errors import RequestError

if TYPE_CHECKING:
    import pyarrow as pa

TableName: TypeAlias = Literal["equity", "orders", "holdings", "rolling", "monthly", "yearly", "drawdowns", "series"]
FileFormat: TypeAlias = Literal["csv", "parquet"]
MEDIA_TYPES: dict[FileFormat, str] = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


async def result_table(store: ObjectStore, record: BacktestRecord, name: TableName) -> pa.Table:
    """One table of a stored backtest."""
    if name == "equity" or name == "orders" or name == "holdings":  # noqa: PLR1714  so the type checker knows the rest
        return await read_table(store, getattr(record, f"{name}_key"))
    from backend.services.derived_tables import curves_of, derived_table  # noqa: PLC0415  cold start: numpy

    equity = await read_table(store, record.equity_key)
    return derived_table(name, curves_of(json.loads(record.document), equity))


def chosen_columns(table: pa.Table, names: str | None) -> pa.Table:
    """The columns of these names, separated by commas, in that order; None: all. `RequestError` for an unknown one."""
    if names is None:
        return table
    chosen = names.split(",")
    unknown = [name for name in chosen if name not in table.column_names]
    if unknown:
        raise RequestError("columns", unknown[0], f"known are {', '.join(table.column_names)}")
    return table.select(list(dict.fromkeys(chosen)))


def rows_of(table: pa.Table, *, offset: int, limit: int) -> dict[str, list[Any]]:  # Any: JSON values of mixed columns
    """Columns of rows `offset` to `offset + limit`."""
    part = table.slice(offset, limit)
    return {name: [_json(value) for value in part.column(name).to_pylist()] for name in part.column_names}


def table_file(table: pa.Table, form: FileFormat) -> bytes:
    """The table as a CSV file with a header, null left empty, or as a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415  cold start

    sink = pa.BufferOutputStream()
    if form == "csv":
        from pyarrow import csv  # noqa: PLC0415  cold start

        csv.write_csv(table, sink)
    else:
        import pyarrow.parquet as pq  # noqa: PLC0415  cold start

        pq.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
