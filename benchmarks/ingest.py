"""Ingest beside plain ways to write the same rows, on one PostgreSQL server in one run.

    .venv/bin/python benchmarks/ingest.py [backfill] [daily] [vendor] [whole]

The server is Debian's with its default settings, but fsync=off (what is compared is work, not this disk). Every
contender gets the same rows, made with a seed: prices in cents, adjusted closes with all their digits. Of each
measurement the best of some rounds counts, taken in turns. Exit code 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import io
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from backend.database.bar_staging import BAR_COLUMNS  # noqa: E402
from backend.database.bar_writer import MergeResult, merge_bars  # noqa: E402
from backend.database.connection import make_engine, transaction  # noqa: E402
from backend.database.migrations import migrate  # noqa: E402
from backend.database.models.market import Bar  # noqa: E402
from backend.database.universes import UniverseRecord  # noqa: E402
from backend.ingest.sources.contract import BAR_SCHEMA  # noqa: E402
from backend.ingest.sources.yahoo import YahooSource  # noqa: E402
from backend.services.ingest import ingest_universe  # noqa: E402
from support.postgres import empty_database, running_server  # noqa: E402  the path is set above
from support.slow_vendor import slow_vendor  # noqa: E402

Work = Callable[[], Awaitable[object]]

#: 2.96 M rows, and the universe of a daily run.
BACKFILL = (560, 5_279)
DAILY = (741, 500)
BATCH_ROWS = 50_000
NOW = dt.datetime(2026, 1, 2, 22, tzinfo=dt.UTC)
LATENCY_S, CONCURRENCY = 0.2, 10

_COLUMNS = ", ".join(BAR_COLUMNS)
_PLAIN_TABLE = """(ticker text, date date, open double precision, high double precision, low double precision,
    close double precision, volume double precision, adjusted_close double precision)"""
_PLAIN_UPSERT = f"""
    INSERT INTO market_data ({_COLUMNS}, source, known_at) SELECT {_COLUMNS}, 'vendor', now() FROM plain
    ON CONFLICT (ticker, date) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
        close = excluded.close, volume = excluded.volume, adjusted_close = excluded.adjusted_close,
        source = excluded.source, updated_at = now()"""  # noqa: S608  names of our own columns


def made_bars(n_tickers: int, n_sessions: int) -> pa.Table:
    """Random walks of BAR_SCHEMA, sorted by ticker and date, the last session on the day before NOW."""
    random = np.random.default_rng(7)
    close = np.round(50 * np.exp(np.cumsum(random.normal(0, 0.01, (n_tickers, n_sessions)), axis=1)) + 1, 2)
    high, low = np.round(close * 1.01, 2), np.round(close * 0.99, 2)
    days = np.datetime64(NOW.date()) - 1 - np.arange(n_sessions)[::-1]
    volume = random.integers(100_000, 10_000_000, (n_tickers, n_sessions)).astype(np.float64)
    values: list[NDArray[np.float64]] = [np.round((high + low) / 2, 2), high, low, close, volume, close * 0.917]
    columns = [pa.array(np.repeat([f"T{number:04}" for number in range(n_tickers)], n_sessions))]
    columns += [pa.array(np.tile(days, n_tickers)), *(pa.array(value.reshape(-1)) for value in values)]
    return pa.Table.from_arrays(columns, schema=BAR_SCHEMA)


def to_merge(bars: pa.Table) -> pa.Table:
    """The bars as an ingest hands them to `merge_bars`."""
    for name, value in (("source", "vendor"), ("data_quality", "good"), ("metadata", "{}")):
        bars = bars.append_column(name, pa.repeat(value, bars.num_rows))
    return bars


def batches(bars: pa.Table, n_sessions: int) -> Iterator[pa.Table]:
    """Whole tickers, and as many as make up a batch of an ingest."""
    size = -(-BATCH_ROWS // n_sessions) * n_sessions
    return (bars.slice(begin, size) for begin in range(0, bars.num_rows, size))


def as_csv(bars: pa.Table) -> bytes:
    """The rows as COPY reads them in its format csv."""
    buffer = io.BytesIO()
    pcsv.write_csv(bars.combine_chunks(), buffer, pcsv.WriteOptions(include_header=False))
    return buffer.getvalue()


async def timed(work: Work) -> float:
    """Seconds that some work takes."""
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


def report(name: str, seconds: float, n_rows: int, more: str = "") -> None:
    """Print one line of a table."""
    print(f"  {name:<58} {seconds:7.2f} s {n_rows / seconds / 1e3:8.0f} k rows/s  {more}", flush=True)


def judged(name: str, value: float, limit: float, *, is_least: bool) -> bool:
    """Print a figure beside its limit; whether it holds."""
    holds = value >= limit if is_least else value <= limit
    print(
        f"  {'ok    ' if holds else 'MISSED'} {name}: {value:.3g} ({'>=' if is_least else '<='} {limit:g})", flush=True
    )
    return holds


class Contenders:
    """The ways to write, on one database."""

    def __init__(self, engine: AsyncEngine, plain: asyncpg.Connection) -> None:
        self.engine, self.plain = engine, plain

    async def merge(self, parts: Sequence[pa.Table]) -> list[MergeResult]:
        """Ours: one transaction a batch."""
        results = []
        for part in parts:
            async with transaction(self.engine) as connection:
                results.append(await merge_bars(connection, part, known_at=NOW))
        return results

    async def copy(self, parts: Sequence[bytes]) -> None:
        """Raw COPY of rows that are text already, into an unlogged table without index, one transaction a batch."""
        await self.plain.execute(f"DROP TABLE IF EXISTS raw; CREATE UNLOGGED TABLE raw {_PLAIN_TABLE}")
        for part in parts:
            await self.plain.copy_to_table("raw", source=io.BytesIO(part), columns=BAR_COLUMNS, format="csv")

    async def upsert(self, parts: Sequence[pa.Table]) -> None:
        """COPY into a temporary table, then INSERT ... ON CONFLICT DO UPDATE of everything."""
        for part in parts:
            async with self.plain.transaction():
                await self.plain.execute(f"CREATE TEMPORARY TABLE plain {_PLAIN_TABLE} ON COMMIT DROP")
                rows = io.BytesIO(as_csv(part))
                await self.plain.copy_to_table("plain", source=rows, columns=BAR_COLUMNS, format="csv")
                await self.plain.execute(_PLAIN_UPSERT)

    async def executemany(self, rows: Sequence[dict[str, Any]]) -> None:  # Any: mixed columns
        """SQLAlchemy's upsert with a list of rows."""
        statement = insert(Bar)
        changed = {name: statement.excluded[name] for name in BAR_COLUMNS[2:]}
        upsert = statement.on_conflict_do_update(index_elements=["ticker", "date"], set_=changed)
        async with transaction(self.engine) as connection:
            await connection.execute(upsert, rows)

    async def empty(self) -> None:
        """No bars, and nothing left to do for the server."""
        await self.plain.execute("TRUNCATE market_data, market_data_history")
        await self.settle()

    async def settle(self) -> None:
        """What the server does by itself some time later."""
        await self.plain.execute("VACUUM ANALYZE market_data")
        await self.plain.execute("CHECKPOINT")

    async def newest_writer(self) -> tuple[int, int]:
        """Rows, and the newest transaction that wrote one of them."""
        query = "SELECT count(*) AS n, max(xmin::text::bigint) AS writer FROM market_data"
        (row,) = await self.plain.fetch(query)
        return row["n"], row["writer"]


async def backfill(contenders: Contenders, *, rounds: int) -> bool:
    """Everything into an empty table, and everything again."""
    bars = made_bars(*BACKFILL)
    plain = list(batches(bars, BACKFILL[1]))
    parts = [to_merge(part) for part in plain]
    texts = [as_csv(part) for part in plain]
    n_rows = bars.num_rows
    copies, merges, agains, upserts = [], [], [], []
    for _ in range(rounds):
        await contenders.empty()
        copies.append(await timed(lambda: contenders.copy(texts)))
        merges.append(await timed(lambda: contenders.merge(parts)))
        await contenders.settle()
        before = await contenders.newest_writer()
        agains.append(await timed(lambda: contenders.merge(parts)))
        is_untouched = before == await contenders.newest_writer() and before[0] == n_rows
        upserts.append(await timed(lambda: contenders.upsert(plain)))
    print(f"\n{n_rows:,} rows in batches of {BATCH_ROWS:,}")
    report("raw COPY (csv, made before) into an unlogged table, no index", min(copies), n_rows)
    report("merge_bars into an empty market_data, everything on", min(merges), n_rows)
    report("COPY + ON CONFLICT DO UPDATE of everything, again", min(upserts), n_rows)
    report("merge_bars, again", min(agains), n_rows, f"rows written: {'none' if is_untouched else 'SOME'}")
    return all(
        [
            judged("rows/s of raw COPY", min(copies) / min(merges), 0.45, is_least=True),
            judged("times the upsert, nothing changed", min(upserts) / min(agains), 1.8, is_least=True),
            is_untouched,
        ]
    )


async def daily(contenders: Contenders, *, rounds: int) -> bool:
    """Five sessions of each ticker, four of which are stored."""
    bars = made_bars(*DAILY)
    days = np.unique(bars["date"].to_numpy().astype("datetime64[D]"))
    stored = to_merge(bars.filter(pc.less(bars["date"], pa.scalar(days[-1].astype(object)))))
    fetched = bars.filter(pc.greater_equal(bars["date"], pa.scalar(days[-5].astype(object))))
    rows = [row | {"source": "vendor", "known_at": NOW} for row in fetched.to_pylist()]
    await contenders.empty()
    await contenders.merge([stored])
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        for seconds, work in (
            (ours, lambda: contenders.merge([to_merge(fetched)])),
            (theirs, lambda: contenders.executemany(rows)),
        ):
            await contenders.plain.execute("DELETE FROM market_data WHERE date = $1", days[-1].astype(dt.date))
            await contenders.plain.execute("TRUNCATE market_data_history")
            await contenders.settle()
            seconds.append(await timed(work))
    print(f"\ndaily run: {fetched.num_rows:,} rows of {DAILY[0]} tickers into {stored.num_rows:,}, 4 of 5 present")
    report("SQLAlchemy executemany upsert", min(theirs), fetched.num_rows)
    report("merge_bars", min(ours), fetched.num_rows)
    return all(
        [
            judged("times executemany", min(theirs) / min(ours), 5, is_least=True),
            judged("k rows/s", fetched.num_rows / min(ours) / 1e3, 60, is_least=True),
        ]
    )


async def vendor(contenders: Contenders) -> bool:
    """The whole ingest from a vendor on this machine that takes its time, cold and the day after."""
    await contenders.empty()
    tickers = [f"T{number:04}" for number in range(DAILY[0])]
    universe = UniverseRecord(
        key="V", name="V", currency="USD", calendar="XNYS", benchmark=None, source="yahoo", source_options={}
    )
    least_s = len(tickers) * LATENCY_S / CONCURRENCY
    print(f"\n{len(tickers)} tickers from a vendor of {LATENCY_S} s, {CONCURRENCY} at a time: at least {least_s:.2f} s")
    seconds, n_bytes = [], []
    with slow_vendor(tickers, n_sessions=BACKFILL[1], last=NOW.date(), latency_s=LATENCY_S) as served:
        for name, now in (("cold", NOW), ("the day after", NOW + dt.timedelta(days=1))):
            clock = repeat(now).__next__
            source = YahooSource(base_url=served.url, clock=clock)
            before, begin = served.n_bytes(), time.perf_counter()
            ran = await ingest_universe(
                contenders.engine, source, universe, clock=clock, tickers=tickers, concurrency=CONCURRENCY
            )
            seconds.append(time.perf_counter() - begin)
            n_bytes.append(served.n_bytes() - before)
            await source.close()
            report(f"ingest_universe, {name}: {n_bytes[-1] / 1e6:.1f} MB", seconds[-1], ran.rows_in, str(ran.status))
    return all(
        [
            judged("cold run, of the least time", seconds[0] / least_s, 1.15, is_least=False),
            judged("delta run, of the least time", seconds[1] / least_s, 1.15, is_least=False),
            judged("delta run, % of the cold bytes", 100 * n_bytes[1] / n_bytes[0], 1, is_least=False),
        ]
    )


def peak_memory_mb(pid: int) -> float:
    """Most memory that a process has had so far; 0 of one that has just ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def whole(url: str) -> bool:
    """The command line's ingest of a Parquet file, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.parquet"
        pq.write_table(made_bars(*BACKFILL), path)
        command = [Path(sys.executable).with_name("parakeet"), "ingest", "W", "--source", "files", "--path", path]
        begin = time.perf_counter()
        environment = os.environ | {"NEON_DATABASE_URL": url, "CACHE_URL": folder}
        process = subprocess.Popen(list(map(str, command)), env=environment, cwd=ROOT)  # noqa: S603  our own command
        peak_mb = 0.0
        # What wait4 tells of a child has this process in it, which was large when it forked.
        while process.poll() is None:
            peak_mb = max(peak_mb, peak_memory_mb(process.pid))
            time.sleep(0.02)
        seconds = time.perf_counter() - begin
    if process.returncode:
        raise RuntimeError(f"the ingest ended with {process.returncode}")
    report("parakeet ingest of a Parquet file", seconds, BACKFILL[0] * BACKFILL[1])
    return judged("peak memory, MB", peak_mb, 500, is_least=False)


async def on_database(url: str, parts: Sequence[str], rounds: int) -> bool:
    """Run the parts that need no process of their own."""
    engine, plain = make_engine(url), await asyncpg.connect(url)
    contenders = Contenders(engine, plain)
    server = await plain.fetchval("SELECT version()")
    memory = await plain.fetchval("SHOW shared_buffers")
    print(
        f"{server.split(',')[0]}, shared_buffers {memory}, fsync off; Python {platform.python_version()}, pyarrow "
        f"{pa.__version__}, asyncpg {asyncpg.__version__}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    results = []
    if "backfill" in parts:
        results.append(await backfill(contenders, rounds=rounds))
    if "daily" in parts:
        results.append(await daily(contenders, rounds=3 * rounds))
    if "vendor" in parts:
        results.append(await vendor(contenders))
    await plain.close()
    await engine.dispose()
    return all(results)


def main() -> int:
    """Run the parts that were asked for; all without an argument."""
    every = ("backfill", "daily", "vendor", "whole")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(every)}; all of them by default")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    parts = arguments.parts or every
    with running_server() as server:
        with empty_database(server) as url:
            migrate(url)
            holds = asyncio.run(on_database(url, parts, arguments.rounds))
        if "whole" in parts:
            with empty_database(server) as url:
                migrate(url)
                holds = whole(url) and holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
