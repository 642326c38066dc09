"""Backtests as the command line orders them."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from backend.commands.honesty import print_honesty
from backend.commands.terminal import print_summaries
from backend.database.backtests import ids_that_begin
from backend.database.connection import transaction
from backend.resources import Resources
from backend.routers.backtest_requests import constraints_of
from backend.schemas.backtest import ConstraintsIn, ExecutionIn
from backend.services.backtests import BacktestRequest, run_backtest
from backend.services.errors import RequestError
from backend.services.honesty import LiveHonesty, live_honesty
from backend.services.preregistrations import Registered, extend, preregister
from backend.services.tearsheets import Part, SheetFormat, tearsheet
from strategy.allocation.constraints import Constraints
from strategy.backtest.cost_presets import PRESETS
from strategy.backtest.spec import Execution


def parsed_request(
    strategy: str,
    universe: str,
    params: Sequence[str],
    *,
    span: tuple[dt.date | None, dt.date | None],
    costs: str,
    execution: Mapping[str, Any],  # Any: fields of Execution, checked by it
) -> BacktestRequest:
    """Request of the options; `RequestError` names the one that is wrong."""
    if costs not in PRESETS:
        raise RequestError("costs", costs, f"known are {', '.join(PRESETS)}")
    start, end = span
    return BacktestRequest(
        strategy=strategy,
        universe=universe,
        parameters=dict(named_value(text) for text in params),
        start=start,
        end=end,
        costs=PRESETS[costs],
        execution=Execution(**execution),
    )


def parsed_constraints(text: str | None) -> Constraints | None:
    """Constraints of a JSON object; `RequestError` says what is wrong with it."""
    if text is None:
        return None
    with refusals("constraints"):
        return constraints_of(ConstraintsIn.model_validate_json(text))


def execution_settings(texts: Sequence[str]) -> dict[str, Any]:  # Any: fields of Execution
    """Settings of the execution from texts "name=value"; `RequestError` names the one that is unknown or wrong."""
    settings = dict(named_value(text, option="execution", example="cash_rate=0.03") for text in texts)
    with refusals("execution"):
        checked = ExecutionIn.model_validate(settings)
    return {name: getattr(checked, name) for name in settings}


@contextmanager
def refusals(*option: str) -> Iterator[None]:
    """What a schema refuses is said of the option, if there is one, and the first field of it that is wrong."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (*option, *first["loc"]))
        raise RequestError(place, first["input"], first["msg"]) from error


async def stored_documents(resources: Resources, requests: Sequence[BacktestRequest]) -> list[str]:
    """Documents of the requests, computed where they are not stored yet."""
    return [
        (await run_backtest(resources.engine, resources.store, request, origin="cli")).document for request in requests
    ]


async def written_tearsheet(
    resources: Resources,
    beginning: str,
    *,
    form: Literal["html", "pdf", "csv", "parquet"],
    part: Part,
    out: Path | None,
) -> Path:
    """Write the tearsheet of the backtest whose id begins so, and return where.

    Raises
    ------
    UnknownBacktestError
        If there is none.
    RequestError
        If there are several, or the file cannot be written.
    NoBrowserError
        If a PDF is asked for where no browser is.
    """
    backtest_id = await full_id(resources, beginning)
    path = out or Path(f"{backtest_id[:12]}{'' if form in {'html', 'pdf'} else f'-{part}'}.{form}")
    sheet_form: SheetFormat = "html" if form == "pdf" else form
    body = await tearsheet(resources.engine, resources.store, backtest_id, form=sheet_form, part=part)
    if form == "pdf":
        from backend.services.tearsheet.pdf import pdf_of  # noqa: PLC0415  start-up

        body = await asyncio.to_thread(pdf_of, body.decode())
    try:
        path.write_bytes(body)
    except OSError as error:
        raise RequestError("out", str(path), f"cannot be written ({error.strerror}); name another file") from error
    return path


async def full_id(resources: Resources, beginning: str) -> str:
    """The id that begins so, or the beginning itself where none does; `RequestError` when several do."""
    async with transaction(resources.engine) as connection:
        ids = await ids_that_begin(connection, beginning)
    if len(ids) > 1:
        raise RequestError("backtest_id", beginning, "several ids begin so; give more of it")
    return ids[0] if ids else beginning


def print_result(document: Mapping[str, Any], live: LiveHonesty) -> None:  # Any: a JSON document
    """The figures of a backtest, and below them what speaks for and against it."""
    print_summaries([document])
    print_honesty(document, live)


async def extended_preregistration(resources: Resources, request: BacktestRequest, reason: str) -> Registered:
    """Freeze a request, and run it up to the newest snapshot."""
    frozen = await preregister(resources.engine, resources.store, request, reason=reason)
    return await extend(resources.engine, resources.store, frozen.id)


async def audited_document(resources: Resources, request: BacktestRequest) -> tuple[str, LiveHonesty]:
    """Document of a request, and what the ledger says of it now."""
    stored = await run_backtest(resources.engine, resources.store, request, origin="cli")
    return stored.document, await live_honesty(resources.engine, resources.store, stored.id)


def named_value(text: str, *, option: str = "param", example: str = "lookback=252") -> tuple[str, Any]:
    """Name and JSON value of "name=value"; a text that is no JSON stands for itself."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise RequestError(option, text, f"write name=value, for example --{option} {example}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
