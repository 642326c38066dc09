"""/backtest on the bundled sample."""

from __future__ import annotations

import asyncio
import io
import math

import pyarrow.parquet as pq
import pytest
from httpx import AsyncClient

from backend.schemas.backtest import BacktestOut

SPEC = {"strategy": "equal_weight", "universe": "SAMPLE_US5", "start": "2005-01-03", "end": "2012-12-31"}


async def test_the_same_spec_gives_the_same_id_and_the_same_bytes(client: AsyncClient) -> None:
    first = await client.post("/backtest", json=SPEC)
    again = await client.post("/backtest", json={**SPEC, "parameters": {}, "costs": {"preset": "ten_bps"}})
    assert first.status_code == 200, first.text
    assert again.content == first.content
    read = await client.get(f"/backtest/{first.json()['id']}")
    assert read.content == first.content
    assert read.headers["etag"] == f'"{first.json()["id"]}"'
    assert "immutable" in read.headers["cache-control"]


async def test_requests_of_one_new_spec_at_the_same_time_get_the_same_bytes_and_are_one_trial(
    client: AsyncClient,
) -> None:
    before = (await client.get("/backtest/trials")).json()["total"]
    answers = await asyncio.gather(*(client.post("/backtest", json=SPEC) for _ in range(4)))
    assert answers[0].status_code == 200, answers[0].text
    assert {answer.content for answer in answers} == {answers[0].content}
    assert (await client.post("/backtest", json=SPEC)).content == answers[0].content
    assert (await client.get("/backtest/trials")).json()["total"] == before + 1


async def test_another_parameter_is_another_trial_in_the_ledger(client: AsyncClient) -> None:
    before = (await client.get("/backtest/trials")).json()["total"]
    await client.post("/backtest", json=SPEC)
    await client.post("/backtest", json=SPEC)
    await client.post("/backtest", json={**SPEC, "costs": {"bps": 20}})
    assert (await client.get("/backtest/trials")).json()["total"] == before + 2


async def test_the_result_states_what_it_was_computed_from(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    assert document["spec"]["snapshot"] == document["meta"]["snapshot"]
    assert document["meta"]["quality"]["good"] > 0
    assert document["honesty"]["lookahead"]["is_identical"] is True
    assert len(document["honesty"]["lookahead"]["checked"]) == 8
    honesty = BacktestOut.model_validate(document).honesty
    assert honesty.track_record is not None
    assert honesty.track_record.n_returns == document["n_sessions"] - 1
    assert honesty.bars is not None
    assert honesty.bars.read.good > honesty.bars.held.good > 0
    assert honesty.survivorship is not None
    assert [scenario.loss for scenario in honesty.survivorship.scenarios] == [-0.3, -1.0]
    assert all(metric["definition"] for metric in document["metrics"])


async def test_equity_ends_where_the_books_say(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    table = (await client.get(f"/backtest/{document['id']}/equity")).json()["columns"]
    assert table["session"][0] == document["first_session"] == "2005-01-03"
    assert table["session"][-1] == document["last_session"] == "2012-12-31"
    assert len(table["equity"]) == document["n_sessions"]
    assert table["equity"][0] == 100_000.0
    assert table["equity"][-1] == pytest.approx(document["books"]["final_equity"], abs=0.005)


async def test_holdings_and_cash_are_the_equity_of_every_change(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    path = f"/backtest/{document['id']}"
    equity = (await client.get(f"{path}/equity")).json()["columns"]
    holdings = (await client.get(f"{path}/holdings")).json()["columns"]
    total = dict(zip(equity["session"], equity["equity"], strict=True))
    cash = dict(zip(equity["session"], equity["cash"], strict=True))
    held: dict[str, float] = {}
    for session, value, weight in zip(holdings["session"], holdings["value"], holdings["weight"], strict=True):
        held[session] = held.get(session, 0.0) + value
        assert weight == pytest.approx(value / total[session], rel=1e-12)
    assert len(held) > 90  # a decision a month, dividends between
    for session, value in held.items():
        assert value + cash[session] == pytest.approx(total[session], abs=0.005), session


async def test_orders_are_paginated_without_loss(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    whole = (await client.get(f"/backtest/{document['id']}/orders")).json()["columns"]["ticker"]
    found: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"/backtest/{document['id']}/orders", params=query)).json()
        found += page["columns"]["ticker"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(whole) > 100
    assert found == whole


async def test_a_page_of_many_columns_has_fewer_rows(client: AsyncClient) -> None:
    """50,000 values a page: of nine columns 5,555 rows, of two all of them."""
    closes = {"strategy": "equal_weight", "universe": "SAMPLE_US20", "execution": {"fill": "next_close"}}
    document = (await client.post("/backtest", json=closes)).json()
    path = f"/backtest/{document['id']}/rolling"
    narrow = (await client.get(path, params={"columns": "session,sharpe_252"})).json()
    sessions, n_pages, cursor = [], 0, None
    while n_pages == 0 or cursor is not None:
        answer = await client.get(path, params={"cursor": cursor} if cursor else {})
        page = answer.json()
        assert len(page["columns"]) == 9
        assert len(answer.content) < 1_500_000
        sessions += page["columns"]["session"]
        n_pages, cursor = n_pages + 1, page["next_cursor"]
    assert (narrow["columns"]["session"], narrow["next_cursor"]) == (sessions, None)
    assert (n_pages, len(sessions)) == (2, document["n_sessions"])


async def test_backtests_are_listed_newest_first(client: AsyncClient) -> None:
    newest = (await client.post("/backtest", json=SPEC)).json()["id"]
    page = (await client.get("/backtest", params={"limit": 1})).json()
    assert [row["id"] for row in page["data"]] == [newest]
    rest = (await client.get("/backtest", params={"cursor": page["next_cursor"]})).json()
    assert newest not in [row["id"] for row in rest["data"]]
    assert len(rest["data"]) == 2  # the two of the quick start


async def test_an_idempotency_key_is_bound_to_its_request(client: AsyncClient) -> None:
    headers = {"Idempotency-Key": "monday"}
    first = await client.post("/backtest", json=SPEC, headers=headers)
    again = await client.post("/backtest", json=SPEC, headers=headers)
    other = await client.post("/backtest", json={**SPEC, "end": "2011-12-30"}, headers=headers)
    assert again.content == first.content
    assert other.status_code == 409
    assert "monday" in other.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"strategy": "astrology"}, "strategy", "dual_momentum"),
        ({"start": "2012-01-03", "end": "2010-01-04"}, "start", "after end"),
        ({"start": "2031-01-03", "end": None}, "start", "2013-03-01"),
        ({"strategy": "dual_momentum", "parameters": {"lookback": 1}}, "lookback", "greater than or equal to 2"),
        ({"parameters": {"lookbak": 252}}, "lookbak", "Extra inputs"),
        ({"parameters": {"tickers": ["ENRON"]}}, "tickers", "ENRON"),
        ({"benchmark": "ENRON"}, "benchmark", "ENRON"),
        ({"benchmark": "FB"}, "benchmark", "no price on 2005-01-03"),
        ({"costs": {"preset": "free_lunch"}}, "costs.preset", "ten_bps"),
        ({"costs": {"bps": -1}}, "costs.bps", "greater than or equal to 0"),
        ({"snapshot": "yesterday"}, "snapshot", "pattern"),
        ({"leverage": 3}, "leverage", "Extra inputs"),
        ({"execution": {"initial_cash": "NaN"}}, "execution.initial_cash", "finite"),
        ({"end": "2005-01-03"}, "end", "two sessions"),
    ],
)
async def test_bad_input_is_answered_with_field_and_reason(
    client: AsyncClient, change: dict[str, object], field: str, word: str
) -> None:
    answer = await client.post("/backtest", json={**SPEC, **change})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert word in answer.json()["detail"]


async def test_settings_name_every_preset_with_its_figures_and_their_units(client: AsyncClient) -> None:
    answer = await client.get("/backtest/settings")
    found = answer.json()
    assert answer.headers["cache-control"] == "public, max-age=3600"
    figures = {item["key"]: item["figures"] for item in found["presets"]}
    # https://www.interactivebrokers.com/en/pricing/commissions-stocks.php, Fixed: USD 0.005 a share, least 1, most 1 %.
    published = {"per_share": 0.005, "minimum": 1.0, "maximum_bps": 100.0, "fx_margin_bps": 3.0}
    assert {name: value for name, value in figures["ibkr_us_fixed"].items() if value} == published
    assert figures["zero"] == dict.fromkeys(figures["zero"], 0.0) | {"maximum_bps": None}
    described = found["costs"]["properties"]
    assert {name for name in described if name != "preset"} == set(figures["zero"])
    assert all(described[name]["unit"] in {"bp", "quote currency", "coefficient"} for name in figures["zero"])
    assert all(item["description"] for item in found["presets"])
    brokers = [item for item in found["presets"] if item["source"]]
    assert all(item["as_of"] in item["description"] and item["leaves_out"] and item["currency"] for item in brokers)
    commsec = next(item for item in brokers if item["key"] == "commsec")
    assert commsec["tiers"][0] == {"up_to": 1000.0, "flat": 5.0, "bps": 0.0}


async def test_a_request_of_only_the_settings_defaults_is_the_request_without_them(client: AsyncClient) -> None:
    schema = (await client.get("/backtest/settings")).json()["execution"]["properties"]
    execution = {name: field["default"] for name, field in schema.items()}
    plain = (await client.post("/backtest", json=SPEC)).json()["id"]
    assert (await client.post("/backtest", json={**SPEC, "execution": execution})).json()["id"] == plain


async def test_closes_only_prices_cannot_fill_at_the_open(client: AsyncClient) -> None:
    answer = await client.post("/backtest", json={"strategy": "equal_weight", "universe": "SAMPLE_US20"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "fill"
    assert "next_close" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/backtest/" + "0" * 64, "unknown backtest"),
        ("/backtest/nope/equity", "unknown backtest"),
        ("/backtest/nope/rolling", "unknown backtest"),
        ("/backtest/nope/tearsheet.html", "unknown backtest"),
        ("/backtest/nope/tearsheet.csv", "unknown backtest"),
    ],
)
async def test_a_missing_backtest_is_not_found(client: AsyncClient, path: str, word: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert word in answer.json()["detail"]


async def test_an_unknown_universe_is_not_found(client: AsyncClient) -> None:
    answer = await client.post("/backtest", json={**SPEC, "universe": "MARS"})
    assert answer.status_code == 404
    assert "SAMPLE_US5" in answer.json()["detail"]


async def test_a_foreign_cursor_is_refused(client: AsyncClient) -> None:
    answer = await client.get("/backtest", params={"cursor": "bm9wZQ=="})
    assert answer.status_code == 422
    assert answer.json()["field"] == "cursor"


async def test_months_and_years_follow_from_the_equity_curve(client: AsyncClient) -> None:
    path = f"/backtest/{(await client.post('/backtest', json=SPEC)).json()['id']}"
    equity = (await client.get(f"{path}/equity")).json()["columns"]
    monthly = (await client.get(f"{path}/monthly")).json()["columns"]
    yearly = (await client.get(f"{path}/yearly")).json()["columns"]
    assert monthly["month"][:2] == ["2005-01-01", "2005-02-01"]
    assert yearly["year"] == [f"{year}-01-01" for year in range(2005, 2013)]
    for returns in (monthly["return"], yearly["return"]):
        assert math.prod(1 + value for value in returns) == pytest.approx(equity["equity"][-1] / equity["equity"][0])


async def test_moving_figures_and_falls_are_those_of_the_document(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    figures = {metric["key"]: metric["value"] for metric in document["metrics"]}
    answer = await client.get(f"/backtest/{document['id']}/rolling")
    rolling = answer.json()["columns"]
    assert "immutable" in answer.headers["cache-control"]
    assert set(rolling) == {"session"} | {
        f"{name}_{window}" for name in ("sharpe", "volatility", "beta", "drawdown") for window in (126, 252)
    }
    assert len(rolling["session"]) == document["n_sessions"]
    assert rolling["sharpe_252"][:252] == [None] * 252
    assert min(value for value in rolling["drawdown_252"] if value is not None) >= figures["max_drawdown"]
    falls = (await client.get(f"/backtest/{document['id']}/drawdowns")).json()["columns"]
    assert falls["depth"][0] == figures["max_drawdown"]
    assert falls["peak"][0] == figures["drawdown_peak"]
    assert len(falls["depth"]) == 10


async def test_only_the_columns_that_are_asked_for_travel(client: AsyncClient) -> None:
    path = f"/backtest/{(await client.post('/backtest', json=SPEC)).json()['id']}/rolling"
    chosen = (await client.get(path, params={"columns": "session,sharpe_252"})).json()["columns"]
    assert list(chosen) == ["session", "sharpe_252"]
    refused = await client.get(path, params={"columns": "session,sharpe_1"})
    assert (refused.status_code, refused.json()["field"]) == (422, "columns")
    assert "sharpe_252" in refused.json()["detail"]


async def test_a_tearsheet_is_one_page_of_the_same_bytes_each_time(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    path = f"/backtest/{document['id']}/tearsheet.html"
    answer, again = await client.get(path), await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content == again.content
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    for part in (document["id"], document["meta"]["data_hash"], "Equal weight on SAMPLE_US5"):
        assert part in answer.text


async def test_a_tearsheet_as_table_has_every_session_or_every_figure(client: AsyncClient) -> None:
    document = (await client.post("/backtest", json=SPEC)).json()
    path = f"/backtest/{document['id']}/tearsheet"
    series = (await client.get(f"{path}.csv")).text.splitlines()
    assert series[0].startswith('"session","equity","cash","benchmark","return"')
    assert len(series) == document["n_sessions"] + 1
    assert series[1].startswith("2005-01-03,100000,100000,100000,,")
    table = pq.read_table(io.BytesIO((await client.get(f"{path}.parquet", params={"part": "metrics"})).content))
    assert table.column("key").to_pylist() == [metric["key"] for metric in document["metrics"]]
    figures = dict(zip(table.column("key").to_pylist(), table.column("value").to_pylist(), strict=True))
    assert figures["sharpe"] == next(item["value"] for item in document["metrics"] if item["key"] == "sharpe")


@pytest.mark.parametrize("query", ["tearsheet.docx", "tearsheet.csv?part=secrets", "weather"])
async def test_an_unknown_format_part_or_table_is_refused(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"/backtest/{'0' * 64}/{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_how_many_were_tried_is_asked_anew_and_grows(client: AsyncClient) -> None:
    first = (await client.post("/backtest", json=SPEC)).json()["id"]
    response = await client.get(f"/backtest/{first}/honesty")
    assert response.headers["cache-control"] == "no-store"
    before = response.json()
    await client.post("/backtest", json={**SPEC, "costs": {"bps": 33}})
    after = (await client.get(f"/backtest/{first}/honesty?n_trials=1")).json()
    assert after["family"]["n_trials"] == before["family"]["n_trials"] + 1
    assert after["account"]["n_trials"] == before["account"]["n_trials"] + 1
    assert after["as_of"] > before["as_of"]


async def test_the_honesty_of_what_was_never_run_is_not_found(client: AsyncClient) -> None:
    response = await client.get(f"/backtest/{'0' * 64}/honesty")
    assert response.status_code == 404
