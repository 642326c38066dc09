"""The platform, deployed once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres import NoServerError
from support.stack import Stack, deployed_stack
from support.tool_venv import NoToolError


@pytest.fixture(scope="session")
def bare_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The platform as Terraform leaves it: no schema, no data."""
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
