"""Fixtures that every level of tests shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.postgres import NoServerError, empty_database, running_server
from support.stack import Stack, deployed_stack
from support.tool_venv import NoToolError

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes says something of the machine, not of the code.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real market data outside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("PARAKEET_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "SOURCES.md").exists():
        pytest.skip(f"no shared market data at {folder} (set PARAKEET_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the test session."""
    try:
        with running_server() as url:
            yield url
    except NoServerError as error:
        pytest.skip(f"no PostgreSQL server: {error}")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database of the test's own."""
    with empty_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'trades.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, once of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def bare_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The platform as Terraform leaves it, deployed once for all tests: no schema, no data."""
    try:
        with deployed_stack(tmp_path_factory.mktemp("stack")) as stack:
            yield stack
    except (NoServerError, NoToolError) as error:
        pytest.skip(f"no stack: {error}")


@pytest.fixture(scope="session")
def stack(bare_stack: Stack) -> Stack:
    """The platform after its operator's first steps: schema by the migration Lambda, a universe, a snapshot."""
    bare_stack.take_first_steps()
    return bare_stack
