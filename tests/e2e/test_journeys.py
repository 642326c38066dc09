"""What a person does, in a real browser: the same journeys on a laptop and on the deployed stack."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from support.site import Site, keep
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


def test_a_clock_turned_back_shows_what_was_known_then(page: Page, site: Site, tmp_path: Path) -> None:
    first, corrected = tmp_path / "first.csv", tmp_path / "corrected.csv"
    bars = "ticker,date,open,high,low,close,volume\nACME,2020-01-02,10,11,9,10,100\nACME,2020-01-03,10,12,9,{},100\n"
    first.write_text(bars.format(11), encoding="utf-8")
    corrected.write_text(bars.format(12), encoding="utf-8")
    site.parakeet("ingest", "TWO_CLOCKS", "--source", "files", "--path", str(first))
    between = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
    site.parakeet("ingest", "TWO_CLOCKS", "--source", "files", "--path", str(corrected), "--full")
    newest = page.get_by_role("row").filter(has_text="2020-01-03")

    site.open(page, "/data/TWO_CLOCKS/ACME")
    expect(newest).to_contain_text("12.00")
    expect(page.get_by_text("As known on")).to_have_count(0)

    site.open(page, f"/data/TWO_CLOCKS/ACME?as_of={quote(between)}")
    expect(newest).to_contain_text("11.00")
    expect(page.get_by_role("status").filter(has_text="As known on")).to_contain_text("bars are those known then")
    edge = page.locator(".border-past").first
    assert edge.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 900}
    assert grave_obstacles(page) == []
    keep(page, f"clock-turned-back-{site.name}")

    # The whole page is of that moment, wherever one goes, and of a day before it nothing was known at all.
    page.get_by_role("navigation", name="Where this is").get_by_role("link", name="TWO_CLOCKS").click()
    expect(page.get_by_role("region", name="Members", exact=True).get_by_role("link", name="ACME")).to_be_visible()
    page.locator("summary", has_text="UTC").click()
    page.get_by_role("button", name="a day", exact=True).click()
    expect(page.get_by_text("No member was known then")).to_be_visible()
    page.get_by_role("button", name="Return to now").last.click()
    expect(page.get_by_role("region", name="Members", exact=True).get_by_role("link", name="ACME")).to_be_visible()
    expect(page.get_by_text("As known on")).to_have_count(0)
    assert "as_of" not in page.url


def test_the_clock_is_turned_back_by_its_control(page: Page, site: Site) -> None:
    site.open(page, f"/data/{UNIVERSE}")
    page.locator("summary", has_text="now").click()
    page.get_by_label("Look from a moment, UTC").fill("2020-06-01T10:30:00")
    page.get_by_role("button", name="Turn back").click()
    expect(page.get_by_role("status").filter(has_text="As known on 2020-06-01 10:30:00 UTC")).to_be_visible()
    expect(page.get_by_text("No member was known then")).to_be_visible()
    # It is kept on the way to a room whose API cannot look back, which says so.
    page.get_by_role("navigation", name="Rooms").get_by_role("link", name="Strategies").click()
    expect(page.get_by_text("This page shows the present")).to_be_visible()
    page.get_by_role("link", name="Dual momentum").click()
    expect(page.get_by_text("a backtest runs on the newest snapshot, with all that is known now")).to_be_visible()
    expect(page.get_by_role("combobox", name="Universe").first).to_have_value(UNIVERSE)


def test_running_again_with_changes_keeps_everything_else(page: Page, site: Site) -> None:
    asked = {
        "p.top_n": "2",
        "start": "2005-01-03",
        "benchmark": "IBM",
        "costs": "ibkr_us_fixed",
        "c.half_spread_bps": "2.5",
        "x.fractional_shares": "false",
        "x.cash_rate": "0.02",
        "x.delist_after": "7",
        "x.delisting_return": "-0.3",
        "x.initial_cash": "25000",
        "x.rebalance": "quarterly",
    }
    site.open(page, FORM + "".join(f"&{name}={value}" for name, value in asked.items()))
    page.get_by_role("button", name=RUN).click()
    page.wait_for_url(re.compile("/backtests/[0-9a-f]{64}"))
    first = site.document(page.url)
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.get_by_label(re.compile("^Cash rate")).last).to_have_value("0.02")
    keep(page, f"run-again-{site.name}")

    # Unchanged it is the very same backtest.
    page.get_by_role("button", name=RUN).click()
    page.wait_for_url(re.compile(f"/backtests/{first['id']}"))
    page.get_by_role("link", name="Run again with changes").click()
    page.get_by_label(re.compile("^Cash rate")).last.fill("0.03")
    page.get_by_role("button", name=RUN).click()
    page.wait_for_url(re.compile(f"/backtests/(?!{first['id']})[0-9a-f]{{64}}"))
    second = site.document(page.url)
    first["spec"]["execution"]["cash_rate"] = 0.03
    assert second["spec"] == first["spec"]


def test_a_span_is_chosen_by_hand_and_by_key(page: Page, site: Site) -> None:
    run_dual_momentum(page, site, top_n="2")
    strip = page.get_by_role("group", name="Overview: choose the span to show")
    strip.scroll_into_view_if_needed()
    span = page.get_by_role("slider", name="Span shown")
    whole = span.get_attribute("aria-valuetext")
    box = strip.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=6)
    page.mouse.up()
    page.wait_for_url(re.compile(r"range=\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d"))
    expect(span).not_to_have_attribute("aria-valuetext", whole or "")
    dragged = span.get_attribute("aria-valuetext")
    keep(page, f"brush-{site.name}")

    end = page.get_by_role("slider", name="Last session shown")
    end.press("ArrowLeft")
    expect(span).not_to_have_attribute("aria-valuetext", dragged or "")
    chosen = span.get_attribute("aria-valuetext") or ""
    page.reload()
    if site.has_sign_in:
        page.get_by_role("button", name="Sign in as owner").click()
    expect(page.get_by_role("slider", name="Span shown")).to_have_attribute("aria-valuetext", chosen)
    page.get_by_role("group", name="Range").get_by_role("button", name="All").click()
    expect(span).to_have_attribute("aria-valuetext", whole or "")


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
