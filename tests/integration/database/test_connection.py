"""Connections: as Neon wants them, through a pooler, after a freeze, and to a database that sleeps."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from time import monotonic
from typing import Any

import asyncpg
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.binary_copy import Bytes, binary_copy
from backend.database.connection import copy_in, make_engine, reading, transaction
from backend.database.errors import DatabaseUnavailableError
from backend.database.migrations import current_revision, head_revision, migrate
from backend.database.urls import direct_url
from support.postgres import NoServerError, free_port, running_pooler, running_tls_server
from support.proxy import Greeting, answer_that_it_starts, door, hang_up, say_nothing

IS_TLS = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
PID = "SELECT pg_backend_pid()"
TERMINATE = "SELECT pg_terminate_backend(:pid)"
LEASE = pa.table(
    {
        "name": ["a"],
        "owner": ["b"],
        "expires_at": pa.array([dt.datetime(2024, 1, 8, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
    }
)


@pytest.fixture(scope="module")
def neon_url() -> Iterator[str]:
    """URL, as Neon prints it, of a server that takes TLS and passwords only."""
    try:
        with running_tls_server() as url:
            yield url
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL server with TLS: {error}")


@pytest.fixture
def pooled_url(neon_url: str) -> Iterator[str]:
    """The same behind a pgbouncer in transaction mode with three server connections."""
    try:
        with running_pooler(neon_url, server_connections=3) as url:
            yield url
    except NoServerError as error:
        pytest.skip(f"no pooler: {error}")


async def scalar(engine: AsyncEngine, statement: str, **values: object) -> Any:  # Any: whatever the database answers
    async with transaction(engine) as connection:
        return await connection.scalar(text(statement), values)


async def scalar_of(url: str, statement: str, *, timeout_s: float = 10.0) -> Any:  # Any: whatever the database answers
    engine = make_engine(url, pool_size=1, connect_timeout_s=timeout_s)
    try:
        return await scalar(engine, statement)
    finally:
        await engine.dispose()


def at_port(url: str, port: int) -> str:
    return make_url(url).set(port=port).render_as_string(hide_password=False)


def port_of(url: str) -> int:
    port = make_url(url).port
    assert port is not None
    return port


@pytest.mark.postgres
async def test_a_neon_url_works_unchanged_with_the_application(neon_url: str) -> None:
    assert await scalar_of(neon_url, IS_TLS) is True


@pytest.mark.postgres
def test_a_neon_url_works_unchanged_with_migrations(neon_url: str) -> None:
    migrate(neon_url)
    assert current_revision(neon_url) == head_revision()
    engine = create_engine(direct_url(neon_url))
    with engine.connect() as connection:
        assert connection.scalar(text(IS_TLS)) is True
    engine.dispose()


@pytest.mark.postgres
async def test_a_wrong_password_is_told_without_repeating_it(neon_url: str) -> None:
    url = make_url(neon_url).set(password="very-secret").render_as_string(hide_password=False)
    with pytest.raises(DatabaseUnavailableError, match="password authentication failed") as caught:
        await scalar_of(url, PID)
    assert "very-secret" not in str(caught.value)
    with pytest.raises(DatabaseUnavailableError, match="password authentication failed"):
        current_revision(url)


@pytest.mark.postgres
async def test_eight_containers_send_2000_statements_through_a_transaction_pooler(pooled_url: str) -> None:
    engines = [make_engine(pooled_url, pool_size=1) for _ in range(8)]

    async def one(number: int) -> tuple[int, int, str]:
        async with transaction(engines[number % 8]) as connection:
            total = await connection.scalar(text("SELECT CAST(:a AS int) + CAST(:b AS int)"), {"a": number, "b": 1})
            word = await connection.scalar(text("SELECT repeat(:word, :n)"), {"word": "x", "n": number % 7})
            return await connection.scalar(text(PID)) or 0, total, word

    n_transactions = 667  # of three statements each
    found = await asyncio.gather(*(one(number) for number in range(n_transactions)))
    for engine in engines:
        await engine.dispose()
    expected = [(number + 1, "x" * (number % 7)) for number in range(n_transactions)]
    assert [(total, word) for _, total, word in found] == expected
    # Eight clients shared at most the pooler's three server connections, and really more than one.
    assert 1 < len({pid for pid, _, _ in found}) <= 3


@pytest.mark.postgres
async def test_a_failed_transaction_behind_the_pooler_leaves_nothing_behind(pooled_url: str, neon_url: str) -> None:
    migrate(neon_url)
    engine = make_engine(pooled_url)
    insert = "INSERT INTO leases VALUES ('pooled', 'me', now())"

    async def twice() -> None:
        async with transaction(engine) as connection:
            await connection.execute(text(insert))
            await connection.execute(text(insert))

    with pytest.raises(IntegrityError):
        await twice()
    assert await scalar(engine, "SELECT count(*) FROM leases WHERE name = 'pooled'") == 0
    await engine.dispose()


@pytest.mark.postgres
async def test_a_connection_that_the_server_closed_is_replaced_unnoticed(postgres_url: str) -> None:
    engine = make_engine(postgres_url, pool_size=1)
    before = await scalar(engine, PID)
    assert await scalar(engine, PID) == before
    assert await scalar_of(postgres_url, f"SELECT pg_terminate_backend({before})") is True
    assert await scalar(engine, PID) != before
    await engine.dispose()


@pytest.mark.postgres
async def test_no_statement_stays_prepared_on_a_connection(postgres_url: str) -> None:
    engine = make_engine(postgres_url, pool_size=1)
    for number in range(3):
        assert await scalar(engine, "SELECT CAST(:a AS int)", a=number) == number
    assert await scalar(engine, "SELECT count(*) FROM pg_prepared_statements") == 0
    await engine.dispose()


async def test_what_is_read_is_what_was_committed_and_the_next_transaction_is_one_again(database_url: str) -> None:
    migrate(database_url)
    engine = make_engine(database_url, pool_size=2)
    insert, count = (
        text("INSERT INTO leases VALUES (:name, 'me', '2024-01-01 00:00:00.000000')"),
        "SELECT count(*) FROM leases",
    )

    async def n_read() -> int:
        async with reading(engine) as connection:
            return await connection.scalar(text(count)) or 0

    async with transaction(engine) as connection:
        await connection.execute(insert, {"name": "a"})
        assert await n_read() == 0
    assert await n_read() == 1

    async def fail() -> None:
        async with transaction(engine) as connection:
            await connection.execute(insert, {"name": "b"})
            raise LookupError

    # On the connections that read before.
    await asyncio.gather(*(n_read() for _ in range(2)))
    with pytest.raises(LookupError):
        await fail()
    assert await n_read() == 1
    await engine.dispose()


@pytest.mark.postgres
async def test_what_only_reads_needs_no_transaction_behind_the_pooler(pooled_url: str) -> None:
    engines = [make_engine(pooled_url, pool_size=1) for _ in range(6)]

    async def one(number: int) -> tuple[int, str]:
        async with reading(engines[number % 6]) as connection:
            total = await connection.scalar(text("SELECT CAST(:a AS int) + 1"), {"a": number})
            return total or 0, await connection.scalar(text("SELECT repeat(:word, :n)"), {"word": "x", "n": number % 7})

    found = await asyncio.gather(*(one(number) for number in range(300)))
    assert found == [(number + 1, "x" * (number % 7)) for number in range(300)]
    for engine in engines:
        await engine.dispose()


@pytest.mark.postgres
async def test_a_connection_lost_in_a_transaction_is_the_database_being_away(postgres_url: str) -> None:
    engine = make_engine(postgres_url, pool_size=1)
    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1"):
        await scalar(engine, f"SELECT pg_terminate_backend(({PID}))")
    assert await scalar(engine, "SELECT 1") == 1
    await engine.dispose()


@pytest.mark.postgres
async def test_a_database_that_does_not_exist_is_told_by_name(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nowhere").render_as_string()
    with pytest.raises(DatabaseUnavailableError, match='"nowhere" does not exist'):
        await scalar_of(url, PID)


@pytest.mark.postgres
@pytest.mark.parametrize("greeting", [hang_up, answer_that_it_starts])
async def test_a_server_that_is_still_waking_is_tried_again(postgres_url: str, greeting: Greeting) -> None:
    async with door(port_of(postgres_url), greeting, n_kept_out=3) as (kept, port):
        assert await scalar_of(at_port(postgres_url, port), "SELECT 42") == 42
    assert kept.callers == 4


@pytest.mark.postgres
async def test_a_server_that_listens_late_is_waited_for(postgres_url: str) -> None:
    port = free_port()
    asking = asyncio.create_task(scalar_of(at_port(postgres_url, port), "SELECT 42"))
    for _ in range(20):  # each gives the asking task its turn, and shows that nobody listens yet
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    async with door(port_of(postgres_url), hang_up, n_kept_out=0, port=port):
        assert await asking == 42


@pytest.mark.parametrize("greeting", [hang_up, answer_that_it_starts, say_nothing])
async def test_a_server_that_never_wakes_is_given_up_in_time(greeting: Greeting) -> None:
    async with door(0, greeting, n_kept_out=float("inf")) as (_, port):
        begin = monotonic()
        with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1 does not answer"):
            await scalar_of(f"postgresql://u:very-secret@127.0.0.1:{port}/db", PID, timeout_s=0.4)
        # Half a second on top for a slow machine; far below twice the time allowed.
        assert monotonic() - begin < 0.9


async def test_a_server_that_is_not_there_is_given_up_in_time() -> None:
    begin = monotonic()
    with pytest.raises(DatabaseUnavailableError) as caught:
        await scalar_of(f"postgresql://u:very-secret@127.0.0.1:{free_port()}/db", PID, timeout_s=0.3)
    assert monotonic() - begin < 0.8
    assert "very-secret" not in str(caught.value)


async def test_migrations_give_a_silent_server_up_in_the_time_that_the_url_allows() -> None:
    async with door(0, say_nothing, n_kept_out=float("inf")) as (_, port):
        begin = monotonic()
        # Two seconds are the least that libpq knows.
        url = f"postgresql://u:very-secret@127.0.0.1:{port}/db?connect_timeout=2"
        with pytest.raises(DatabaseUnavailableError, match="timeout"):
            await asyncio.to_thread(current_revision, url)
        assert monotonic() - begin < 4


async def test_sqlite_keeps_foreign_keys_and_lets_readers_on_while_it_writes(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    assert await scalar(engine, "PRAGMA foreign_keys") == 1
    assert await scalar(engine, "PRAGMA journal_mode") == "wal"
    assert await scalar(engine, "PRAGMA busy_timeout") == 30_000
    await engine.dispose()


async def test_sqlite_refuses_an_orphan(sqlite_url: str) -> None:
    migrate(sqlite_url)
    engine = make_engine(sqlite_url)
    orphan = """INSERT INTO ingest_failures (run_id, ticker, error_class, reason, payload)
                VALUES ('nobody', 'A', 'TIMEOUT', 'late', '{}')"""
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        await scalar(engine, orphan)
    await engine.dispose()


@pytest.mark.parametrize("error", [FileNotFoundError("bars.csv"), ConnectionResetError("a vendor")], ids=repr)
async def test_an_error_of_files_or_vendors_within_a_transaction_stays_what_it_is(
    database_url: str, error: OSError
) -> None:
    engine = make_engine(database_url)

    async def fail() -> None:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT 1"))
            raise error

    with pytest.raises(type(error)) as caught:
        await fail()
    assert caught.value is error
    await engine.dispose()


async def interrupted(parts: AsyncIterator[Bytes], by: Callable[[], Awaitable[object]]) -> AsyncIterator[Bytes]:
    """The parts, with something else happening after each."""
    async for part in parts:
        yield part
        await by()


@pytest.mark.postgres
async def test_a_connection_lost_within_a_copy_is_the_database_being_away(postgres_url: str) -> None:
    migrate(postgres_url)
    engine, other = make_engine(postgres_url), make_engine(postgres_url)

    async def copy_and_lose() -> None:
        async with transaction(engine) as connection:
            pid = await connection.scalar(text(PID))
            parts = interrupted(binary_copy(LEASE), lambda: scalar(other, TERMINATE, pid=pid))
            await copy_in(connection, "leases", LEASE.column_names, parts)

    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1"):
        await copy_and_lose()
    assert await scalar(engine, "SELECT count(*) FROM leases") == 0
    await engine.dispose()
    await other.dispose()


@pytest.mark.postgres
async def test_a_copy_that_the_server_refuses_is_no_lost_connection(postgres_url: str) -> None:
    migrate(postgres_url)
    engine = make_engine(postgres_url)

    async def copy_twice() -> None:
        async with transaction(engine) as connection:
            for _ in range(2):
                await copy_in(connection, "leases", LEASE.column_names, binary_copy(LEASE))

    with pytest.raises(asyncpg.UniqueViolationError):
        await copy_twice()
    await engine.dispose()


async def test_what_a_transaction_wrote_is_gone_when_it_fails(database_url: str) -> None:
    migrate(database_url)
    engine = make_engine(database_url)
    insert = text("INSERT INTO leases VALUES ('kept', 'me', '2024-01-01 00:00:00.000000')")

    async def fail_after_writing() -> None:
        async with transaction(engine) as connection:
            await connection.execute(insert)
            raise LookupError

    with pytest.raises(LookupError):
        await fail_after_writing()
    assert await scalar(engine, "SELECT count(*) FROM leases") == 0
    await engine.dispose()
