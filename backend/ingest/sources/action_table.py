"""Corporate actions as a table in a CSV or Parquet file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from backend.ingest.errors import SourceSettingsError
from backend.ingest.quality.actions import checked_actions
from backend.ingest.sources.contract import ACTION_SCHEMA


def read_actions(path: Path) -> pa.Table:
    """The actions of a file, in the order of its rows.

    Parameters
    ----------
    path : Path
        With the columns ticker, ex_date, kind and value, and new_symbol where a symbol changes
        (`backend.database.actions.ActionRecord` says what they mean).

    Raises
    ------
    SourceSettingsError
        If the file cannot be read, lacks a column, or has a row that is no action: the first is named.
    """
    table = _table(path)
    if "new_symbol" not in table.column_names:
        table = table.append_column("new_symbol", pa.nulls(table.num_rows, pa.string()))
    missing = [name for name in ACTION_SCHEMA.names if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names) or "none"
        raise _wrong(path, f"no column {', '.join(missing)}; columns found: {found}")
    try:
        table = pa.table([table[field.name].cast(field.type) for field in ACTION_SCHEMA], names=ACTION_SCHEMA.names)
    except pa.ArrowException as error:
        raise _wrong(path, f"a value of another type: {str(error).splitlines()[0]}") from error
    _check_rows(path, table)
    return table.cast(ACTION_SCHEMA)


def _table(path: Path) -> pa.Table:
    try:
        if path.suffix.lower() == ".parquet":
            return pq.read_table(path, partitioning=None)
        # Text, so that the ticker NA is not taken for nothing.
        types = {"ticker": pa.string(), "kind": pa.string(), "new_symbol": pa.string(), "value": pa.float64()}
        options = pcsv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
        return pcsv.read_csv(path, convert_options=options)
    except (pa.ArrowException, OSError) as error:
        raise _wrong(path, f"it cannot be read: {str(error).splitlines()[0]}") from error


def _check_rows(path: Path, table: pa.Table) -> None:
    for number in range(table.num_rows):
        row = table.slice(number, 1)
        refused = checked_actions(row, ticker=row["ticker"][0].as_py() or "").quarantined
        if refused:
            values = ", ".join(f"{name}={value!r}" for name, value in row.to_pylist()[0].items())
            raise _wrong(path, f"row {number + 1} is no action ({values})")


def _wrong(path: Path, reason: str) -> SourceSettingsError:
    return SourceSettingsError("path", str(path), reason)
