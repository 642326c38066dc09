"""What a person does, in a real browser: the same journeys on a laptop and on the deployed stack."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from support.site import Site
from support.tool_venv import ROOT

UNIVERSE = "SAMPLE_US5"
PHONE = (390, 844)
FORM = f"/strategies/dual_momentum?universe={UNIVERSE}"
RUN = re.compile("Run the backtest|Try again")


def run_dual_momentum(page: Page, site: Site, *, top_n: str) -> str:
    """Fill in the form, run it, and wait for its result; gives the id."""
    site.open(page, FORM)
    page.get_by_label(re.compile("^Top n")).last.fill(top_n)
    page.get_by_role("button", name=RUN).click()
    page.wait_for_url(re.compile("/backtests/[0-9a-f]{64}"))
    return page.url.rpartition("/")[2]


def grave_obstacles(page: Page) -> list[tuple[str, str]]:
    """What axe finds to be serious or critical."""
    page.wait_for_load_state("networkidle")
    # Not as a script of the page, which its content security policy would refuse.
    page.evaluate((ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [(item["id"], item["help"]) for item in found["violations"] if item["impact"] in {"serious", "critical"}]


def test_the_data_are_refreshed_and_watched_to_the_end(page: Page, site: Site) -> None:
    site.open(page, "/data")
    page.get_by_role("button", name=f"Refresh {UNIVERSE}").click()
    expect(page.get_by_role("status").filter(has_text="Refreshed")).to_be_visible(timeout=60_000)
    with site.api() as api:
        runs = api.get("/data/runs", params={"universe": UNIVERSE}).json()["data"]
    assert runs[0]["status"] == "succeeded"


def test_dual_momentum_shows_the_figures_of_the_api(page: Page, site: Site) -> None:
    found = site.figures(run_dual_momentum(page, site, top_n="2"))
    figures = page.get_by_role("list", name="Figures")
    # The page shows a fraction as a percentage of three or four digits; its first three are compared.
    for key, title in (("cagr", "CAGR"), ("max_drawdown", "Max drawdown"), ("volatility", "Volatility")):
        shown = figures.get_by_role("listitem").filter(has_text=title).inner_text().replace("\N{MINUS SIGN}", "-")
        number = re.search(r"([+-]?[0-9.]+)\s%", shown)
        assert number is not None, shown
        assert float(number.group(1)) == pytest.approx(found[key] * 100, abs=0.06), key
    sharpe = figures.get_by_role("listitem").filter(has_text="Sharpe").inner_text()
    assert f"{found['sharpe']:.4g}" in sharpe  # four significant digits


def test_a_bad_parameter_says_why_beside_its_field(page: Page, site: Site) -> None:
    site.open(page, FORM)
    field = page.get_by_label(re.compile("^Top n")).last
    field.fill("0")
    expect(page.get_by_role("alert").filter(has_text="At least 1")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name=RUN)).to_be_disabled()
    field.fill("2")
    expect(page.get_by_role("button", name=RUN)).to_be_enabled()


def test_what_only_the_api_knows_to_be_wrong_is_told_too(page: Page, site: Site) -> None:
    site.open(page, FORM)
    page.get_by_label("First session").fill("2031-01-06")
    button = page.get_by_role("button", name=RUN)
    if button.is_enabled():  # the page may know the span already
        button.click()
    expect(page.get_by_role("alert").filter(has_text=re.compile("2013-03-01"))).not_to_have_count(0)
    assert "/backtests/" not in page.url


def test_a_permalink_opens_in_a_new_browser(page: Page, site: Site, browser: Browser) -> None:
    backtest_id = run_dual_momentum(page, site, top_n="1")
    context = browser.new_context()
    other = context.new_page()
    site.open(other, f"/backtests/{backtest_id}")
    expect(other.get_by_role("list", name="Figures")).to_be_visible(timeout=20_000)
    first = page.get_by_role("list", name="Figures").inner_text()
    assert other.get_by_role("list", name="Figures").inner_text() == first
    assert grave_obstacles(other) == []
    context.close()


def test_a_network_lost_in_mid_run_loses_nothing(page: Page, site: Site) -> None:
    site.open(page, FORM)
    page.get_by_label(re.compile("^Top n")).last.fill("4")
    expect(page.get_by_role("button", name=RUN)).to_be_enabled()
    page.context.set_offline(True)
    page.get_by_role("button", name=RUN).click()
    expect(page.get_by_role("alert").filter(has_text="Nothing is lost")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(re.compile("/backtests/[0-9a-f]{64}"))
    expect(page.get_by_role("list", name="Figures")).to_be_visible()


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_shows_all_rooms_without_scrolling_sideways(page: Page, site: Site) -> None:
    site.open(page, "/data")
    for room in ("Strategies", "Backtests", "Data"):
        page.get_by_role("navigation", name="Rooms").get_by_role("link", name=room).click()
        expect(page.get_by_role("heading", name=room, level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), room


def test_signing_in_leads_back_to_where_one_was(page: Page, site: Site) -> None:
    if not site.has_sign_in:
        pytest.skip("a laptop bound to 127.0.0.1 asks nobody to sign in")
    page.goto(f"{site.url}/strategies/equal_weight")
    expect(page.get_by_role("button", name="Sign in as owner")).to_be_visible()
    page.get_by_role("button", name="Sign in as owner").click()
    expect(page.get_by_role("heading", name="Equal weight", level=1)).to_be_visible()
    assert page.url.startswith(f"{site.url}/strategies/equal_weight")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "eyJ" not in stored, "a token lies where any script can read it"


@pytest.mark.parametrize(
    "path", ["/data", f"/data/{UNIVERSE}", f"/data/{UNIVERSE}/AAPL", "/strategies", FORM, "/backtests"]
)
def test_nothing_serious_stands_in_the_way_of_a_screen_reader(page: Page, site: Site, path: str) -> None:
    site.open(page, path)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    assert grave_obstacles(page) == []
