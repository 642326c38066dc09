"""Executions of a Step Functions state machine, which maps the batches of a sweep over worker Lambdas."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aws.errors import QueueUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class SweepExecutions:
    """Starts executions on lists of batches in the cache's bucket.

    Parameters
    ----------
    state_machine : str
        ARN.
    cache_url : str
        ``s3://bucket/prefix``.
    client : SFNClient or None
        None: one of its own, made when it is first needed.
    """

    def __init__(self, state_machine: str, cache_url: str, client: SFNClient | None = None) -> None:
        self._state_machine = state_machine
        self._bucket, _, self._prefix = cache_url.removeprefix("s3://").partition("/")
        self._client = client

    async def start(self, sweep_id: str, name: str, list_key: str) -> None:
        """Begin an execution; one of this name that runs already is it. `QueueUnavailableError` when it cannot be."""
        await asyncio.to_thread(self._start, sweep_id, name, list_key)

    def _start(self, sweep_id: str, name: str, list_key: str) -> None:
        import boto3  # noqa: PLC0415  only where a sweep is started
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  only where a sweep is started

        self._client = self._client or boto3.client("stepfunctions")
        key = "/".join(part for part in (self._prefix.strip("/"), list_key) if part)
        order = json.dumps({"sweep_id": sweep_id, "bucket": self._bucket, "key": key})
        try:
            self._client.start_execution(stateMachineArn=self._state_machine, name=name, input=order)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            raise QueueUnavailableError(self._state_machine, code) from error
        except BotoCoreError as error:
            raise QueueUnavailableError(self._state_machine, type(error).__name__) from error
