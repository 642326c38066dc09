"""Inserts of records, and such that leave alone what is there."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def insert_if_absent(connection: AsyncConnection, model: type[Any]) -> Insert:  # Any: one of the models
    """Insert of rows of which those whose key is taken change nothing."""
    # Of the table and not of the model: the ORM would look at every value on its way.
    if connection.dialect.name == "postgresql":
        return postgresql.insert(model.__table__).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415  cold start: never in AWS

    return sqlite.insert(model.__table__).on_conflict_do_nothing()


def row_of(record: DataclassInstance) -> dict[str, Any]:  # Any: columns differ in type
    """The fields of a record, as they are: `dataclasses.asdict` copies every value of a document."""
    return {field.name: getattr(record, field.name) for field in fields(record)}
