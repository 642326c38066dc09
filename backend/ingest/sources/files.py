"""Bars from CSV and Parquet files.

1. List the files, read each, and map their columns to ours (`backend.ingest.sources.columns`).
2. Find the rows of each ticker by date; rows of one date stay in the order of the file.
3. Answer requests from memory, where every value lies once: 3 million rows take 200 MB.

Values are as in the file: rows that break a rule are left for quality control to name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.ingest.errors import SourceSettingsError, TickerNotFoundError
from backend.ingest.sources.columns import Column, column_map, is_closes_only, typed
from backend.ingest.sources.contract import ACTION_SCHEMA, Fetched, FetchRequest

#: Under this name come the rows that name no ticker, so that quality control can quarantine them.
NO_TICKER = "(none)"
_SUFFIXES = (".parquet", ".csv", ".csv.gz")


class FilesSource:
    """One CSV or Parquet file, or a folder of them; where a file has no ticker column, its name is the ticker.

    Everything is read once, when first asked for. The files must agree on whether they have open, high and low.

    Parameters
    ----------
    path : Path
        File (.csv, .csv.gz or .parquet) or folder.
    columns : mapping of str to str, optional
        Their column name to ours, where the built-in synonyms do not suffice.
    """

    name = "files"

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._columns = dict(columns or {})
        self._parts: Parts | None = None
        self._metadata: dict[str, str] = {}
        self._reading = asyncio.Lock()

    async def tickers(self) -> Sequence[str]:
        """Every ticker in the files, sorted; `SourceSettingsError` when they cannot be read."""
        return list(await self._loaded())

    async def fetch(self, request: FetchRequest) -> Fetched:
        """Bars of the requested span; rows without a date come only with the whole past."""
        parts = await self._loaded()
        if request.ticker not in parts:
            raise TickerNotFoundError(self.name, request.ticker, f"{self._path} has no rows of it")
        bars = within(parts[request.ticker], request)
        return Fetched(bars=bars, actions=ACTION_SCHEMA.empty_table(), metadata=dict(self._metadata))

    async def close(self) -> None:
        """Let the tables go."""
        self._parts = None

    async def _loaded(self) -> Parts:
        async with self._reading:
            if self._parts is None:
                table, self._metadata = await asyncio.to_thread(_read_all, self._path, self._columns)
                pa.default_memory_pool().release_unused()
                self._parts = await asyncio.to_thread(Parts, table)
            return self._parts


class Parts(Mapping[str, pa.Table]):
    """The rows of each ticker, sorted by the column `order`; rows of equal order stay as they came.

    A part is taken out of the table when it is asked for, so that not all rows are in memory twice.
    """

    def __init__(self, table: pa.Table, *, order: str = "date") -> None:
        codes, names = _coded(table.column("ticker"))
        self._schema = table.schema
        self._table = table.drop_columns(["ticker"])
        # Of a file that is sorted already, which most are, a part is a slice.
        self._rows = None if _is_sorted(codes, table.column(order)) else _sorted_rows(codes, table.column(order))
        sizes = np.bincount(codes, minlength=len(names))
        spans = zip((np.cumsum(sizes) - sizes).tolist(), sizes.tolist(), strict=True)
        self._spans = dict(zip(names, spans, strict=True))

    def __getitem__(self, ticker: str) -> pa.Table:
        begin, size = self._spans[ticker]
        rows = None if self._rows is None else self._rows[begin : begin + size]
        part = self._table.slice(begin, size) if rows is None else self._table.take(rows)
        tickers = pa.nulls(size, pa.string()) if ticker == NO_TICKER else pa.repeat(ticker, size)
        columns = [tickers if name == "ticker" else part[name] for name in self._schema.names]
        return pa.Table.from_arrays(columns, schema=self._schema)

    def __contains__(self, ticker: object) -> bool:
        return ticker in self._spans

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


def _is_sorted(codes: NDArray[np.int32], order: Column) -> bool:
    if order.null_count:
        return False
    dates = order.cast(pa.int32()).to_numpy()
    is_later = (codes[1:] > codes[:-1]) | ((codes[1:] == codes[:-1]) & (dates[1:] >= dates[:-1]))
    return bool(is_later.all())


def _sorted_rows(codes: NDArray[np.int32], order: Column) -> NDArray[np.uint64]:
    keyed = pa.table({"ticker": codes, "order": order})
    rows: NDArray[np.uint64] = pc.sort_indices(keyed, [(name, "ascending") for name in keyed.column_names]).to_numpy()
    return rows


def _coded(tickers: Column) -> tuple[NDArray[np.int32], list[str]]:
    """Of each row the number of its ticker among all, and their names, sorted."""
    named = pc.coalesce(tickers, pa.scalar(NO_TICKER)) if tickers.null_count else tickers
    encoded = named.dictionary_encode().combine_chunks()
    names: list[str] = encoded.dictionary.to_pylist()
    ranks = np.empty(len(names), np.int32)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names), dtype=np.int32)
    return ranks[encoded.indices.to_numpy()], sorted(names)


def within(table: pa.Table, request: FetchRequest, *, column: str = "date") -> pa.Table:
    """The rows of the requested span; a row without a date is in it only when `start` is None."""
    if request.start is not None:
        table = table.filter(pc.greater_equal(table.column(column), pa.scalar(request.start)))
    if request.end is not None:
        dates = table.column(column)
        table = table.filter(pc.or_kleene(pc.is_null(dates), pc.less_equal(dates, pa.scalar(request.end))))
    return table


def _read_all(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, dict[str, str]]:
    read = [_read_file(file, mapping) for file in _files(path)]
    kinds = {closes_only for _, closes_only in read}
    if len(kinds) > 1:
        reason = "some files have open, high and low, others do not; ingest them as two universes"
        raise SourceSettingsError("path", str(path), reason)
    return pa.concat_tables([bars for bars, _ in read]), {"fields": "close"} if kinds == {True} else {}


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.lower().endswith(_SUFFIXES))
        if not files:
            raise SourceSettingsError("path", str(path), f"the folder has no file ending in {', '.join(_SUFFIXES)}")
        return files
    if not path.is_file():
        raise SourceSettingsError("path", str(path), "there is no such file or folder")
    if not path.name.lower().endswith(_SUFFIXES):
        raise SourceSettingsError("path", str(path), f"expected a file ending in {', '.join(_SUFFIXES)}")
    return [path]


def _read_file(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, bool]:
    read = _read_parquet if path.suffix.lower() == ".parquet" else _read_csv
    try:
        return read(path, mapping)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = f"it cannot be read: {str(error).splitlines()[0]}"
        raise SourceSettingsError("path", str(path), reason) from error


def _as_bars(table: pa.Table, path: Path) -> pa.Table:
    """Our columns, of our types; where there is no ticker, the file's name is it."""
    if "ticker" not in table.column_names:
        ticker = path.name[: -len(next(suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)))]
        table = table.append_column("ticker", pa.repeat(ticker, table.num_rows))
    return typed(table, path=path)


def _read_parquet(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, bool]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        names = file.schema_arrow.names
        found = column_map(names, mapping, path=path)
        columns = [names[index] for index in found.values()]
        # Whether moments are days can be seen from all of them only; the rest is taken over part by part.
        is_whole = "known_at" in found or not file.metadata.num_rows
        batches = file.iter_batches(columns=columns, use_threads=False)
        parts = [file.read(columns)] if is_whole else map(_as_table, batches)
        bars = [_as_bars(part.select(columns).rename_columns(list(found)), path) for part in parts]
    return pa.concat_tables(bars), is_closes_only(found)


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    # What the batch before left unused goes back to the system; it would add up to a hundred megabytes.
    pa.default_memory_pool().release_unused()
    return pa.Table.from_batches([batch])


def _read_csv(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, bool]:
    with _stream(path) as stream, pcsv.open_csv(stream) as reader:
        names = reader.schema.names
    found = column_map(names, mapping, path=path)
    # Text, so that the ticker NA is not taken for nothing, nor a date guessed from an ambiguous form.
    as_text = {names[found[ours]]: pa.string() for ours in ("ticker", "date") if ours in found}
    options = pcsv.ConvertOptions(column_types=as_text, include_columns=[names[index] for index in found.values()])
    with _stream(path) as stream:
        table = pcsv.read_csv(stream, convert_options=options).rename_columns(list(found))
    return _as_bars(table, path), is_closes_only(found)


def _stream(path: Path) -> pa.NativeFile:
    # pyarrow itself would not unpack a name in capitals.
    return pa.input_stream(path, compression="gzip" if path.name.lower().endswith(".gz") else None)
