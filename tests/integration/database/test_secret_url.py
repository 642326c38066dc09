"""A database URL in a secret: fetched once per container, and again when its password was changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database.connection import make_engine, transaction
from backend.database.errors import DatabaseUnavailableError
from backend.database.urls import SecretUrl, direct_url
from support.postgres import NoServerError, running_tls_server

pytestmark = pytest.mark.postgres


class Vault:
    """A secret that counts how often it was asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.n_fetches = 0

    def fetch(self) -> str:
        self.n_fetches += 1
        return self.url


@pytest.fixture
def server_url() -> Iterator[str]:
    """URL of a server that takes TLS and passwords only; the test may change its password."""
    try:
        with running_tls_server() as url:
            yield url
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL server with TLS: {error}")


def with_password(url: str, password: str) -> str:
    return make_url(url).set(password=password).render_as_string(hide_password=False)


def change_password(url: str, password: str) -> None:
    """Rotate: a new password, and no connection that still knows the old one."""
    engine = create_engine(direct_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER ROLE parakeet PASSWORD '{password}'"))
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'parakeet'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    engine.dispose()


async def one(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        return await connection.scalar(text("SELECT 1")) or 0


async def test_a_secret_is_fetched_once_and_not_before_it_is_needed(server_url: str) -> None:
    vault = Vault(server_url)
    engine = make_engine(SecretUrl(vault.fetch), pool_size=1)
    assert vault.n_fetches == 0
    assert [await one(engine), await one(engine)] == [1, 1]
    await engine.dispose()
    assert await one(engine) == 1  # connects anew, with what it knows
    assert vault.n_fetches == 1
    await engine.dispose()


async def test_a_changed_password_is_fetched_again(server_url: str) -> None:
    vault = Vault(server_url)
    engine = make_engine(SecretUrl(vault.fetch), pool_size=1)
    await one(engine)
    change_password(server_url, "another")
    vault.url = with_password(server_url, "another")
    assert await one(engine) == 1
    assert vault.n_fetches == 2
    await engine.dispose()


async def test_a_password_that_stays_wrong_is_said_without_being_shown(server_url: str) -> None:
    vault = Vault(with_password(server_url, "very-secret"))
    engine = make_engine(SecretUrl(vault.fetch), pool_size=1)
    with pytest.raises(DatabaseUnavailableError, match=r"127\.0\.0\.1.*password authentication failed") as caught:
        await one(engine)
    assert "very-secret" not in str(caught.value)
    assert vault.n_fetches == 2
    await engine.dispose()
