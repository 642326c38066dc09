"""Exception class to status code, and the one form of error bodies: problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from aws import errors as cache
from backend.database import errors as database
from backend.database.ingest_runs import UnknownRunError
from backend.database.jobs import UnknownJobError
from backend.services import errors as services
from strategy import errors as core

logger = logging.getLogger(__name__)

#: The most specific class of an exception's bases that is listed here decides.
STATUS: Mapping[type[Exception], int] = {
    database.UnknownUniverseError: 404,
    database.UnknownTickerError: 404,
    database.UnknownBacktestError: 404,
    database.UnknownSweepError: 404,
    database.UnknownPreregistrationError: 404,
    UnknownRunError: 404,
    UnknownJobError: 404,
    database.LeaseHeldError: 409,
    database.IdempotencyConflictError: 409,
    database.DatabaseUnavailableError: 503,
    core.AdjustmentError: 422,
    core.CalendarError: 422,
    core.CurrencyError: 422,
    core.MissingRateError: 422,
    core.InfeasibleConstraintsError: 422,
    core.MembershipError: 422,
    core.UnknownStrategyError: 404,
    core.ParameterError: 422,
    core.ExecutionError: 422,
    core.InsufficientHistoryError: 422,
    core.StatisticError: 422,
    core.PanelError: 422,
    core.LookaheadError: 500,
    services.RequestError: 422,
    services.EmptyUniverseError: 404,
    services.NoMembersError: 422,
    services.UniverseExistsError: 409,
    services.NoSnapshotError: 404,
    services.NoBrowserError: 422,
    services.JobFailedError: 500,
    cache.UnknownSnapshotError: 404,
    cache.RefConflictError: 409,
    cache.CorruptObjectError: 500,
    cache.StoreUnavailableError: 503,
    cache.QueueUnavailableError: 503,
    cache.ObjectNotFoundError: 500,
}
TITLES = {
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    422: "Bad input",
    500: "Internal error",
    503: "Temporarily unavailable",
}


class ProblemResponse(JSONResponse):
    """Error body in ASCII: a caller's text may hold what UTF-8 cannot, and it is echoed."""

    media_type = "application/problem+json"

    def render(self, content: object) -> bytes:
        """Bytes of the body."""
        return json.dumps(content, allow_nan=False).encode("ascii")


def install_error_handlers(app: FastAPI) -> None:
    """Answer every listed exception, and every other one, with problem+json."""
    for kind in STATUS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: Exception) -> int:
    """Status code of an exception; 500 for one that is not listed."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(request: Request, status: int, detail: str, **more: object) -> ProblemResponse:
    """Error body of one form."""
    title = TITLES.get(status, "Error")
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.url.path}
    headers = {"Retry-After": "5"} if status == 503 else None  # noqa: PLR2004  read beside its name above
    return ProblemResponse(body | more, status, headers)


async def _known(request: Request, error: Exception) -> ProblemResponse:
    status = status_of(error)
    if status >= 500:  # noqa: PLR2004  every server error
        logger.error("request_failed", exc_info=error, extra={"path": request.url.path})
    facts = {name: _plain(getattr(error, name)) for name in ("field", "value") if hasattr(error, name)}
    return problem(request, status, str(error), **facts)


async def _invalid_request(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class only
    errors = [
        {
            "field": ".".join(str(part) for part in item["loc"][1:]),
            "reason": item["msg"],
            "value": _plain(item["input"]),
        }
        for item in error.errors()
    ]
    first = errors[0]
    detail = f"{first['field'] or 'body'}: {first['reason']}"
    return problem(request, 422, detail, field=first["field"], value=first["value"], errors=errors)


async def _http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class only
    return problem(request, error.status_code, str(error.detail))


async def _unexpected(request: Request, error: Exception) -> ProblemResponse:
    logger.error("request_failed_unexpectedly", exc_info=error, extra={"path": request.url.path})
    return problem(request, 500, "an unexpected error; the log of this moment has its cause")


def _plain(value: Any) -> Any:  # Any: whatever the caller sent
    try:
        is_small = len(json.dumps(value, allow_nan=False)) <= 200  # noqa: PLR2004  no echo of large input
    except (TypeError, ValueError):
        is_small = False
    return value if is_small else repr(value)[:200]
