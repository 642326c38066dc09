"""What a Lambda container keeps while it is warm: one event loop, one database engine, one cache, one logger.

A container is made at import, in the phase that Lambda does not throttle; it connects to nothing before the first
event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger

from backend.config import Settings
from backend.resources import Resources, open_resources

if TYPE_CHECKING:
    from fastapi import APIRouter

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]  # Any: an event, a context and an answer are JSON
T = TypeVar("T")

#: What API Gateway may have as text; everything else travels in base64.
_TEXT = ["text/", "application/json", "application/problem+json"]


class Container:
    """Everything that outlives an invocation.

    Parameters
    ----------
    service : str
        Name of the function in its logs.
    """

    def __init__(self, service: str) -> None:
        self.settings = Settings()
        self.loop = asyncio.new_event_loop()
        # Mangum runs on the current loop, and so do connections: those of another loop could not be used again.
        asyncio.set_event_loop(self.loop)
        self._logger = Logger(service=service, level=self.settings.log_level)
        _write_as_json(self._logger)

    @cached_property
    def resources(self) -> Resources:
        """Engine and cache; neither connects before first use."""
        return open_resources(self.settings)

    def run(self, job: Coroutine[None, None, T]) -> T:
        """Run a job to its end on the loop of this container."""
        return self.loop.run_until_complete(job)

    def http_handler(self, router: APIRouter) -> Handler:
        """Handler of one router behind API Gateway."""
        from mangum import Mangum  # noqa: PLC0415  not where events come from a schedule

        from backend.app import make_app  # noqa: PLC0415  not where events come from a schedule

        app = make_app((router,), self.resources)
        return self.observed(Mangum(app, lifespan="off", text_mime_types=_TEXT))

    def observed(self, handler: Handler) -> Handler:
        """The handler with request id and cold start in every line of its log, and subsegments where they are wanted.

        Lambda itself traces each invocation. Powertools' tracer adds a subsegment and its annotations, for a quarter of
        a second of every cold start; it is imported only where the setting asks for it.
        """
        logged: Handler = self._logger.inject_lambda_context(handler, clear_state=True)
        if not self.settings.trace_subsegments:
            return logged
        from aws_lambda_powertools import Tracer  # noqa: PLC0415  see above

        traced: Handler = Tracer(service=self._logger.service, auto_patch=False).capture_lambda_handler(logged)
        return traced


def _write_as_json(logger: Logger) -> None:
    """Let what our modules log with the standard library go through the logger's formatter, extra fields included."""
    root = logging.getLogger()
    root.setLevel(logger.log_level)
    for handler in root.handlers:
        handler.setFormatter(logger.registered_formatter)
