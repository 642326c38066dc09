"""A page of bars in the formats that /data/prices offers; the last two need pyarrow and import it here."""

from __future__ import annotations

import csv
import io
from typing import Any, Literal

from fastapi import Response

from backend.schemas.data import PricePage

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
COLUMNS = (
    "ticker",
    "date",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "adjusted_close",
    "source",
    "data_quality",
    "known_at",
)


def rendered(page: PricePage, format: Literal["json", "csv", "parquet", "arrow"]) -> Response:  # noqa: A002  as in the URL
    """Response in the format asked for; outside JSON, `meta` and the cursor travel in headers."""
    if format == "json":
        return Response(page.model_dump_json(), media_type="application/json")
    headers = {
        "X-As-Of": page.meta.as_of.isoformat() if page.meta.as_of else "",
        "X-Adjustment": page.adjustment,
        "X-Data-Hash": page.meta.data_hash,
        "X-Source": ",".join(page.meta.source or ()),
    }
    if page.next_cursor is not None:
        headers["X-Next-Cursor"] = page.next_cursor
    body = _csv(page.data) if format == "csv" else _arrow(page.data, is_parquet=format == "parquet")
    return Response(body, media_type=MEDIA_TYPES[format], headers=headers)


def _csv(rows: list[dict[str, Any]]) -> bytes:  # Any: a row of mixed columns
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _arrow(rows: list[dict[str, Any]], *, is_parquet: bool) -> bytes:  # Any: a row of mixed columns
    import pyarrow as pa  # noqa: PLC0415  cold start
    import pyarrow.compute as pc  # noqa: PLC0415  cold start
    import pyarrow.parquet as pq  # noqa: PLC0415  cold start

    numbers = {"open", "high", "low", "close", "volume", "adjusted_close"}
    schema = pa.schema([(name, pa.float64() if name in numbers else pa.string()) for name in COLUMNS])
    table = pa.Table.from_pylist(rows, schema=schema)
    dates = pc.strptime(table.column("date"), format="%Y-%m-%d", unit="s").cast(pa.date32())
    table = table.set_column(1, "date", dates)
    sink = pa.BufferOutputStream()
    if is_parquet:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
