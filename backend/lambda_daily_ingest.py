"""Lambda of the daily schedule: EventBridge sends {universe_key, lookback_days}, one universe is brought up to date.

1. Ingest: what is new, plus a look-back for restatements.
2. Snapshot of what is stored now, so that backtests see it.
3. The sessions that the universe is behind as a metric; an alarm watches it.
4. When any ticker failed, raise: retry and dead letter must fire. What was stored stays stored.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from pydantic import BaseModel, ConfigDict, Field

from backend.container import Container
from backend.database.connection import transaction
from backend.ingest.errors import PartialIngestError
from backend.resources import Resources, tiingo_account
from backend.services.ingest import IngestReport, ingest_by_key
from backend.services.market_data import UniverseCoverage, universe_coverage
from backend.services.preregistrations import extend_all
from backend.services.snapshots import build_snapshot

#: Where the alarm of infrastructure/monitoring.tf looks for how far a universe is behind.
_NAMESPACE, _BEHIND = "Parakeet", "SessionsBehind"

container = Container("ingest")


class ScheduledIngest(BaseModel):
    """Input of the schedule's target."""

    model_config = ConfigDict(extra="forbid")

    universe_key: str = Field(min_length=1, max_length=80)
    lookback_days: int = Field(default=7, ge=0, le=3650)


def _ingest(event: dict[str, Any], _context: object) -> dict[str, Any]:  # Any: JSON in, JSON out
    """Ingest the universe of the event; returns counts, snapshot and how many sessions it is behind.

    Raises when the event is wrong, when another run holds the universe, or when any ticker failed.
    """
    order = ScheduledIngest.model_validate(_input(event))
    report, coverage, extensions = container.run(_brought_up_to_date(container.resources, order))
    if coverage.sessions_behind is not None:
        with single_metric(
            name=_BEHIND,
            unit=MetricUnit.Count,
            value=coverage.sessions_behind,
            namespace=_NAMESPACE,
            default_dimensions={"universe": order.universe_key},
        ):
            pass
    if report.status != "succeeded":
        raise PartialIngestError(report.universe, report.run_id, report.failed)
    state = {"snapshot": coverage.snapshot, "sessions_behind": coverage.sessions_behind}
    return report.to_json() | state | {"preregistrations": extensions}


async def _brought_up_to_date(
    resources: Resources, order: ScheduledIngest
) -> tuple[IngestReport, UniverseCoverage, dict[str, str]]:
    report = await ingest_by_key(
        resources.engine,
        order.universe_key,
        tiingo=tiingo_account(container.settings),
        lookback_days=order.lookback_days,
        concurrency=container.settings.ingest_concurrency,
    )
    await build_snapshot(resources.engine, resources.store, order.universe_key)
    extensions = await extend_all(resources.engine, resources.store, order.universe_key)
    now = dt.datetime.now(dt.UTC)
    async with transaction(resources.engine) as connection:
        coverage = await universe_coverage(connection, resources.store, order.universe_key, now=now)
    return report, coverage, extensions


def _input(event: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The input of the target; an event bus sends its whole envelope instead, with the input in `detail`."""
    if "detail" in event:
        detail: dict[str, Any] = event["detail"]
        return detail
    return event


handler = container.observed(_ingest)
