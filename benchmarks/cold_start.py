"""Cold start of each Lambda in the real runtime, beside the bare import of what such a Lambda needs.

    .venv/bin/python benchmarks/cold_start.py [--rounds 9]

Each round starts every function once, so that a slow moment of the machine meets all of them; medians are compared.
The database and the bucket are never asked: a container connects to nothing before its first event. As in the image,
pydantic's copy of its version 1 is absent (scripts/trim_image.py).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import urllib.error
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from support.lambda_runtime import lambda_runtime  # noqa: E402  the path is set above

BASELINE = "baseline"
HANDLERS = {
    BASELINE: "baseline_handler.handler",
    "data": "backend.handlers.data.handler",
    "strategies": "backend.handlers.strategies.handler",
    "backtest": "backend.handlers.backtest.handler",
    "ingest": "backend.lambda_daily_ingest.handler",
    "migrate": "backend.handlers.migrate.handler",
}
#: Most that a cold start may take, in baselines.
LIMITS = {"data": 1.3, "strategies": 1.3, "backtest": 2.0}
ENVIRONMENT = {
    "DATABASE_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:database",
    "CACHE_URL": "s3://bucket",
    "AWS_DEFAULT_REGION": "us-east-1",
    "NEON_DATABASE_URL": "",
}
#: To a route that is not there: answered without a look at database or cache.
EVENT = json.loads((ROOT / "tests/integration/handlers/events/data_status.json").read_text()) | {"rawPath": "/nothing"}
#: FastAPI asks of every annotation whether it is a model of pydantic 1, and loads all of that where it is there.
AS_TRIMMED = 'import sys\nsys.modules["pydantic.v1"] = None\n'


def init_ms(handler: str, folder: Path) -> float:
    """Milliseconds of one cold start."""
    log = folder / "runtime.log"
    (folder / "sitecustomize.py").write_text(AS_TRIMMED)
    path = f"{folder}{os.pathsep}{ROOT / 'benchmarks'}"
    with lambda_runtime(handler, ENVIRONMENT, log=log, python_path=path) as runtime:
        with contextlib.suppress(urllib.error.HTTPError):  # what the handlers of other events say of this one
            runtime.invoke(EVENT)
        return runtime.init_ms()


def main() -> int:
    """Print medians and ratios; exit 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description="Cold start of each Lambda in the real runtime.")
    parser.add_argument("--rounds", type=int, default=9, help="starts of each function")
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in HANDLERS}
    with tempfile.TemporaryDirectory() as folder:
        init_ms(HANDLERS[BASELINE], Path(folder))  # fills the file cache
        for _ in range(rounds):
            for name, handler in HANDLERS.items():
                times[name].append(init_ms(handler, Path(folder)))
    base = statistics.median(times[BASELINE])
    is_slow = False
    print(f"{'function':<12}{'median':>10}{'fastest':>10}{'ratio':>8}{'limit':>8}")
    for name, found in times.items():
        ratio, limit = statistics.median(found) / base, LIMITS.get(name)
        is_slow |= limit is not None and ratio > limit
        print(f"{name:<12}{statistics.median(found):>7.0f} ms{min(found):>7.0f} ms{ratio:>8.2f}{limit or '-':>8}")
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
