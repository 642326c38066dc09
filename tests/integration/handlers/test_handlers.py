"""Each Lambda answers a recorded event of API Gateway (payload 2.0), the ingest Lambda one of the scheduler."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text

from backend.config import Settings
from backend.container import Container
from backend.database.connection import transaction
from backend.database.errors import UnknownUniverseError
from backend.database.jobs import add_job
from backend.database.urls import direct_url
from backend.ingest.errors import SourceSettingsError
from backend.services.jobs import REFRESH
from support.platform import opened

EVENTS = Path(__file__).parent / "events"
#: What Lambda tells a handler about the invocation, as far as our logs use it.
CONTEXT = SimpleNamespace(
    function_name="parakeet-test",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:parakeet-test",
    aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95",
)


def recorded(name: str) -> dict[str, Any]:  # Any: JSON
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


class Containers:
    """Loads handler modules as fresh containers do, and shuts them down."""

    def __init__(self) -> None:
        self._started: list[Container] = []

    def load(self, module: str) -> ModuleType:
        sys.modules.pop(module, None)
        loaded = importlib.import_module(module)
        self._started.append(loaded.container)
        return loaded

    def invoke(self, area: str, event: str) -> Any:  # Any: JSON
        answer = self.load(f"backend.handlers.{area}").handler(recorded(event), CONTEXT)
        assert answer["statusCode"] == 200, answer["body"]
        return json.loads(answer["body"])

    def shut_down(self) -> None:
        for container in self._started:
            container.run(container.resources.engine.dispose())
            container.loop.close()
        asyncio.set_event_loop(None)


@pytest.fixture
def containers(sample_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Containers]:
    monkeypatch.setenv("DATABASE_URL", sample_settings.async_source_url())
    monkeypatch.setenv("CACHE_URL", sample_settings.cache_url)
    monkeypatch.setenv("NEON_DATABASE_URL", "")
    root = logging.getLogger()  # a container makes its handlers write JSON
    monkeypatch.setattr(root, "level", root.level)
    for handler in root.handlers:
        monkeypatch.setattr(handler, "formatter", handler.formatter)
    found = Containers()
    yield found
    found.shut_down()


def test_the_data_lambda_answers_status(containers: Containers) -> None:
    body = containers.invoke("data", "data_status")
    assert {row["key"] for row in body["data"]} == {"SAMPLE_US5", "SAMPLE_US20"}


def test_the_data_lambda_answers_prices(containers: Containers) -> None:
    body = containers.invoke("data", "data_prices")
    # 2003-01-04 and -05 were a weekend.
    assert [row["date"] for row in body["data"]] == [f"2003-01-{day:02}" for day in (2, 3, 6, 7, 8)]


def test_the_strategies_lambda_lists_strategies(containers: Containers) -> None:
    body = containers.invoke("strategies", "strategies_list")
    assert "dual_momentum" in [item["key"] for item in body["data"]]


def test_the_backtest_lambda_runs_a_backtest(containers: Containers) -> None:
    body = containers.invoke("backtest", "backtest_post")
    again = containers.invoke("backtest", "backtest_post")
    assert body["spec"]["universe"] == "SAMPLE_US5"
    assert again == body


def test_the_ingest_lambda_brings_a_universe_up_to_date(containers: Containers, sample_settings: Settings) -> None:
    report = containers.load("backend.lambda_daily_ingest").handler(recorded("scheduled_ingest"), CONTEXT)
    assert report["status"] == "succeeded"
    assert report["inserted"] == report["changed"] == 0
    # Five tickers, the sessions of the last five days up to 2013-03-01: Feb 24 was a Sunday, so 25 to 1 March.
    assert report["unchanged"] == report["rows_in"] == 5 * 5
    engine = create_engine(direct_url(sample_settings.async_source_url()))
    with engine.connect() as connection:
        runs = connection.scalar(text("SELECT count(*) FROM ingest_runs WHERE universe_key = 'SAMPLE_US5'"))
    engine.dispose()
    assert runs == 2


def test_the_ingest_lambda_builds_the_snapshot_and_tells_how_far_the_data_are_behind(
    containers: Containers, capsys: pytest.CaptureFixture[str]
) -> None:
    report = containers.load("backend.lambda_daily_ingest").handler(recorded("scheduled_ingest"), CONTEXT)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    metric = json.loads(line)
    assert len(report["snapshot"]) == 64
    # The newest session of the sample is 2013-03-01; CloudWatch's embedded metric format, as the alarm looks for it.
    behind = report["sessions_behind"]
    assert metric["SessionsBehind"] == [behind]
    # New York has 250 to 253 sessions a year.
    years = (dt.datetime.now(dt.UTC).date() - dt.date(2013, 3, 1)).days / 365.25
    assert 250 * years - 5 < behind < 253 * years + 5
    (declared,) = metric["_aws"]["CloudWatchMetrics"]
    assert (declared["Namespace"], declared["Dimensions"]) == ("Parakeet", [["universe"]])
    assert metric["universe"] == "SAMPLE_US5"


async def queued_refresh(settings: Settings) -> str:
    """Id of a job that waits for a worker."""
    async with opened(settings) as resources, transaction(resources.engine) as connection:
        payload = {"universe": "SAMPLE_US5", "lookback_days": 7}
        await add_job(connection, "job-1", REFRESH, payload, now=dt.datetime.now(dt.UTC))
    return "job-1"


def test_the_worker_lambda_does_a_job_once(containers: Containers, sample_settings: Settings) -> None:
    event = {"job_id": asyncio.run(queued_refresh(sample_settings))}
    module = containers.load("backend.handlers.worker")
    expected = {"job_id": "job-1", "status": "succeeded"}
    assert [module.handler(event, CONTEXT), module.handler(event, CONTEXT)] == [expected, expected]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({}, ValidationError),
        ({"universe_key": "SAMPLE_US5", "lookback": 3}, ValidationError),
        ({"universe_key": "MARS"}, (UnknownUniverseError, SourceSettingsError)),
    ],
)
def test_a_wrong_event_raises_so_that_it_reaches_the_dead_letters(
    event: dict[str, Any], error: type[Exception], containers: Containers
) -> None:
    module = containers.load("backend.lambda_daily_ingest")
    with pytest.raises(error):
        module.handler(event, CONTEXT)


@pytest.mark.parametrize("area", ["data", "strategies", "backtest"])
def test_no_handler_imports_what_it_does_not_use_at_start(area: str, tmp_path: Path) -> None:
    # Backtests compute with numpy whatever is asked.
    arrays = () if area == "backtest" else ("numpy",)
    heavy = (*arrays, "pandas", "scipy", "sklearn", "curl_cffi", "boto3", "pyarrow", "exchange_calendars")
    script = f"import sys, backend.handlers.{area}; print([name for name in {heavy} if name in sys.modules])"
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/t.db", "CACHE_URL": str(tmp_path), "NEON_DATABASE_URL": ""}
    done = subprocess.run(  # noqa: S603  our own interpreter and script
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
