"""Warm requests through the deployed platform: API Gateway -> Lambda runtime -> PostgreSQL with TLS, and the bucket.

    .venv/bin/python benchmarks/gateway.py [--requests 300]

Deploys as tests/integration/stack does, into the emulator unless PARAKEET_TEST_AWS=1, and destroys. The gateway of an
emulator adds time of its own: a request that it answers itself (401) is measured beside the others.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import httpx

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests")]

from support.stack import UNIVERSE, deployed_stack  # noqa: E402  the path is set above

SPEC = {"strategy": "equal_weight", "universe": UNIVERSE, "start": "2005-01-03", "end": "2012-12-31"}
_MONTH = {"tickers": "AAPL,IBM", "start": "2010-01-01", "end": "2010-01-31"}


def latencies_ms(request: Callable[[], httpx.Response], *, n_requests: int, status: int) -> list[float]:
    """Sorted milliseconds of requests one after the other, the first few left out."""
    found = []
    for number in range(n_requests + 5):
        begin = perf_counter()
        answer = request()
        elapsed = (perf_counter() - begin) * 1000
        assert answer.status_code == status, answer.text  # noqa: S101  a wrong answer is no measurement
        if number >= 5:  # noqa: PLR2004  warm
            found.append(elapsed)
    return sorted(found)


def main() -> int:
    """Deploy, measure, print, destroy."""
    parser = argparse.ArgumentParser(description="Warm requests through the deployed platform.")
    parser.add_argument("--requests", type=int, default=300, help="requests of each kind")
    n_requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, deployed_stack(Path(folder)) as stack:
        stack.take_first_steps()
        with stack.writer() as http, stack.http() as stranger:
            kinds: dict[str, tuple[Callable[[], httpx.Response], int]] = {
                "401, by the gateway alone": (lambda: stranger.get("/strategies"), 401),
                "GET /strategies": (lambda: http.get("/strategies"), 200),
                "GET /data/prices, 40 bars": (lambda: http.get("/data/prices", params=_MONTH), 200),
                "POST /backtest, stored": (lambda: http.post("/backtest", json=SPEC), 200),
            }
            print(f"{'request':<28}{'p50':>9}{'p99':>9}")
            for name, (request, status) in kinds.items():
                found = latencies_ms(request, n_requests=n_requests, status=status)
                p99 = found[min(int(0.99 * len(found)), len(found) - 1)]
                print(f"{name:<28}{statistics.median(found):>6.1f} ms{p99:>6.1f} ms")
    for step, seconds in stack.times_s.items():
        print(f"{step}: {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
