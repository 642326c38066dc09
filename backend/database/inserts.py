"""Inserts that leave alone what is there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_if_absent(connection: AsyncConnection, model: type[Any]) -> Insert:  # Any: one of the models
    """Insert of rows of which those whose key is taken change nothing."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(model).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415  cold start: never in AWS

    return sqlite.insert(model).on_conflict_do_nothing()
