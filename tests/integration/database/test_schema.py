"""Models, database/schema.sql and migrations agree, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect

from backend.database.migrations import current_revision, head_revision, migrate, pending_sql
from backend.database.models import Base
from backend.database.urls import direct_url


def migrated(url: str) -> Engine:
    migrate(url)
    return create_engine(direct_url(url))


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    engine = migrated(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_check_of_the_models_is_in_the_database(database_url: str) -> None:
    engine = migrated(database_url)
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        expected = {str(check.name) for check in table.constraints if str(check.name).startswith("ck_")}
        found = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
        assert found == expected, table.name
        assert set(inspector.get_pk_constraint(table.name)["constrained_columns"]) == {
            column.name for column in table.primary_key
        }
    engine.dispose()


def test_migrating_twice_does_nothing_the_second_time(database_url: str) -> None:
    assert current_revision(database_url) is None
    assert "CREATE TABLE market_data" in pending_sql(database_url)
    assert migrate(database_url) == (None, head_revision())
    assert migrate(database_url) == (head_revision(), head_revision())
    assert pending_sql(database_url) == ""
