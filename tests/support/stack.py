"""The whole platform, deployed by Terraform: into AWS where that was asked for, else into the emulator.

1. PostgreSQL with TLS and passwords, and an issuer of tokens, on this machine.
2. The emulator, told to send the events of each function to a port of ours.
3. `terraform apply` as an operator does it: first without an image, then with one.
4. Behind each port the real Lambda runtime, with the handler and the environment that the deployed function has.
5. `terraform destroy`, whatever happened, and a look at what is left.

AWS itself (``PARAKEET_TEST_AWS=1``) takes real credentials and, since nothing of this machine can be reached from
there: PARAKEET_TEST_DATABASE_URL, PARAKEET_TEST_JWT_ISSUER, _AUDIENCE, PARAKEET_TEST_TOKEN_READ and _WRITE.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import boto3
import httpx

from support.emulator import REGION, running_emulator
from support.issuer import AUDIENCE, Issuer, running_issuer
from support.lambda_runtime import lambda_runtime
from support.postgres import free_port, running_tls_server
from support.terraform import Terraform
from support.tool_venv import ROOT, run

UNIVERSE = "SAMPLE_US5"
READ, WRITE = "parakeet/read", "parakeet/write"
_FUNCTIONS = ("data", "strategies", "backtest", "ingest", "worker", "migrate")
_DUMMY_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed platform, as its operator and its callers see it."""

    outputs: Mapping[str, Any]  # Any: Terraform's outputs
    environment: Mapping[str, str]
    database_url: str
    issuer: Issuer | None
    terraform: Terraform
    times_s: Mapping[str, float]

    def client(self, service: str) -> Any:  # Any: boto3 makes its clients at run time
        """A client of an AWS service."""
        return _client(self.environment, service)

    def http(self, token: str | None = None) -> httpx.Client:
        """A caller of the API, with a token or without."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = str(self.outputs["api_url"])
        if "AWS_ENDPOINT_URL" in self.environment:
            # The emulator tells its APIs apart by their host, whose name need not resolve.
            url, headers["Host"] = (
                self.environment["AWS_ENDPOINT_URL"],
                f"{self.outputs['api_id']}.execute-api.localhost",
            )
        return httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60)

    def reader(self) -> httpx.Client:
        """A caller that may read."""
        return self.http(os.environ["PARAKEET_TEST_TOKEN_READ"] if self.issuer is None else self.issuer.token(READ))

    def writer(self) -> httpx.Client:
        """A caller that may read and write."""
        return self.http(
            os.environ["PARAKEET_TEST_TOKEN_WRITE"] if self.issuer is None else self.issuer.token(READ, WRITE)
        )

    def take_first_steps(self) -> None:
        """What an operator does after the first apply: the schema, a universe, its snapshot."""
        migrate = self.outputs["function_names"]["migrate"]
        answer = self.client("lambda").invoke(FunctionName=migrate, Qualifier="live")
        assert "FunctionError" not in answer, answer["Payload"].read()
        self.parakeet("ingest", UNIVERSE, "--source", "sample")
        self.parakeet("snapshot", UNIVERSE)

    def parakeet(self, *arguments: str) -> Any:  # Any: JSON
        """What the command line answers an operator whose settings name the deployed database and cache."""
        settings = {
            "PATH": os.environ["PATH"],
            "NEON_DATABASE_URL": self.database_url,
            "CACHE_URL": f"s3://{self.outputs['cache_bucket']}",
        }
        command = [str(Path(sys.executable).with_name("parakeet")), *arguments, "--json"]
        done = subprocess.run(  # noqa: S603  our own command
            command, env={**self.environment, **settings}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def deployed_stack(folder: Path) -> Iterator[Stack]:
    """The platform, in AWS or in the emulator, and nothing of it afterwards."""
    with ExitStack() as resources:
        if os.environ.get("PARAKEET_TEST_AWS") == "1":
            yield resources.enter_context(_in_aws(folder))
        else:
            yield resources.enter_context(_in_emulator(folder))


@contextmanager
def _in_emulator(folder: Path) -> Iterator[Stack]:
    prefix = "parakeet-test"
    ports = {name: free_port() for name in _FUNCTIONS}
    doors = {f"{prefix}-{name}": f"http://127.0.0.1:{port}/" for name, port in ports.items()}
    with ExitStack() as resources:
        database_url = resources.enter_context(running_tls_server())
        issuer = resources.enter_context(running_issuer())
        url = resources.enter_context(running_emulator(folder, functions=doors))
        environment = _DUMMY_KEYS | {"AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "2"}
        settings: dict[str, Any] = {  # Any: JSON
            "prefix": prefix,
            "emulator": True,
            "monthly_budget_usd": None,  # its id has the account's number, which an emulator is not asked for
            "jwt_issuer": issuer.url,
            "jwt_audience": [AUDIENCE],
            "jwt_scopes": {"read": READ, "write": WRITE},
        }
        terraform = Terraform(folder / "infrastructure", environment | {"TF_VAR_database_url": database_url})
        resources.callback(lambda: _assert_nothing_is_left(environment, prefix))
        stack = resources.enter_context(_applied(terraform, settings, environment, database_url, issuer))
        for name, function in stack.outputs["function_names"].items():
            found = stack.client("lambda").get_function_configuration(FunctionName=function, Qualifier="live")
            resources.enter_context(
                lambda_runtime(
                    found["ImageConfigResponse"]["ImageConfig"]["Command"][0],
                    environment | found["Environment"]["Variables"],
                    log=folder / f"{name}.log",
                    function_name=function,
                    port=ports[name],
                )
            )
        yield stack


@contextmanager
def _in_aws(folder: Path) -> Iterator[Stack]:
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    database_url = os.environ["PARAKEET_TEST_DATABASE_URL"]
    settings: dict[str, Any] = {  # Any: JSON
        "prefix": f"pkt-{uuid4().hex[:8]}",
        "region": environment["AWS_DEFAULT_REGION"],
        "jwt_issuer": os.environ["PARAKEET_TEST_JWT_ISSUER"],
        "jwt_audience": [os.environ["PARAKEET_TEST_JWT_AUDIENCE"]],
        "jwt_scopes": {"read": READ, "write": WRITE},
    }
    terraform = Terraform(folder / "infrastructure", environment | {"TF_VAR_database_url": database_url})
    with _applied(terraform, settings, environment, database_url, None) as stack:
        yield stack


@contextmanager
def _applied(
    terraform: Terraform,
    settings: Mapping[str, Any],
    environment: Mapping[str, str],
    database_url: str,
    issuer: Issuer | None,
) -> Iterator[Stack]:
    always = {**settings, "force_destroy": True, "database_url_version": 1, "reserve_concurrency": issuer is not None}
    schedule = {"cron": "cron(* * * * ? *)", "timezone": "UTC", "lookback_days": 7}
    times_s: dict[str, float] = {}
    terraform.init()
    try:
        _timed(times_s, "apply without image", lambda: terraform.apply(always))
        tag = _pushed_tag(terraform, environment) if issuer is None else "test"
        whole = {**always, "image_tag": tag, "schedules": {UNIVERSE: schedule}}
        _timed(times_s, "apply with image", lambda: terraform.apply(whole))
        yield Stack(
            outputs=terraform.outputs(),
            environment=environment,
            database_url=database_url,
            issuer=issuer,
            terraform=terraform,
            times_s=times_s,
        )
    finally:
        _timed(times_s, "destroy", lambda: terraform.destroy(always))


def _assert_nothing_is_left(environment: Mapping[str, str], prefix: str) -> None:
    """What `terraform destroy` forgot would go on to cost money."""
    lists = {
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("s3", "list_buckets", "Buckets", "Name"),
        ("apigatewayv2", "get_apis", "Items", "Name"),
        ("secretsmanager", "list_secrets", "SecretList", "Name"),
        ("scheduler", "list_schedules", "Schedules", "Name"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("ecr", "describe_repositories", "repositories", "repositoryName"),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    }
    left = []
    for service, call, key, name in sorted(lists):
        answer = getattr(_client(environment, service), call)()
        left += [f"{service}: {item[name]}" for item in answer[key] if prefix in item[name]]
    left += [f"sqs: {url}" for url in _client(environment, "sqs").list_queues().get("QueueUrls", []) if prefix in url]
    assert not left, left


def _client(environment: Mapping[str, str], service: str) -> Any:  # Any: boto3 makes its clients at run time
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
    )


def _pushed_tag(terraform: Terraform, environment: Mapping[str, str]) -> str:
    """Tag of the image of this commit, built and pushed as an operator does it."""
    tag = run("git", "-C", ROOT, "rev-parse", "HEAD").strip()
    repository = terraform.outputs()["ecr_repository_url"]
    subprocess.run(  # noqa: S603  our own script
        [ROOT / "scripts" / "push_image", repository], env={**os.environ, **environment}, check=True
    )
    return tag


def _timed(times_s: dict[str, float], name: str, step: Any) -> None:  # Any: a callable of no arguments
    begin = monotonic()
    step()
    times_s[name] = monotonic() - begin
