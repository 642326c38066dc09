"""Models, database/schema.sql and migrations agree, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, inspect

from backend.database.migrations import migrate
from backend.database.models.every import METADATA
from backend.database.urls import direct_url
from support.catalog import catalog, empty, make_from_models


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    migrate(database_url)
    engine = create_engine(direct_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_migrated_database_is_to_the_letter_what_the_models_make(database_url: str) -> None:
    # The database's own description of both: columns, types, nullability, defaults, keys, checks, indexes.
    migrate(database_url)
    migrated = catalog(database_url)
    empty(database_url)
    make_from_models(database_url)
    made = catalog(database_url)
    assert set(migrated) - set(made) == {name for name in migrated if "alembic_version" in name}
    assert {name: migrated[name] for name in made} == made


def test_the_description_covers_what_it_should(database_url: str) -> None:
    make_from_models(database_url)
    found = catalog(database_url)
    for table in METADATA.sorted_tables:
        assert any(name.endswith(f"{table.name}.{column.name}") for name in found for column in table.columns)
        checks = [constraint.name for constraint in table.constraints if isinstance(constraint, CheckConstraint)]
        for name in (*checks, *(index.name for index in table.indexes)):
            assert any(str(name) in described + text for described, text in found.items()), name


def test_every_check_of_the_models_is_in_the_database(database_url: str) -> None:
    migrate(database_url)
    engine = create_engine(direct_url(database_url))
    inspector = inspect(engine)
    for table in METADATA.sorted_tables:
        expected = {str(check.name) for check in table.constraints if str(check.name).startswith("ck_")}
        found = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
        assert found == expected, table.name
        assert set(inspector.get_pk_constraint(table.name)["constrained_columns"]) == {
            column.name for column in table.primary_key
        }
    engine.dispose()
