"""Every error that can reach HTTP has a status, and every body is problem+json that says what to mend."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

import aws.errors
import backend.database.errors
import backend.database.ingest_runs
import backend.ingest.errors
import backend.services.errors
import strategy.errors
from backend.errors import STATUS, install_error_handlers, status_of

MODULES = (
    aws.errors,
    backend.database.errors,
    backend.database.ingest_runs,
    backend.ingest.errors,
    backend.services.errors,
    strategy.errors,
)
#: Raised before there is a server, or where no request waits for the answer; one that gets through is a 500.
NEVER_IN_A_REQUEST = {
    aws.errors.CacheUrlError: "CACHE_URL is read, and keys are made by us, before a request is answered",
    aws.errors.SecretUnavailableError: "read once, when the container starts",
    backend.database.errors.DatabaseUrlError: "the URL is read when the process starts",
    backend.database.errors.MigrationError: "migrations run by command",
    backend.services.errors.JobCancelledError: "raised in a worker, which records it",
    backend.ingest.errors.IngestError: "ingest runs by command or schedule; a run records its failures",
}


def leaves(module: ModuleType) -> Iterator[type[Exception]]:
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == module.__name__:
            has_children = any(child.__module__ == module.__name__ for child in kind.__subclasses__())
            if not has_children or kind in STATUS:
                yield kind


EVERY_LEAF = [kind for module in MODULES for kind in leaves(module)]


def has_status(kind: type[Exception]) -> bool:
    return any(base in STATUS for base in kind.__mro__)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    quantity: float = Field(gt=0)


def application(error: Exception) -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/raises")
    async def raises() -> None:
        raise error

    @app.post("/orders")
    async def order(body: Order) -> None:
        return None

    return app


async def sent(error: Exception, method: str = "GET", path: str = "/raises", **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(application(error), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.request(method, path, **more)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["instance"] == path
    return answer


async def posted(content: bytes) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return await sent(RuntimeError(), "POST", "/orders", content=content, headers=headers)


@pytest.mark.parametrize("kind", EVERY_LEAF, ids=lambda kind: kind.__name__)
def test_every_leaf_has_a_status_or_a_reason_why_it_needs_none(kind: type[Exception]) -> None:
    assert has_status(kind) != any(base in NEVER_IN_A_REQUEST for base in kind.__mro__)


def test_the_walk_finds_the_leaves_of_every_tree() -> None:
    found = {kind.__module__ for kind in EVERY_LEAF}
    assert found == {module.__name__ for module in MODULES}
    assert len(EVERY_LEAF) >= 30


def test_the_most_specific_listed_base_decides() -> None:
    assert status_of(strategy.errors.MissingFieldError("open", ["close"])) == STATUS[strategy.errors.PanelError] == 422
    assert status_of(RuntimeError()) == 500


@pytest.mark.parametrize("kind", [backend.services.errors.RequestError, strategy.errors.ParameterError])
async def test_a_wrong_value_is_named_with_its_field(kind: Any) -> None:
    answer = await sent(kind("top_n", 0, "must be at least 1"))
    assert answer.status_code == 422
    assert answer.json() | {"field": "top_n", "value": 0, "title": "Bad input"} == answer.json()
    assert "must be at least 1" in answer.json()["detail"]


async def test_a_database_that_is_away_is_temporary() -> None:
    answer = await sent(backend.database.errors.DatabaseUnavailableError("host", "refused"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_an_error_of_http_keeps_its_status() -> None:
    answer = await sent(HTTPException(403, "not yours"))
    assert (answer.status_code, answer.json()["detail"]) == (403, "not yours")


async def test_a_path_that_is_not_there_is_a_problem_too() -> None:
    assert (await sent(RuntimeError(), path="/nowhere")).status_code == 404


async def test_an_unexpected_error_keeps_its_cause_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = await sent(RuntimeError("very-secret"))
    assert answer.status_code == 500
    assert "very-secret" not in answer.text
    assert "very-secret" in caplog.text


async def test_an_invalid_field_is_named_with_its_value() -> None:
    answer = await posted(b'{"quantity": -1}')
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["value"]) == ("quantity", -1)
    assert "greater than 0" in answer.json()["detail"]


async def test_every_invalid_field_is_listed() -> None:
    answer = await posted(b'{"quantity": 0, "colour": "red"}')
    assert [error["field"] for error in answer.json()["errors"]] == ["quantity", "colour"]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"quantity": NaN}', "nan"),
        (b'{"quantity": 1, "colour": [Infinity]}', "[inf]"),
        # Half of a surrogate pair: JSON can spell it, UTF-8 cannot hold it.
        (b'{"quantity": "\\ud800"}', "\ud800"),
    ],
)
async def test_what_json_cannot_give_back_is_refused_and_still_named(content: bytes, value: str) -> None:
    answer = await posted(content)
    assert answer.status_code == 422
    assert answer.json()["value"] == value


async def test_a_large_value_is_not_echoed_whole() -> None:
    answer = await posted(b'{"quantity": "' + b"9a" * 10_000 + b'"}')
    assert len(answer.json()["value"]) == 200
    assert len(answer.content) < 2_000
