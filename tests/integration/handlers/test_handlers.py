"""Each Lambda answers a recorded event of API Gateway (payload 2.0), the ingest Lambda one of the scheduler."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text

from backend.config import Settings
from backend.database.errors import UnknownUniverseError
from backend.database.urls import direct_url
from backend.ingest.errors import SourceSettingsError
from support.containers import CONTEXT, Containers

EVENTS = Path(__file__).parent / "events"


def recorded(name: str) -> dict[str, Any]:  # Any: JSON
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def test_the_data_lambda_answers_status(containers: Containers) -> None:
    body = containers.invoke("data", recorded("data_status"))
    assert {row["key"] for row in body["data"]} == {"SAMPLE_US5", "SAMPLE_US20"}


def test_the_data_lambda_answers_prices(containers: Containers) -> None:
    body = containers.invoke("data", recorded("data_prices"))
    # 2003-01-04 and -05 were a weekend.
    assert [row["date"] for row in body["data"]] == [f"2003-01-{day:02}" for day in (2, 3, 6, 7, 8)]


def test_the_strategies_lambda_lists_strategies(containers: Containers) -> None:
    body = containers.invoke("strategies", recorded("strategies_list"))
    assert "dual_momentum" in [item["key"] for item in body["data"]]


def test_the_backtest_lambda_runs_a_backtest(containers: Containers) -> None:
    body = containers.invoke("backtest", recorded("backtest_post"))
    again = containers.invoke("backtest", recorded("backtest_post"))
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
