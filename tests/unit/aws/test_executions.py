"""The start of a state machine, against botocore's own stub of the service's model."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.stub import Stubber

from aws.errors import QueueUnavailableError
from aws.executions import SweepExecutions

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:parakeet-sweep"


@pytest.fixture
def stubbed() -> tuple[SweepExecutions, Stubber]:
    client = boto3.client(
        "stepfunctions", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    return SweepExecutions(MACHINE, "s3://bucket/prefix", client), Stubber(client)


async def test_an_execution_is_told_the_sweep_and_where_its_batches_are_listed(
    stubbed: tuple[SweepExecutions, Stubber],
) -> None:
    executions, service = stubbed
    order = {"sweep_id": "s", "bucket": "bucket", "key": "prefix/objects/l.json"}
    expected = {"stateMachineArn": MACHINE, "name": "s-1", "input": json.dumps(order)}
    service.add_response("start_execution", {"executionArn": MACHINE, "startDate": "2024-01-08T22:00:00Z"}, expected)
    with service:
        await executions.start("s", "s-1", "objects/l.json")
    service.assert_no_pending_responses()


async def test_a_state_machine_that_refuses_is_unavailable(stubbed: tuple[SweepExecutions, Stubber]) -> None:
    executions, service = stubbed
    service.add_client_error("start_execution", "ExecutionLimitExceeded")
    with service, pytest.raises(QueueUnavailableError, match=r"parakeet-sweep.*ExecutionLimitExceeded"):
        await executions.start("s", "s-1", "objects/l.json")
