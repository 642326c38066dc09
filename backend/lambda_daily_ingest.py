"""Lambda of the daily schedule: EventBridge sends {universe_key, lookback_days}, one universe is brought up to date."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from backend.config import Settings
from backend.ingest.errors import PartialIngestError
from backend.resources import Resources, open_resources
from backend.services.ingest import ingest_by_key


class ScheduledIngest(BaseModel):
    """Input of the schedule's target."""

    model_config = ConfigDict(extra="forbid")

    universe_key: str = Field(min_length=1, max_length=80)
    lookback_days: int = Field(default=7, ge=0, le=3650)


class _Container:
    """One event loop, one engine and one cache for as long as the container lives."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.settings = Settings()
        self.resources: Resources = open_resources(self.settings)


_containers: list[_Container] = []


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Any: JSON in, JSON out
    """Ingest the universe of the event and return the counts of the run.

    Raises when the event is wrong, when another run holds the universe, or when any ticker failed, so that retry and
    dead-letter fire; what was stored until then stays stored.
    """
    order = ScheduledIngest.model_validate(_input(event))
    if not _containers:
        _containers.append(_Container())
    container = _containers[0]
    key = container.settings.tiingo_api_key
    job = ingest_by_key(
        container.resources.engine,
        order.universe_key,
        tiingo_api_key=key.get_secret_value() if key else None,
        lookback_days=order.lookback_days,
        concurrency=container.settings.ingest_concurrency,
    )
    report = container.loop.run_until_complete(job)
    if report.status != "succeeded":
        raise PartialIngestError(report.universe, report.run_id, report.failed)
    result: dict[str, Any] = {name: _plain(value) for name, value in asdict(report).items()}
    return result


def _input(event: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The input of the target; an event bus sends its whole envelope instead, with the input in `detail`."""
    if "detail" in event:
        detail: dict[str, Any] = event["detail"]
        return detail
    return event


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)
