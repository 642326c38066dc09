"""Schema migrations: Alembic on the direct URL, one migrator at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from backend.database.errors import DatabaseUnavailableError, MigrationError
from backend.database.urls import direct_url

SCRIPTS = Path(__file__).resolve().parents[2] / "database" / "migrations"
#: Any fixed number: the advisory lock that migrators of one database share.
_LOCK_KEY = 0x50A4AEE7


def head_revision() -> str:
    """Newest revision of the code."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current_revision(source_url: str) -> str | None:
    """Revision of the database; None when it was never migrated."""
    with _connection(source_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(source_url: str) -> tuple[str | None, str]:
    """Upgrade to the head revision, and return the revision before and after; harmless to repeat.

    The whole upgrade is one transaction, so a failure leaves the schema as it was. A PostgreSQL advisory lock of that
    transaction (SQLite: its write lock) lets a second migrator wait and then find nothing to do. `MigrationError` when
    the database refuses, for instance since it holds a table of the same name that is not ours.
    """
    with _connection(source_url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        before = MigrationContext.configure(connection).get_current_revision()
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except OperationalError as error:
            if error.connection_invalidated:
                raise
            # SQLite says so too when a statement is refused.
            raise MigrationError(_name(connection.engine), _first_line(error)) from error
    return before, head_revision()


def pending_sql(source_url: str) -> str:
    """SQL that `migrate` would execute now; empty when the schema is up to date."""
    current = current_revision(source_url)
    if current == head_revision():
        return ""
    buffer = io.StringIO()
    config = _config(buffer)
    config.attributes["dialect"] = direct_url(source_url).get_dialect().name
    command.upgrade(config, f"{current}:head" if current else "head", sql=True)
    return buffer.getvalue()


@contextmanager
def _connection(source_url: str) -> Iterator[Connection]:
    engine: Engine = create_engine(direct_url(source_url))
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        raise DatabaseUnavailableError(_name(engine), _first_line(error)) from error
    except DBAPIError as error:
        raise MigrationError(_name(engine), _first_line(error)) from error
    finally:
        engine.dispose()


def _name(engine: Engine) -> str:
    return engine.url.host or engine.url.database or "?"


def _first_line(error: DBAPIError) -> str:
    return next(iter(str(error.orig).splitlines()), "no reason given")


def _config(buffer: io.StringIO | None = None) -> Config:
    config = Config() if buffer is None else Config(output_buffer=buffer)
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    return config
