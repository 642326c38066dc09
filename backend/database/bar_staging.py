"""Bars into a temporary table, where they can be compared with stored ones."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.database.binary_copy import binary_copy
from backend.database.connection import copy_in

#: In the order of `backend.ingest.sources.contract.BAR_SCHEMA`.
BAR_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume", "adjusted_close")
#: Columns that the caller gives.
COLUMNS = (*BAR_COLUMNS, "source", "data_quality", "metadata")
#: Where a row stood in what was given, and the how-manieth version of its bar it is, from 0.
_STAGED = (*COLUMNS, "known_at", "place", "round")

_TABLE = """
    CREATE TEMPORARY TABLE staged_bars (
        ticker text NOT NULL, date date NOT NULL, open double precision, high double precision, low double precision,
        close double precision, volume double precision, adjusted_close double precision, source text NOT NULL,
        data_quality text NOT NULL, metadata text NOT NULL, known_at {moment} NOT NULL, place integer NOT NULL,
        round integer NOT NULL
    )"""


async def stage(connection: AsyncConnection, bars: pa.Table, *, known_at: dt.datetime) -> int:
    """Make the temporary table `staged_bars`; returns the number of rounds: most versions that any bar has.

    `known_at` is the moment of rows that have none of their own.
    """
    has_moments = "known_at" in bars.column_names
    rounds = _rounds(bars) if has_moments else np.zeros(bars.num_rows, np.int32)
    staged = bars if has_moments else dated(bars, known_at)
    staged = staged.append_column("place", pa.array(np.arange(bars.num_rows), pa.int32()))
    staged = staged.append_column("round", pa.array(rounds, pa.int32())).select(_STAGED)
    put = _put_in_postgres if connection.dialect.name == "postgresql" else _put_in_sqlite
    await put(connection, staged)
    return int(rounds.max(initial=-1)) + 1


async def unstage(connection: AsyncConnection) -> None:
    """Drop the temporary table."""
    await connection.execute(text("DROP TABLE staged_bars"))


def dated(bars: pa.Table, known_at: dt.datetime) -> pa.Table:
    """The bars with one moment for all."""
    moment = pa.scalar(known_at.astimezone(dt.UTC), pa.timestamp("us", "UTC"))
    return bars.append_column("known_at", pa.repeat(moment, bars.num_rows))


def _rounds(bars: pa.Table) -> NDArray[np.int32]:
    """Of each row its place among the rows of the same (ticker, date), by `known_at`; equal moments as they came."""
    order = pc.sort_indices(bars, [(name, "ascending") for name in ("ticker", "date", "known_at")]).to_numpy()
    tickers = bars["ticker"].combine_chunks().dictionary_encode().indices.to_numpy()[order]
    dates = bars["date"].cast(pa.int32()).to_numpy()[order]
    places = np.arange(order.size)
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = (tickers[1:] != tickers[:-1]) | (dates[1:] != dates[:-1])
    rounds = np.empty(order.size, np.int32)
    rounds[order] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return rounds


async def _put_in_postgres(connection: AsyncConnection, staged: pa.Table) -> None:
    await connection.execute(text(f"{_TABLE.format(moment='timestamptz')} ON COMMIT DROP"))
    if staged.num_rows:
        await copy_in(connection, "staged_bars", staged.column_names, binary_copy(staged))


async def _put_in_sqlite(connection: AsyncConnection, staged: pa.Table) -> None:
    # A temporary table lives as long as the pooled connection, also when the transaction that made it was rolled back.
    await connection.execute(text("DROP TABLE IF EXISTS temp.staged_bars"))
    await connection.execute(text(_TABLE.format(moment="text")))
    # As `UtcDateTime` writes moments, with six digits. Not by strftime, which asks for the system's time zones.
    moments = staged["known_at"].cast(pa.timestamp("us")).cast(pa.string())
    texts = {"date": staged["date"].cast(pa.string()), "known_at": moments}
    rows = list(zip(*(texts.get(name, staged[name]).to_pylist() for name in _STAGED), strict=True))
    if rows:
        marks = ", ".join("?" * len(_STAGED))
        await connection.exec_driver_sql(f"INSERT INTO staged_bars VALUES ({marks})", rows)  # noqa: S608  fixed width
