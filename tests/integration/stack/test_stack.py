"""The deployed platform through its outputs, boto3 and HTTP, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Any

import pytest

from support.stack import READ, UNIVERSE, Stack

SPEC = {"strategy": "equal_weight", "universe": UNIVERSE, "start": "2005-01-03", "end": "2012-12-31"}
AREAS = ("data", "strategies", "backtest")
IS_AWS = os.environ.get("PARAKEET_TEST_AWS") == "1"
only_here = pytest.mark.skipif(IS_AWS, reason="AWS: its tokens come from an issuer that signs no bad ones")


def until(found: Callable[[], Any], *, within_s: float) -> Any:  # Any: whatever is waited for
    """What `found` gives once it gives something; asked twice a second."""
    deadline = monotonic() + within_s
    while monotonic() < deadline:
        if answer := found():
            return answer
        Event().wait(0.5)
    raise AssertionError(f"nothing within {within_s:.0f} s")


# --- Who may call ---


@pytest.mark.parametrize("area", AREAS)
def test_health_needs_no_token_and_reaches_database_and_cache(stack: Stack, area: str) -> None:
    with stack.http() as http:
        answer = http.get(f"/{area}/health")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"version": "0.1.0", "schema_revision": "0006", "database": "ok", "cache": "ok"}


@pytest.mark.parametrize("path", ["/data/status", "/strategies", "/backtest", "/backtest/trials"])
def test_without_a_token_nothing_is_told(stack: Stack, path: str) -> None:
    with stack.http() as http:
        assert http.get(path).status_code == 401


@only_here
@pytest.mark.parametrize("fault", ["expired", "tampered", "forged", "of another audience", "garbage"])
def test_a_bad_token_is_no_token(stack: Stack, fault: str) -> None:
    issuer = stack.issuer
    assert issuer is not None
    tokens = {
        "expired": issuer.token(READ, lifetime_s=-60),
        "tampered": issuer.tampered("nothing", wanted=READ),
        "forged": issuer.forged(READ),
        "of another audience": issuer.token(READ, aud="somebody-else"),
        "garbage": "not.a.token",
    }
    with stack.http(tokens[fault]) as http:
        assert http.get("/data/status").status_code == 401


@only_here
def test_a_token_without_the_scope_is_forbidden(stack: Stack) -> None:
    assert stack.issuer is not None
    with stack.http(stack.issuer.token("openid")) as http:
        assert http.get("/data/status").status_code == 403


def test_who_may_read_may_not_run_a_backtest(stack: Stack) -> None:
    with stack.reader() as http:
        assert http.post("/backtest", json=SPEC).status_code == 403


# --- What the areas answer ---


def test_data_come_from_the_database(stack: Stack) -> None:
    with stack.reader() as http:
        # The journeys through the page leave universes of their own.
        (row,) = (row for row in http.get("/data/status").json()["data"] if row["key"] == UNIVERSE)
        prices = http.get("/data/prices", params={"tickers": "IBM", "start": "2003-01-02", "end": "2003-01-08"}).json()
    # 3,270 sessions of AAPL, IBM and MSFT, 2,148 of GOOG and 196 of FB, as in PROVENANCE.md.
    assert row["bars"] == 3 * 3270 + 2148 + 196
    # 2003-01-04 and -05 were a weekend.
    assert [bar["date"] for bar in prices["data"]] == [f"2003-01-{day:02}" for day in (2, 3, 6, 7, 8)]


def test_strategies_are_described(stack: Stack) -> None:
    with stack.reader() as http:
        assert "lookback" in http.get("/strategies/dual_momentum").json()["parameters"]["properties"]


def test_a_backtest_reads_the_bucket_and_gives_the_same_bytes_again(stack: Stack) -> None:
    with stack.writer() as http:
        first, again = http.post("/backtest", json=SPEC), http.post("/backtest", json=SPEC)
    assert first.status_code == 200, first.text
    assert again.content == first.content
    with stack.reader() as http:
        backtest_id = first.json()["id"]
        assert http.get(f"/backtest/{backtest_id}").content == first.content
        equity = http.get(f"/backtest/{backtest_id}/equity").json()["columns"]["equity"]
    assert len(equity) == first.json()["n_sessions"]
    key = first.json()["tables"]["equity"]
    assert stack.client("s3").head_object(Bucket=stack.outputs["cache_bucket"], Key=key)["ContentLength"] > 0


def test_the_command_line_and_the_gateway_name_one_result(stack: Stack) -> None:
    with stack.writer() as http:
        served = http.post("/backtest", json=SPEC).json()
    own = stack.parakeet("backtest", "equal_weight", UNIVERSE, "--start", "2005-01-03", "--end", "2012-12-31")
    assert own == served


def test_bad_input_is_answered_with_its_reason(stack: Stack) -> None:
    with stack.writer() as http:
        answer = http.post("/backtest", json={**SPEC, "strategy": "astrology"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["field"] == "strategy"


def test_a_route_that_is_not_there_is_not_found(stack: Stack) -> None:
    with stack.reader() as http:
        assert http.get("/nothing").status_code == 404


# --- What happens by itself ---


def test_the_migration_is_harmless_to_repeat(stack: Stack) -> None:
    name = stack.outputs["function_names"]["migrate"]
    answer = stack.client("lambda").invoke(FunctionName=name, Qualifier="live")
    assert json.loads(answer["Payload"].read()) == {"before": "0006", "after": "0006"}


def test_the_schedule_fires_an_ingest(stack: Stack) -> None:
    asked = dt.datetime.now(dt.UTC)

    def scheduled() -> Any:  # Any: JSON
        with stack.reader() as http:
            runs = http.get("/data/runs", params={"universe": UNIVERSE}).json()["data"]
        return [run for run in runs if run["finished_at"] and dt.datetime.fromisoformat(run["started_at"]) > asked]

    run = until(scheduled, within_s=150)[-1]
    assert (run["status"], run["inserted"], run["changed"], run["failed"]) == ("succeeded", 0, 0, 0)
    # Five tickers, the sessions of the last week up to Friday 2013-03-01, both Fridays included.
    assert run["unchanged"] == 5 * 6


def test_a_refresh_is_done_by_the_worker_and_can_be_watched(stack: Stack) -> None:
    with stack.writer() as http:
        begun = http.post("/data/refresh", json={"universe": UNIVERSE})
    assert begun.status_code == 202, begun.text
    path = begun.headers["location"].removeprefix("/api/v1")

    def ended() -> Any:  # Any: JSON
        with stack.reader() as http:
            job = http.get(path).json()
        return job if job["status"] in {"succeeded", "failed"} else None

    job = until(ended, within_s=60)
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert (job["result"]["inserted"], job["result"]["unchanged"]) == (0, 5 * 6)


def test_a_sweep_is_mapped_over_workers_to_its_last_batch(stack: Stack) -> None:
    """Nine trials are nine batches: the worker lists them in the bucket, and Step Functions call it for each."""
    base = {"strategy": "dual_momentum", "universe": UNIVERSE, "start": "2008-01-02"}
    space = {"axes": {"lookback": {"low": 20, "high": 180, "n_points": 9}}}
    with stack.writer() as http:
        begun = http.post("/backtest/sweeps", json={"base": base, "space": space})
    assert begun.status_code == 202, begun.text
    path = begun.headers["location"].removeprefix("/api/v1")

    def ended() -> Any:  # Any: JSON
        with stack.reader() as http:
            sweep = http.get(path).json()
        return sweep if sweep["job"]["status"] in {"succeeded", "failed"} else None

    sweep = until(ended, within_s=120)
    assert (sweep["job"]["status"], sweep["job"]["error"]) == ("succeeded", None)
    assert (sweep["result"]["state"], sweep["result"]["n_done"], sweep["batch_size"]) == ("complete", 9, 1)
    with stack.reader() as http:
        trials = http.get(f"{path}/trials").json()["columns"]
    assert trials["trial"] == list(range(9))
    assert max(trials["sharpe"]) == sweep["result"]["best"]["metrics"]["sharpe"]
    # No process of the API did them: the one execution of this sweep ended well.
    machines = stack.client("stepfunctions")
    (machine,) = (it for it in machines.list_state_machines()["stateMachines"] if it["name"].endswith("-sweep"))
    executions = until(
        lambda: machines.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="SUCCEEDED")[
            "executions"
        ],
        within_s=30,
    )
    assert [it["name"][:32] for it in executions] == [sweep["id"][:32]]


def test_a_failing_ingest_reaches_the_dead_letters(stack: Stack) -> None:
    queue = stack.outputs["ingest_dlq_url"]
    name = stack.outputs["function_names"]["ingest"]
    event = {"universe_key": "MARS", "lookback_days": 1}
    stack.client("lambda").invoke(
        FunctionName=name, Qualifier="live", InvocationType="Event", Payload=json.dumps(event).encode()
    )
    sqs = stack.client("sqs")
    messages = until(
        lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"),
        within_s=600 if IS_AWS else 60,
    )
    assert "MARS" in messages[0]["Body"]


# --- What must not be there ---


def test_another_apply_would_change_nothing(stack: Stack) -> None:
    # The emulator forgets some settings of these kinds; AWS forgets none.
    forgets = ("aws_cloudwatch_metric_alarm.", "aws_cloudfront_response_headers_policy.", "aws_sfn_state_machine.")
    forgotten = () if IS_AWS else forgets
    assert [address for address in stack.terraform.pending() if not address.startswith(forgotten)] == []


def test_the_secret_is_in_secrets_manager_and_in_no_state(stack: Stack) -> None:
    found = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["database_secret_arn"])
    assert found["SecretString"] == stack.database_url
    state = stack.terraform.state.read_text()
    assert "database_secret_arn" in state
    assert stack.database_url not in state
    assert stack.database_url.partition("@")[0].rpartition(":")[2] not in state


def test_no_function_has_the_secret_in_its_environment(stack: Stack) -> None:
    client = stack.client("lambda")
    for name in stack.outputs["function_names"].values():
        variables = client.get_function_configuration(FunctionName=name, Qualifier="live")["Environment"]["Variables"]
        assert variables["DATABASE_SECRET_ARN"] == stack.outputs["database_secret_arn"]
        assert not [value for value in variables.values() if "postgresql://" in value]


@pytest.mark.parametrize(
    "what",
    [
        "API Gateway throttles a route",
        "API Gateway writes access logs",
        "IAM refuses what a role does not allow",
        "CloudFront serves the site, and /api on its origin",
        "CodePipeline ships a commit, CodeDeploy rolls it back on an alarm",
        "an alarm goes off",
    ],
)
def test_what_only_aws_can_prove(what: str) -> None:
    pytest.skip(f"no emulator proves it: {what}")
