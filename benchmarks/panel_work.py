# ruff: noqa: PLC0415  each contender imports only what it needs, and under its own Python
"""One contender of benchmarks/panel.py in a process of its own: does its work at each line of standard input.

    python benchmarks/panel_work.py NAME FOLDER

Prints the seconds of each round; after the last, the peak of its memory in bytes, above what it had before the first.
Before that it has read the last session once, so that connections and libraries are there, as in a process that idles.
The peer's contenders run under the peer's Python, ours under ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.memory import memory_bytes

LAST = 260
TICKER = "T007"

Work = Callable[[], object]


def main() -> None:
    """Serve rounds until the end of standard input."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    work = CONTENDERS[name](folder, json.loads((folder / "setup.json").read_text()))
    before = memory_bytes("VmRSS")
    print("ready", flush=True)
    for _ in sys.stdin:
        begin = perf_counter()
        work()
        print(perf_counter() - begin, flush=True)
    print(memory_bytes("VmHWM") - before, flush=True)


def _np_load(folder: Path, _: dict[str, Any]) -> Work:
    import numpy as np

    return lambda: np.load(folder / "close.npy")


def _range_get(_: Path, setup: dict[str, Any]) -> Work:
    import boto3

    client = boto3.client("s3", endpoint_url=setup["s3"])
    n_bytes, stop = LAST * setup["row_bytes"], setup["matrix_bytes"]
    arguments = {"Bucket": setup["bucket"], "Key": "matrix", "Range": f"bytes={stop - n_bytes}-{stop - 1}"}

    def get() -> bytes:
        return client.get_object(**arguments)["Body"].read()

    return get


def _ours(folder: Path, setup: dict[str, Any], *, is_kept: bool = False, start: str | None = None) -> Work:
    import asyncio
    import datetime as dt

    from aws.local_copy import LocalCopy
    from aws.object_store import ObjectStore
    from aws.s3_cache import S3Cache
    from aws.s3_requests import make_client
    from strategy.fast_data_loader import load_panel

    store: ObjectStore = S3Cache(setup["bucket"], "ours", make_client(endpoint_url=setup["s3"]))
    if is_kept:
        store = LocalCopy(store, folder / "local")
    # Not asyncio.Runner, which writes the result out as text when it puts the handler of SIGINT back.
    loop = asyncio.new_event_loop()

    def load(first: str | None) -> object:
        day = dt.date.fromisoformat(first) if first else None
        return loop.run_until_complete(load_panel(store, setup["snapshot"], fields=("close",), start=day))

    load(setup["last"])
    return lambda: load(start)


def _ours_ticker(_: Path, setup: dict[str, Any]) -> Work:
    import asyncio
    import datetime as dt

    from backend.database.connection import make_engine, transaction
    from backend.services.market_data import PriceQuery, Prices, prices

    engine = make_engine(setup["database"])
    loop = asyncio.new_event_loop()

    async def asked() -> Prices:
        now = dt.datetime.now(dt.UTC)
        query = PriceQuery(tickers=[TICKER], start=None, end=None, as_of=now, after=None, limit=20_000)
        async with transaction(engine) as connection:
            return await prices(connection, query)

    return lambda: loop.run_until_complete(asked())


def _arctic(setup: dict[str, Any], library: str) -> Any:  # Any: the peer has no types that we install
    import arcticdb

    port = setup["s3"].rpartition(":")[2]
    where = (
        f"s3://127.0.0.1:{setup['peer_bucket']}?port={port}&access=testing&secret=testing&use_virtual_addressing=false"
    )
    return arcticdb.Arctic(f"{where}&region=us-east-1").get_library(library, create_if_missing=True)


def _arctic_write(folder: Path, setup: dict[str, Any]) -> Work:
    """Both layouts: one wide frame; and a symbol per ticker, one of them with all columns."""
    import arcticdb
    import numpy as np
    import pandas as pd

    index = pd.DatetimeIndex(np.load(folder / "sessions.npy").astype("datetime64[ns]"))
    closes = pd.DataFrame(np.load(folder / "close.npy"), index=index, columns=setup["tickers"])
    payloads = [arcticdb.WritePayload(name, closes[[name]].rename(columns={name: "close"})) for name in closes.columns]
    columns = ("open", "high", "low", "close", "volume")
    ticker = pd.DataFrame({name: np.load(folder / f"ticker_{name}.npy") for name in columns}, index=index)

    def write() -> None:
        _arctic(setup, "wide").write("closes", closes)
        _arctic(setup, "tickers").write_batch(payloads)
        _arctic(setup, "ohlcv").write(TICKER, ticker)

    return write


def _arctic_wide(_: Path, setup: dict[str, Any]) -> Work:
    library = _arctic(setup, "wide")
    library.tail("closes", 1)
    return lambda: library.read("closes").data


def _arctic_batch(_: Path, setup: dict[str, Any]) -> Work:
    library = _arctic(setup, "tickers")
    return lambda: library.read_batch(setup["tickers"])


def _arctic_last(_: Path, setup: dict[str, Any]) -> Work:
    import pandas as pd

    library, start = _arctic(setup, "wide"), pd.Timestamp(setup["start"])
    return lambda: library.read("closes", date_range=(start, None)).data


def _arctic_ticker(_: Path, setup: dict[str, Any]) -> Work:
    library = _arctic(setup, "ohlcv")
    return lambda: library.read(TICKER).data


CONTENDERS: dict[str, Callable[[Path, dict[str, Any]], Work]] = {
    "np.load": _np_load,
    "range GET": _range_get,
    "ours, S3": _ours,
    "ours, warm": lambda folder, setup: _ours(folder, setup, is_kept=True),
    "ours, last": lambda folder, setup: _ours(folder, setup, start=setup["start"]),
    "ours, ticker": _ours_ticker,
    "arcticdb, write": _arctic_write,
    "arcticdb, wide": _arctic_wide,
    "arcticdb, batch": _arctic_batch,
    "arcticdb, last": _arctic_last,
    "arcticdb, ticker": _arctic_ticker,
}

if __name__ == "__main__":
    main()
