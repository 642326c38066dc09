"""What all models share.

They are the same as database/schema.sql, where the columns are documented; on SQLite they make the tables. They carry
no relationships: each repository states its joins.
"""

import datetime as dt

from sqlalchemy import JSON, CheckConstraint, Date, Double, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from backend.database.column_types import JsonObject, UtcDateTime


class Base(DeclarativeBase):
    """Column types shared by all models."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own protocol
        str: Text(),
        float: Double(),
        dt.date: Date(),
        dt.datetime: UtcDateTime(),
        # None is SQL's NULL, not JSON's null.
        JsonObject: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    }


def check(table: str, name: str, condition: str) -> CheckConstraint:
    """A constraint under the name that the schema has for it."""
    return CheckConstraint(condition, name=f"ck_{table}_{name}")


#: The moment of the transaction.
NOW = func.now()
