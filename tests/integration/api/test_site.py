"""The built page, served by the process that serves the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.config import Settings
from backend.main import make_main_app
from support.platform import opened

PAGE = "<!doctype html><title>the page</title>"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Folder of a built page, and a secret beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "assets" / "index-abc123.js").write_text("export {}", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return folder


@pytest.fixture
async def browser(sample_settings: Settings, site: Path) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP client of page and API."""
    async with opened(sample_settings) as resources:
        transport = httpx.ASGITransport(make_main_app(resources, site=site), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield http


@pytest.mark.parametrize("path", ["/", "/backtests", "/data/SAMPLE_US5/AAPL", "/strategies/dual_momentum?p.top_n=2"])
async def test_every_address_of_a_view_gives_the_page_anew(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_files_are_kept_and_settings_are_not(browser: httpx.AsyncClient) -> None:
    script = await browser.get("/assets/index-abc123.js")
    assert "immutable" in script.headers["cache-control"]
    assert "javascript" in script.headers["content-type"]
    assert (await browser.get("/config.json")).headers["cache-control"] == "no-cache"


async def test_a_missing_script_is_missing_and_no_page(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/index-old.js")
    assert answer.status_code == 404
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/data/universes", 200),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("POST", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/data/universes", 405),
    ],
)
async def test_the_api_answers_for_itself(browser: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await browser.request(method, path)
    assert answer.status_code == status
    assert "json" in answer.headers["content-type"]


async def test_the_documentation_of_the_api_stays_where_it_is(browser: httpx.AsyncClient) -> None:
    assert "swagger" in (await browser.get("/docs")).text
    assert (await browser.get("/openapi.json")).json()["info"]["title"] == "Potential Parakeet"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "//etc/hostname",
        "/%2fetc/hostname",
        "/..%5csecret.txt",
        "/%00",
    ],
)
async def test_nothing_outside_the_folder_is_served(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(httpx.URL("http://test").copy_with(raw_path=path.encode()))
    assert "secret" not in answer.text
    assert answer.status_code == 404 or answer.text == PAGE


async def test_a_page_that_was_not_built_says_what_to_do(sample_settings: Settings, tmp_path: Path) -> None:
    async with opened(sample_settings) as resources:
        transport = httpx.ASGITransport(make_main_app(resources, site=tmp_path / "nowhere"))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            answer = await http.get("/")
    assert answer.status_code == 404
    assert "scripts/run" in answer.text
