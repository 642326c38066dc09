"""Series that are no prices, as an Arrow table of one schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

#: One row per name and date; null where the file says that there is no value.
FACTOR_SCHEMA = pa.schema(
    [
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("date", pa.date32(), nullable=False),
        pa.field("value", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Parsed series.

    Parameters
    ----------
    table : pa.Table of FACTOR_SCHEMA
        Each (name, date) once.
    unit : str
        "fraction" where the file was known to be in per cent and is not any more, else "as in the file".
    """

    table: pa.Table
    unit: str


def unpivoted(dataset: str, dates: Sequence[date], columns: Mapping[str, Sequence[float | None]]) -> pa.Table:
    """Columns of values, one for each name, as rows of FACTOR_SCHEMA."""
    parts = [
        pa.table(
            {
                "dataset": pa.repeat(dataset, len(dates)),
                "name": pa.repeat(name, len(dates)),
                "date": pa.array(dates, pa.date32()),
                "value": pa.array(values, pa.float64()),
            },
            schema=FACTOR_SCHEMA,
        )
        for name, values in columns.items()
    ]
    return pa.concat_tables(parts) if parts else FACTOR_SCHEMA.empty_table()
