"""Jobs to a worker Lambda, whose own queue keeps them, retries them, and moves what fails for good to dead letters."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aws.errors import QueueUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class WorkerQueue:
    """Sends the ids of jobs to a function, which answers before it works.

    Parameters
    ----------
    function : str
        Name or ARN, with the alias to call.
    client : LambdaClient or None
        None: one of its own, made when it is first needed.
    """

    def __init__(self, function: str, client: LambdaClient | None = None) -> None:
        self._function = function
        self._client = client

    async def send(self, job_id: str) -> None:
        """Hand a job over; `QueueUnavailableError` when the queue does not take it."""
        await asyncio.to_thread(self._send, job_id)

    async def close(self) -> None:
        """Nothing to close: what was sent is out of this process."""

    def _send(self, job_id: str) -> None:
        import boto3  # noqa: PLC0415  only where a job is sent
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  only where a job is sent

        self._client = self._client or boto3.client("lambda")
        payload = json.dumps({"job_id": job_id}).encode()
        try:
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        except ClientError as error:
            raise QueueUnavailableError(self._function, error.response.get("Error", {}).get("Code", "?")) from error
        except BotoCoreError as error:
            raise QueueUnavailableError(self._function, type(error).__name__) from error
