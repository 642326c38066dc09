"""POST /backtest by HTTP beside the engine alone, and a repeat of a known spec, on SQLite and PostgreSQL.

    .venv/bin/python benchmarks/posting.py [--rounds 21] [--repeats 300] [--on sqlite postgresql]

500 seeded random walks x 5,040 sessions, ingested from a Parquet file and made a snapshot by the command line, and
served by `parakeet serve` in a process of its own. Every round posts 12-1 momentum (monthly, best 50, 10 bp + 3.0 an
order) with a span that is new, then computes the same spec in this process, whose panel is loaded before: the two take
turns, so that a slow moment of the machine meets both. Of the differences between them the median counts. What is
computed, each with what is before it:

- simulate: the portfolio of decisions that are there
- engine: signals, look-ahead proof, portfolio, benchmark and metrics (`strategy.backtest.run.run_backtest`)
- whole: survivorship audit and quality of the bars that were used, too: all that a result holds
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from backend.commands.running import prepare_libraries  # noqa: E402  the path is set above

# As `parakeet` does it: what is compared works alike.
prepare_libraries(os.environ)

import httpx  # noqa: E402
import numpy as np  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from aws.s3_cache import open_cache  # noqa: E402
from aws.snapshots import load_manifest  # noqa: E402
from backend.ingest.sources.contract import BAR_SCHEMA  # noqa: E402
from backend.services.backtest_audits import audit_of  # noqa: E402
from backend.services.panels import panels_of  # noqa: E402
from strategy.backtest.run import run_backtest, simulated  # noqa: E402
from strategy.backtest.spec import BacktestSpec  # noqa: E402
from strategy.library.momentum import MOMENTUM, MomentumParameters  # noqa: E402
from support.postgres import NoServerError, empty_database, free_port, running_server  # noqa: E402

UNIVERSE, N_SESSIONS, N_TICKERS = "BENCHMARK", 5_040, 500
BODY = {
    "strategy": "momentum",
    "universe": UNIVERSE,
    "costs": {"preset": "zero", "bps": 10.0, "flat": 3.0},
    "execution": {"fill": "next_close", "rebalance": "monthly"},
}
#: Milliseconds: of a new spec above all that it computes, and of a known one.
MOST_ABOVE_MS, MOST_REPEAT_MS = 15.0, 10.0
WORKS = ("simulate", "engine", "whole")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Milliseconds of each round: the request, the works by name, and the repeats; and those of the processors.

    `post_processor` is what the server's processors did for a new spec, `whole_processor` this one's for the whole: a
    machine that is shared slows these down less than the clock.
    """

    post: list[float]
    works: Mapping[str, list[float]]
    repeat: list[float]
    post_processor: float
    whole_processor: float


def write_bars(path: Path) -> None:
    """Random walks in cents, five columns, on business days up to the end of 2025."""
    rng = np.random.default_rng(20_260_500)
    steps = rng.normal(2e-4, 0.02, size=(N_TICKERS, N_SESSIONS))
    close = np.maximum(np.round(50.0 * np.exp(np.cumsum(steps, axis=1)), 2), 0.01)
    opens = np.maximum(np.round(close * rng.uniform(0.995, 1.005, size=close.shape), 2), 0.01)
    volume = np.round(rng.lognormal(14.0, 1.0, size=close.shape))
    days = np.busday_offset(np.datetime64("2025-12-31", "D"), np.arange(-N_SESSIONS + 1, 1)).astype("datetime64[D]")
    values = [opens, np.maximum(opens, close), np.minimum(opens, close), close, volume, close]
    columns = [pa.array(np.repeat([f"T{number:04}" for number in range(N_TICKERS)], N_SESSIONS))]
    columns += [pa.array(np.tile(days, N_TICKERS)), *(pa.array(value.reshape(-1)) for value in values)]
    pq.write_table(pa.Table.from_arrays(columns, schema=BAR_SCHEMA), path)


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """Settings of the command line: this database, and a cache in the folder."""
    return os.environ | {"NEON_DATABASE_URL": database_url, "CACHE_URL": str(folder / "cache")}


def parakeet(*arguments: str, settings: Mapping[str, str]) -> None:
    """Run a command to its end; what it says is shown where it fails."""
    command = [str(Path(sys.executable).with_name("parakeet")), *arguments]
    done = subprocess.run(  # noqa: S603  our own command
        command, env=settings, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def prepare(folder: Path, settings: Mapping[str, str]) -> None:
    """Bars, database and snapshot."""
    bars = folder / "bars.parquet"
    if not bars.exists():
        write_bars(bars)
    parakeet("migrate", settings=settings)
    source = ("--source", "files", "--path", str(bars), "--calendar", "24/5")
    parakeet("ingest", UNIVERSE, *source, settings=settings)
    parakeet("snapshot", UNIVERSE, settings=settings)


@contextmanager
def served(settings: Mapping[str, str]) -> Iterator[tuple[httpx.Client, int]]:
    """Client of a server that is ready, which keeps one connection, and the server's process id."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("parakeet")), "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=settings, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60, trust_env=False) as client:
            _wait(client)
            yield client, server.pid
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.get("/backtest/health").raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def processor_ms(pid: int) -> float:
    """Milliseconds that processors have worked for a process, in steps of a tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that some work takes."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def post(client: httpx.Client, lookback: int) -> httpx.Response:
    """Answer to 12-1 momentum over another span."""
    return client.post("/backtest", json=BODY | {"parameters": {"lookback": lookback}}).raise_for_status()


def measured(client: httpx.Client, pid: int, cache: Path, *, rounds: int, repeats: int) -> Figures:
    """Rounds of new specs, the first of them not counted, and repeats of the last."""
    store = open_cache(str(cache))
    with asyncio.Runner() as runner:
        spec = _spec(post(client, 230))
        manifest = runner.run(load_manifest(store, spec.snapshot))
        panels = runner.run(panels_of(store, spec))
        works: dict[str, list[float]] = {name: [] for name in WORKS}
        posts: list[float] = []
        processor: list[tuple[float, float]] = []

        def computed(spec: BacktestSpec) -> None:
            begin, began = time.perf_counter(), time.process_time()
            result = run_backtest(panels.panel, spec, MOMENTUM, MomentumParameters(**spec.parameters))
            engine = time.perf_counter() - begin
            audit_of(manifest, panels, spec, result)
            works["whole"].append((time.perf_counter() - begin) * 1e3)
            works["engine"].append(engine * 1e3)
            processor.append((processor_ms(pid), (time.process_time() - began) * 1e3))
            last = int(result.simulation.rows[-1])
            works["simulate"].append(timed(lambda: simulated(panels.panel, result.decisions, spec, last)))

        for number in range(rounds + 1):
            begin = time.perf_counter()
            answer = post(client, 231 + number)
            posts.append((time.perf_counter() - begin) * 1e3)
            computed(_spec(answer))
        repeat = [timed(lambda: post(client, 231 + rounds)) for _ in range(repeats + 5)][5:]
    return Figures(
        post=posts[1:],
        works={name: found[1:] for name, found in works.items()},
        repeat=repeat,
        post_processor=(processor[-1][0] - processor[0][0]) / rounds,
        whole_processor=statistics.median(own for _, own in processor[1:]),
    )


def _spec(answer: httpx.Response) -> BacktestSpec:
    return BacktestSpec.from_json(json.dumps(answer.json()["spec"]))


def report(name: str, figures: Figures) -> bool:
    """Print the figures of one database; whether the limits are kept."""
    print(f"\n{name}, load {os.getloadavg()[0]:.1f}")
    _line("POST of a new spec", figures.post)
    for work in WORKS:
        _line(f"{work}, in this process", figures.works[work])
    _line("POST of a known spec", figures.repeat)
    medians = {}
    for work in WORKS:
        differences = [ours - alone for ours, alone in zip(figures.post, figures.works[work], strict=True)]
        medians[work] = statistics.median(differences)
        print(f"  {f'POST above {work}':<34}{medians[work]:>9.1f} ms")
    above = figures.post_processor - figures.whole_processor
    print(f"  {'of processors: POST, whole, above':<34}{figures.post_processor:>9.1f} ms", end="")
    print(f" {figures.whole_processor:.1f} ms {above:.1f} ms")
    repeat = statistics.median(figures.repeat)
    is_kept = [_judged("POST above whole", medians["whole"], MOST_ABOVE_MS)]
    return all([*is_kept, _judged("POST of a known spec", repeat, MOST_REPEAT_MS)])


def _line(name: str, found: Sequence[float]) -> None:
    highest = np.percentile(found, 99)
    print(f"  {name:<34}{statistics.median(found):>9.1f} ms (fastest {min(found):.1f}, p99 {highest:.1f})")


def _judged(name: str, value: float, limit: float) -> bool:
    is_kept = value <= limit
    print(f"  {'ok    ' if is_kept else 'MISSED'} {name}: {value:.1f} ms (<= {limit:g})", flush=True)
    return is_kept


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database of a kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'trades.db'}"
        return
    with running_server() as server, empty_database(server) as url:
        yield url


def on_database(kind: str, folder: Path, rounds: int, repeats: int) -> bool:
    """Measure on a database of a kind; whether the limits are kept, as they are where there is no server."""
    try:
        with database(kind, folder) as url:
            settings = environment(folder, url)
            prepare(folder, settings)
            with served(settings) as (client, pid):
                return report(kind, measured(client, pid, folder / "cache", rounds=rounds, repeats=repeats))
    except NoServerError as error:
        print(f"\n{kind}: not measured, {error}")
        return True


def main() -> int:
    """Measure and print; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21, help="new specs")
    parser.add_argument("--repeats", type=int, default=300, help="requests of a known one")
    parser.add_argument("--on", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} cores")
    print(f"{N_TICKERS} assets x {N_SESSIONS:,} sessions, 12-1 momentum, monthly, top 50; {arguments.rounds} rounds")
    with tempfile.TemporaryDirectory() as name:
        kept = [on_database(kind, Path(name), arguments.rounds, arguments.repeats) for kind in arguments.on]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
