"""Database URLs as operators have them, turned into what each driver understands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from backend.database.errors import DatabaseUrlError


class SecretUrl:
    """A PostgreSQL URL that is fetched when it is first needed, and again when the database refuses its password.

    Parameters
    ----------
    fetch : callable
        Gives the URL as it is now; blocks.
    """

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._url: str | None = None

    def current(self) -> str:
        """The URL that was fetched last."""
        return self.renewed() if self._url is None else self._url

    def renewed(self) -> str:
        """The URL as it is now."""
        self._url = self._fetch()
        return self._url


_POSTGRES = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"}
_SQLITE = {"sqlite", "sqlite+aiosqlite"}
#: libpq parameters that asyncpg does not take in a URL.
_LIBPQ_ONLY = ("sslmode", "channel_binding", "gssencmode", "options", "connect_timeout")
#: Seconds that libpq waits for a connection, where the URL does not say.
_CONNECT_TIMEOUT_S = "10"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncTarget:
    """URL and connect arguments for the asynchronous driver."""

    url: URL
    connect_args: dict[str, Any]  # Any: whatever the driver takes


def async_target(source_url: str) -> AsyncTarget:
    """Asynchronous target of a URL, be it SQLite's, or PostgreSQL's as Neon prints it.

    `sslmode` becomes asyncpg's `ssl` argument; `channel_binding`, which asyncpg does not know, is dropped.
    Both statement caches are off and statements get unique names: behind a transaction-mode pooler the next statement
    may run on another server connection, which does not know what was prepared.
    """
    url = _parsed(source_url)
    if url.drivername in _SQLITE:
        return AsyncTarget(url=url.set(drivername="sqlite+aiosqlite"), connect_args={})
    query = dict(url.query)
    ssl_mode = query.get("sslmode")
    for name in _LIBPQ_ONLY:
        query.pop(name, None)
    connect_args: dict[str, Any] = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    if ssl_mode:
        connect_args["ssl"] = ssl_mode
    return AsyncTarget(url=url.set(drivername="postgresql+asyncpg", query=query), connect_args=connect_args)


def driver_arguments(source_url: str) -> dict[str, Any]:  # Any: whatever the driver takes
    """Keyword arguments with which asyncpg itself connects to a PostgreSQL URL."""
    target = async_target(source_url)
    arguments = {name: value for name, value in target.connect_args.items() if name != "prepared_statement_cache_size"}
    return target.url.translate_connect_args(username="user") | dict(target.url.query) | arguments


def direct_url(source_url: str) -> URL:
    """Synchronous URL that bypasses Neon's pooler, for scripts and migrations (psycopg2, or sqlite3)."""
    url = _parsed(source_url)
    if url.drivername in _SQLITE:
        return url.set(drivername="sqlite")
    host = url.host or ""
    first, dot, rest = host.partition(".")
    if rest.endswith("neon.tech"):
        host = first.removesuffix("-pooler") + dot + rest
    query = {"connect_timeout": _CONNECT_TIMEOUT_S, **url.query}
    return url.set(drivername="postgresql+psycopg2", host=host or None, query=query)


def _parsed(source_url: str) -> URL:
    try:
        url = make_url(source_url)
    except (ArgumentError, ValueError):
        # Without its cause, which may quote part of the password: what follows an "@" in it is read as host and port.
        reason = "it cannot be parsed; expected postgresql://… or sqlite:///…, special characters percent-encoded"
        raise DatabaseUrlError(reason) from None
    if url.drivername not in _POSTGRES | _SQLITE:
        raise DatabaseUrlError(f"{url.drivername!r} is not supported; expected postgresql://… or sqlite:///…")
    if url.drivername in _SQLITE and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return url
