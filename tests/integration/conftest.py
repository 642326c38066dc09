"""A platform that holds the bundled sample, made once, copied for tests that write."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.config import Settings
from backend.main import make_main_app
from support.platform import opened, set_up_sample, settings_in


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a platform with the sample ingested; read only."""
    folder = tmp_path_factory.mktemp("sample")
    set_up_sample(folder)
    return folder


@pytest.fixture
def sample_settings(sample_folder: Path, tmp_path: Path) -> Settings:
    """Settings of the test's own copy of that platform."""
    folder = tmp_path / "platform"
    shutil.copytree(sample_folder, folder)
    return settings_in(folder)


@pytest.fixture
async def client(sample_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP client of the whole API on the test's own copy of the sample."""
    async with opened(sample_settings) as resources:
        transport = httpx.ASGITransport(make_main_app(resources), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as http:
            yield http
