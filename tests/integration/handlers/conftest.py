"""Containers whose environment names the test's own copy of the sample."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from backend.config import Settings
from support.containers import Containers


@pytest.fixture
def containers(sample_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Containers]:
    """Loads handlers, and shuts them down."""
    monkeypatch.setenv("DATABASE_URL", sample_settings.async_source_url())
    monkeypatch.setenv("CACHE_URL", sample_settings.cache_url)
    monkeypatch.setenv("NEON_DATABASE_URL", "")
    root = logging.getLogger()  # a container makes its handlers write JSON
    monkeypatch.setattr(root, "level", root.level)
    for handler in root.handlers:
        monkeypatch.setattr(handler, "formatter", handler.formatter)
    found = Containers()
    yield found
    found.shut_down()
