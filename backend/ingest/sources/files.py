"""Bars from CSV and Parquet files.

1. List the files, read each, and map their columns to ours (`backend.ingest.sources.columns`).
2. Part the rows by ticker, sorted by date; rows of one date stay in the order of the file.
3. Answer requests from memory.

Values are as in the file: rows that break a rule are left for quality control to name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

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
        self._parts: dict[str, pa.Table] | None = None
        self._metadata: dict[str, str] = {}
        self._reading = asyncio.Lock()

    async def tickers(self) -> Sequence[str]:
        """Every ticker in the files, sorted; `SourceSettingsError` when they cannot be read."""
        return sorted(await self._loaded())

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

    async def _loaded(self) -> dict[str, pa.Table]:
        async with self._reading:
            if self._parts is None:
                table, self._metadata = await asyncio.to_thread(_read_all, self._path, self._columns)
                self._parts = await asyncio.to_thread(parted, table)
            return self._parts


def parted(table: pa.Table, *, order: str = "date") -> dict[str, pa.Table]:
    """The rows of each ticker, sorted by the column `order`; rows of equal order stay as they came."""
    keys: Column = pc.coalesce(table.column("ticker"), pa.scalar(NO_TICKER))
    keyed = table.append_column("_key", keys).sort_by([("_key", "ascending"), (order, "ascending")])
    parts: dict[str, pa.Table] = {}
    begin = 0
    groups = pc.value_counts(keyed.column("_key"))
    sizes = groups.field("counts").to_numpy()
    for ticker, size in zip(groups.field("values").to_pylist(), sizes, strict=True):
        parts[str(ticker)] = keyed.slice(begin, int(size)).drop_columns(["_key"])
        begin += int(size)
    return parts


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
        table, found = read(path, mapping)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = f"it cannot be read: {str(error).splitlines()[0]}"
        raise SourceSettingsError("path", str(path), reason) from error
    if "ticker" not in found:
        ticker = path.name[: -len(next(suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)))]
        table = table.append_column("ticker", pa.repeat(ticker, table.num_rows))
    return typed(table, path=path), is_closes_only(found)


def _read_parquet(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, dict[str, int]]:
    names = pq.read_schema(path).names
    found = column_map(names, mapping, path=path)
    table = pq.read_table(path, columns=[names[index] for index in found.values()], partitioning=None)
    return table.rename_columns(list(found)), found


def _read_csv(path: Path, mapping: Mapping[str, str]) -> tuple[pa.Table, dict[str, int]]:
    with _stream(path) as stream, pcsv.open_csv(stream) as reader:
        names = reader.schema.names
    found = column_map(names, mapping, path=path)
    # Text, so that the ticker NA is not taken for nothing, nor a date guessed from an ambiguous form.
    as_text = {names[found[ours]]: pa.string() for ours in ("ticker", "date") if ours in found}
    options = pcsv.ConvertOptions(column_types=as_text, include_columns=[names[index] for index in found.values()])
    with _stream(path) as stream:
        return pcsv.read_csv(stream, convert_options=options).rename_columns(list(found)), found


def _stream(path: Path) -> pa.NativeFile:
    # pyarrow itself would not unpack a name in capitals.
    return pa.input_stream(path, compression="gzip" if path.name.lower().endswith(".gz") else None)
