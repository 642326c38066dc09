"""A database's own description of its tables, so that two can be compared to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, inspect, text

from backend.database.models.every import METADATA
from backend.database.urls import direct_url

_POSTGRES = """
    SELECT 'column ' || c.relname || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod) || ' null=' || (NOT a.attnotnull)::text
           || ' identity=' || a.attidentity::text || ' default=' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""
_SQLITE = """
    SELECT 'column ' || t.name || '.' || c.name,
           c.type || ' null=' || NOT c."notnull" || ' default=' || coalesce(c.dflt_value, '-')
    FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'
    UNION ALL
    SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('table', 'index')
"""
_POSTGRES_TRIGGERS = """
    SELECT 'trigger ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function ' || proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
_SQLITE_TRIGGERS = "SELECT 'trigger ' || name, sql FROM sqlite_master WHERE type = 'trigger'"


def catalog(url: str) -> dict[str, str]:
    """Name and definition of every column, constraint and index."""
    return _described(url, sqlite=_SQLITE, postgres=_POSTGRES)


def triggers(url: str) -> dict[str, str]:
    """Name and definition of every trigger, and of every function that one calls."""
    return _described(url, sqlite=_SQLITE_TRIGGERS, postgres=_POSTGRES_TRIGGERS)


def _described(url: str, *, sqlite: str, postgres: str) -> dict[str, str]:
    with _transaction(url) as connection:
        query = sqlite if connection.dialect.name == "sqlite" else postgres
        # White space is the writer's own, a definition's words are not.
        return {name: " ".join(str(definition).split()) for name, definition in connection.execute(text(query))}


def empty(url: str) -> None:
    """Drop every table."""
    with _transaction(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            return
        for table in reversed(inspect(connection).get_table_names()):
            connection.execute(text(f"DROP TABLE {table}"))


def make_from_models(url: str) -> None:
    """Create the tables as the models have them."""
    with _transaction(url) as connection:
        METADATA.create_all(connection)


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    engine = create_engine(direct_url(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
