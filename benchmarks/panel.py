"""Reading prices: from S3, from the local copy and from PostgreSQL, beside ArcticDB, a plain GET and np.load.

    .venv/bin/python benchmarks/panel.py [--rounds 15]

560 seeded random walks over 5,279 sessions, rounded to cents, with five columns, quarterly dividends (47,040 actions)
and members, in moto's S3 server on the loopback; one PostgreSQL. Each contender is a process of its own, and each round
runs every one of them once, so that a slow moment of the machine meets all; medians are compared. Memory is the peak of
one read in a fresh process that has read the last session before. ArcticDB is installed beside the project, in both of
its layouts: one wide frame, and a symbol per ticker read as a batch; the faster counts.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import create_engine

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from aws.s3_cache import S3Cache  # noqa: E402
from backend.database.migrations import migrate  # noqa: E402
from backend.database.urls import direct_url  # noqa: E402
from benchmarks.panel_work import LAST, TICKER  # noqa: E402
from support.postgres import empty_database, free_port, running_server  # noqa: E402
from support.s3_server import client_of, wait_for_s3  # noqa: E402
from support.snapshots import published  # noqa: E402
from support.tool_venv import run, tool_venv  # noqa: E402

N_SESSIONS, N_TICKERS, N_IN_DATABASE = 5_279, 560, 20
KNOWN_AT = "2026-11-24T22:00Z"
BUCKET, PEER_BUCKET = "parakeet-cache", "arcticdb"
#: (ours, the other, most that ours may take in times of it).
TIMES = [
    ("ours, S3", "arcticdb, wide", 1.0),
    ("ours, warm", "np.load", 3.0),
    ("ours, last", "range GET", 2.0),
    ("arcticdb, last", "range GET", None),
    ("ours, ticker", "arcticdb, ticker", 3.0),
]
#: Most memory of a full read, in matrices.
MEMORY = {"ours, S3": 2.5, "ours, warm": 2.5, "arcticdb, wide": None, "np.load": None}
#: Rounds of what takes seconds.
FEW = {"arcticdb, batch": 2}

Values = dict[str, NDArray[np.float64]]


def random_bars() -> Values:
    """Five columns of shape (n_sessions, n_tickers): closes are random walks, cents as a vendor gives them."""
    rng = np.random.default_rng(20_051_205)
    steps = rng.normal(0.0, 0.02, size=(N_SESSIONS, N_TICKERS))
    close = np.maximum(np.round(50.0 * np.exp(np.cumsum(steps, axis=0)), 2), 0.01)
    spread = np.round(close * rng.uniform(0.001, 0.02, size=close.shape), 2)
    opens = np.round(close + spread * rng.uniform(-0.5, 0.5, size=close.shape), 2)
    volume = np.round(rng.lognormal(14.0, 1.0, size=close.shape))
    return {"open": opens, "high": close + spread, "low": close - spread, "close": close, "volume": volume}


def prepare(folder: Path, s3: str, database: str) -> None:
    """Everything the contenders read, and where they find it."""
    values = random_bars()
    # So that the open quarter is half full.
    newest = np.datetime64("2026-11-24", "D")
    sessions = np.busday_offset(newest, np.arange(-N_SESSIONS + 1, 1)).astype("datetime64[D]")
    tickers = [f"T{number:03d}" for number in range(N_TICKERS)]
    days: list[dt.date] = sessions.astype(object).tolist()
    client = client_of(s3)
    for bucket in (BUCKET, PEER_BUCKET):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=BUCKET, Key="matrix", Body=values["close"].tobytes())
    np.save(folder / "close.npy", values["close"])
    np.save(folder / "sessions.npy", sessions)
    for name, matrix in values.items():
        np.save(folder / f"ticker_{name}.npy", matrix[:, tickers.index(TICKER)])
    cents = np.random.default_rng(7).integers(5, 150, size=(84, N_TICKERS)) / 100
    actions = [
        {"ticker": ticker, "ex_date": day, "kind": "dividend", "value": value}
        for day, row in zip(days[30 :: N_SESSIONS // 84], cents.tolist(), strict=False)
        for ticker, value in zip(tickers, row, strict=True)
    ]
    snapshot = asyncio.run(published(S3Cache(BUCKET, "ours", client), days, tickers, values, actions=actions))
    fill_database(database, days, tickers[:N_IN_DATABASE], values)
    setup = {
        "s3": s3,
        "database": database,
        "bucket": BUCKET,
        "peer_bucket": PEER_BUCKET,
        "snapshot": snapshot,
        "tickers": tickers,
        "start": days[-LAST].isoformat(),
        "last": days[-1].isoformat(),
        "row_bytes": values["close"].strides[0],
        "matrix_bytes": values["close"].nbytes,
    }
    (folder / "setup.json").write_text(json.dumps(setup))


def fill_database(url: str, days: Sequence[dt.date], tickers: Sequence[str], values: Values) -> None:
    """The bars of some tickers in market_data, all constraints and triggers on."""
    migrate(url)
    lines = [
        f"{ticker}\t{day}\t"
        + "\t".join(str(values[name][row, column]) for name in values)
        + "\tfiles\t2026-11-24T22:00Z"
        for column, ticker in enumerate(tickers)
        for row, day in enumerate(days)
    ]
    columns = f"ticker, date, {', '.join(values)}, source, known_at"
    raw = create_engine(direct_url(url)).raw_connection()
    with closing(raw.cursor()) as cursor:
        cursor.copy_expert(f"COPY market_data ({columns}) FROM STDIN", StringIO("\n".join(lines)))
        cursor.execute("ANALYZE market_data")
    raw.commit()
    raw.close()


@contextmanager
def s3_process(folder: Path) -> Iterator[str]:
    """URL of moto's S3 server in a process of its own."""
    port = free_port()
    with (folder / "moto.log").open("wb") as sink:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=sink, stderr=sink)  # noqa: S603  our own fixed command
        try:
            wait_for_s3(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


class Contender:
    """A process that does its work when told to."""

    def __init__(self, name: str, folder: Path) -> None:
        python = tool_venv("arcticdb") / "python" if name.startswith("arcticdb") else sys.executable
        self.seconds: list[float] = []
        self._process = subprocess.Popen(  # noqa: S603  our own fixed command
            [str(python), str(ROOT / "benchmarks" / "panel_work.py"), name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        self._line()

    def work(self) -> None:
        """One round; the first is not counted: connections are made, and the local copy is filled."""
        assert self._process.stdin is not None  # noqa: S101  a pipe
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.seconds.append(float(self._line()))

    def peak_bytes(self) -> int:
        """End the process; the peak of its memory above what it had before the first round."""
        assert self._process.stdin is not None  # noqa: S101  a pipe
        self._process.stdin.close()
        peak = int(self._line())
        self._process.wait(timeout=60)
        return peak

    def median(self) -> float:
        """Seconds of a round."""
        return statistics.median(self.seconds[1:] or self.seconds)

    def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101  a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a contender ended; see above")
        return line


def measured(folder: Path, n_rounds: int) -> dict[str, Contender]:
    """All contenders after their rounds."""
    peak_of_one("arcticdb, write", folder)
    names = dict.fromkeys(name for ours, other, _ in TIMES for name in (ours, other))
    contenders = {name: Contender(name, folder) for name in (*names, "arcticdb, batch")}
    for number in range(n_rounds + 1):
        for name, contender in contenders.items():
            if number < FEW.get(name, n_rounds + 1):
                contender.work()
    for contender in contenders.values():
        contender.peak_bytes()
    return contenders


def peak_of_one(name: str, folder: Path) -> int:
    """Peak memory of a single round in a fresh process, in bytes."""
    contender = Contender(name, folder)
    contender.work()
    return contender.peak_bytes()


def report(contenders: Mapping[str, Contender], peaks: Mapping[str, int]) -> bool:
    """Print times, ratios and memory; whether every limit holds."""
    is_kept = True
    print(f"\n{'':<18}{'median':>12}{'fastest':>12}")
    for name, contender in contenders.items():
        fastest = min(contender.seconds[1:] or contender.seconds)
        print(f"{name:<18}{contender.median() * 1e3:>9.1f} ms{fastest * 1e3:>9.1f} ms")
    print(f"\n{'ours':<18}{'beside':<18}{'ratio':>8}{'of fastest':>12}{'limit':>8}")
    for ours, other, limit in TIMES:
        left, right = contenders[ours], contenders[other]
        ratio, fastest = left.median() / right.median(), min(left.seconds[1:]) / min(right.seconds[1:])
        is_kept &= limit is None or ratio <= limit
        print(f"{ours:<18}{other:<18}{ratio:>8.2f}{fastest:>12.2f}{limit or '-':>8}")
    print(f"\n{'peak memory':<18}{'MB':>8}{'matrices':>10}{'limit':>8}")
    matrix = N_SESSIONS * N_TICKERS * 8
    for name, limit in MEMORY.items():
        is_kept &= limit is None or peaks[name] <= limit * matrix
        print(f"{name:<18}{peaks[name] / 1e6:>8.0f}{peaks[name] / matrix:>10.2f}{limit or '-':>8}")
    return is_kept


def main() -> int:
    """Measure and print; exit 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description="Reading prices, beside ArcticDB, a plain GET and np.load.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each contender")
    n_rounds = parser.parse_args().rounds
    # Loopback and throw-away credentials, for boto3 here and in every contender.
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    peer = run(tool_venv("arcticdb") / "python", "-c", "import arcticdb; print(arcticdb.__version__)").strip()
    names = ("numpy", "pyarrow", "boto3", "asyncpg", "moto")
    print(
        f"Python {platform.python_version()}, arcticdb {peer}, {', '.join(f'{name} {version(name)}' for name in names)}"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_server())
        database = stack.enter_context(empty_database(server))
        s3 = stack.enter_context(s3_process(folder))
        prepare(folder, s3, database)
        contenders = measured(folder, n_rounds)
        return int(not report(contenders, {name: peak_of_one(name, folder) for name in MEMORY}))


if __name__ == "__main__":
    sys.exit(main())
