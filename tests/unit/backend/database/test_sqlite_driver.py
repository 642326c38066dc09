"""Our adapter of aiosqlite: what SQLAlchemy's own gives, at one trip to the connection's thread for a statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from backend.database.connection import make_engine, transaction

INSERT = text("INSERT INTO numbers (name) VALUES (:name)")
#: Takes seconds unless it is interrupted.
ENDLESS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
             INSERT INTO numbers (name) SELECT 'endless' || i FROM n"""


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine with one empty table."""
    made = make_engine(sqlite_url)
    async with transaction(made) as connection:
        await connection.execute(text("CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
    yield made
    await made.dispose()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to a connection's thread, by name."""
    found: list[str] = []
    original: Any = aiosqlite.Connection._execute  # Any, here and below: as aiosqlite has no types for it

    async def noted(self: aiosqlite.Connection, job: Any, *arguments: Any, **named: Any) -> Any:
        found.append(job.__name__)
        return await original(self, job, *arguments, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
    return found


async def names(engine: AsyncEngine) -> list[str]:
    async with transaction(engine) as connection:
        return list((await connection.scalars(text("SELECT name FROM numbers ORDER BY id"))).all())


async def test_a_statement_is_one_trip_and_what_only_reads_has_nothing_to_commit(
    engine: AsyncEngine, trips: list[str]
) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT 1"))
        await connection.execute(text("SELECT 2"))
    assert trips == ["job", "job"]
    trips.clear()
    async with transaction(engine) as connection:
        await connection.execute(INSERT, {"name": "a"})
    assert trips == ["job", "commit"]


async def test_results_are_those_of_the_adapter_of_sqlalchemy(engine: AsyncEngine) -> None:
    theirs = create_async_engine(engine.url)
    statements: list[tuple[str, Any]] = [  # Any: one set of values, or several
        ("INSERT INTO numbers (name) VALUES (:name)", [{"name": "a"}, {"name": "b"}]),
        ("INSERT INTO numbers (name) VALUES (:name) RETURNING id, upper(name) AS loud", {"name": "c"}),
        ("SELECT id, name AS n, NULL AS unknown, x'00ff' AS bytes, 0.5 AS half FROM numbers ORDER BY id", {}),
        ("SELECT name FROM numbers WHERE id > 99", {}),
        ("UPDATE numbers SET name = name || '!' WHERE id > :id", {"id": 1}),
        ("DELETE FROM numbers", {}),
    ]
    found = []
    for each in (engine, theirs):
        async with transaction(each) as connection:
            results = [await connection.execute(text(statement), values) for statement, values in statements]
            found.append(
                [
                    (list(result.keys()), result.all()) if result.returns_rows else ([], result.rowcount)
                    for result in results
                ]
            )
    assert found[0] == found[1]
    assert found[0][1] == (["id", "loud"], [(3, "C")])
    await theirs.dispose()


async def test_an_error_is_told_as_such_and_undoes_the_transaction_alone(engine: AsyncEngine) -> None:
    async def twice() -> None:
        async with transaction(engine) as connection:
            await connection.execute(INSERT, {"name": "a"})
            await connection.execute(INSERT, {"name": "a"})

    with pytest.raises(IntegrityError, match="UNIQUE"):
        await twice()
    with pytest.raises(OperationalError, match="no such table"):
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT * FROM nowhere"))
    async with transaction(engine) as connection:
        await connection.execute(INSERT, {"name": "b"})
    assert await names(engine) == ["b"]


async def test_a_statement_that_is_cancelled_while_it_runs_leaves_no_transaction_open(engine: AsyncEngine) -> None:
    has_begun = asyncio.Event()

    async def write() -> None:
        async with transaction(engine) as connection:
            await connection.execute(INSERT, {"name": "a"})
            has_begun.set()
            await connection.execute(text(ENDLESS))

    writing = asyncio.create_task(write())
    await has_begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    # It would wait for the lock if what was cancelled held it still.
    async with transaction(engine) as connection:
        await connection.execute(INSERT, {"name": "b"})
    assert await names(engine) == ["b"]


async def test_a_database_in_memory_lives_as_long_as_its_engine() -> None:
    engine = make_engine("sqlite://")
    async with transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE numbers (id INTEGER PRIMARY KEY, name TEXT)"))
        await connection.execute(INSERT, {"name": "a"})
    assert await names(engine) == ["a"]
    await engine.dispose()
