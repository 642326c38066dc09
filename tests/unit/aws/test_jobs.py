"""The queue of a worker Lambda, against botocore's own stub of the service's model."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from aws.errors import QueueUnavailableError
from aws.jobs import WorkerQueue

WORKER = "parakeet-worker:live"


@pytest.fixture
def stubbed() -> tuple[WorkerQueue, Stubber]:
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    return WorkerQueue(WORKER, client), Stubber(client)


async def test_a_job_is_sent_without_waiting_for_it(stubbed: tuple[WorkerQueue, Stubber]) -> None:
    queue, service = stubbed
    expected = {"FunctionName": WORKER, "InvocationType": "Event", "Payload": b'{"job_id": "j-1"}'}
    service.add_response("invoke", {"StatusCode": 202}, expected)
    with service:
        await queue.send("j-1")
    service.assert_no_pending_responses()


async def test_a_queue_that_refuses_is_unavailable(stubbed: tuple[WorkerQueue, Stubber]) -> None:
    queue, service = stubbed
    service.add_client_error("invoke", "TooManyRequestsException")
    with service, pytest.raises(QueueUnavailableError, match=r"parakeet-worker.*TooManyRequests"):
        await queue.send("j-1")
