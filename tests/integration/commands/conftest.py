"""The command in this process, which has its imports already."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from backend.config import Settings


@pytest.fixture
def parakeet(sample_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Runs commands on the test's own copy of the sample."""
    for name, value in {
        "NEON_DATABASE_URL": "",
        "DATABASE_URL": sample_settings.async_source_url(),
        "CACHE_URL": sample_settings.cache_url,
        "SWEEP_PROCESSES": "1",
        "COLUMNS": "160",
    }.items():
        monkeypatch.setenv(name, value)
    return CliRunner()
