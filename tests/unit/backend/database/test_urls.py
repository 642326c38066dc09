"""Database URLs as operators have them, for each driver."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from asyncpg.connect_utils import SSLMode

from backend.database.errors import DatabaseUrlError
from backend.database.urls import async_target, direct_url

#: As Neon's console prints it; the password is p@ss.
NEON = "postgresql://user:p%40ss@ep-x-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require&channel_binding=require"


def test_a_neon_url_is_split_into_what_asyncpg_takes() -> None:
    target = async_target(NEON)
    assert target.url.drivername == "postgresql+asyncpg"
    assert (target.url.username, target.url.password) == ("user", "p@ss")
    assert target.url.host == "ep-x-pooler.us-east-2.aws.neon.tech"
    assert target.url.database == "neondb"
    assert dict(target.url.query) == {}
    assert target.connect_args == {"ssl": "require", "statement_cache_size": 0, "prepared_statement_cache_size": 0}


def test_the_ssl_mode_is_one_that_asyncpg_knows() -> None:
    assert SSLMode.parse(async_target(NEON).connect_args["ssl"]) is SSLMode.require


def test_the_direct_url_of_a_neon_url_bypasses_the_pooler_and_keeps_its_query() -> None:
    url = direct_url(NEON)
    assert url.drivername == "postgresql+psycopg2"
    assert (url.username, url.password) == ("user", "p@ss")
    assert url.host == "ep-x.us-east-2.aws.neon.tech"
    assert dict(url.query) == {"sslmode": "require", "channel_binding": "require", "connect_timeout": "10"}


def test_a_host_that_is_not_neon_keeps_its_name() -> None:
    assert direct_url("postgresql://u:p@my-pooler.example.org/db").host == "my-pooler.example.org"


def test_a_connect_timeout_of_the_operator_stays_for_psycopg2_and_is_nothing_to_asyncpg() -> None:
    url = "postgresql://u:p@host/db?connect_timeout=3"
    assert dict(direct_url(url).query) == {"connect_timeout": "3"}
    assert dict(async_target(url).url.query) == {}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_is_understood(scheme: str) -> None:
    url = f"{scheme}://u:p@localhost:5433/db"
    assert async_target(url).url.render_as_string() == "postgresql+asyncpg://u:***@localhost:5433/db"
    assert direct_url(url).drivername == "postgresql+psycopg2"


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_sqlite_gets_a_driver_for_each_side_and_its_folder_is_made(scheme: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / "trades.db"
    target = async_target(f"{scheme}:///{file}")
    assert str(target.url) == f"sqlite+aiosqlite:///{file}"
    assert target.connect_args == {}
    assert str(direct_url(f"{scheme}:///{file}")) == f"sqlite:///{file}"
    assert file.parent.is_dir()


@pytest.mark.parametrize(
    "url",
    [
        "very-secret",
        "",
        "mysql://u:very-secret@host/db",
        # An "@" that was not percent-encoded: the parser takes the rest of the password for host and port.
        "postgresql://u:p@ss:very-secret@host/db",
        "postgresql://u:p@host:very-secret/db",
    ],
)
def test_a_bad_url_is_refused_without_repeating_it(url: str) -> None:
    for parse in (async_target, direct_url):
        with pytest.raises(DatabaseUrlError, match="postgresql://…") as caught:
            parse(url)
        assert "very-secret" not in "".join(traceback.format_exception(caught.value))
