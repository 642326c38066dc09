"""A real browser, and the page on a laptop and on the deployed stack."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.site import Site, deployed_site, keep, laptop_site
from support.tool_venv import NoToolError

#: Chromium's own services would be refused, many at a time, where the network is closed.
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it; ended with the module, since its loop would be in the way of other tests."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=_QUIET)
        yield started
        started.close()


@pytest.fixture(scope="module", params=["laptop", "deployed"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page, once served by `parakeet serve` on really ingested data, once by the deployed stack."""
    try:
        if request.param == "laptop":
            with laptop_site(tmp_path_factory.mktemp("laptop")) as found:
                yield found
        else:
            with deployed_site(request.getfixturevalue("stack")) as found:
                yield found
    except NoToolError as error:
        pytest.skip(str(error))


@pytest.fixture
def page(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new browser's page of a laptop's size, whose screen is kept when the test ends."""
    width, height = getattr(request, "param", (1280, 900))
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light", locale="en-AU")
    opened = context.new_page()
    foreign: list[str] = []
    errors: list[str] = []
    known = (site.url, "data:", "blob:")
    opened.on("request", lambda asked: foreign.append(asked.url) if not asked.url.startswith(known) else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.set_default_timeout(20_000)
    yield opened
    keep(opened, re.sub(r"[^a-zA-Z0-9_-]+", "-", request.node.name).strip("-"))
    context.close()
    assert errors == []
    # A laptop's page asks nobody else; a deployed one only whoever signs its owner in.
    assert site.has_sign_in or foreign == []
