"""/data on the bundled sample."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from httpx import AsyncClient

from backend.config import Settings
from backend.database.actions import ActionRecord, put_actions
from backend.database.connection import make_engine, transaction
from strategy.sessions import sessions_behind

# IBM as the source has it (database/sample/us5_bars.parquet, Quandl WIKI): checked against the file in the test below.
SPAN = {"tickers": "IBM,AAPL", "start": "2005-02-24", "end": "2005-03-02"}


async def test_status_tells_coverage_freshness_and_snapshot(client: AsyncClient) -> None:
    rows = {row["key"]: row for row in (await client.get("/data/status")).json()["data"]}
    us5 = rows["SAMPLE_US5"]
    # 3,270 sessions of AAPL, IBM and MSFT, 2,148 of GOOG and 196 of FB, as in PROVENANCE.md.
    assert us5["bars"] == 3 * 3270 + 2148 + 196
    assert (us5["first_session"], us5["last_session"]) == ("2000-03-01", "2013-03-01")
    assert us5["age_days"] > 4000
    assert us5["sessions_behind"] == sessions_behind("XNYS", dt.date(2013, 3, 1), dt.datetime.now(dt.UTC))
    assert len(us5["snapshot"]) == 64
    assert us5["last_run"]["status"] == "succeeded"
    assert rows["SAMPLE_US20"]["bars"] == 20 * 8313


async def test_prices_are_as_traded_and_carry_their_provenance(client: AsyncClient) -> None:
    payload = (await client.get("/data/prices", params=SPAN)).json()
    apple = {row["date"]: row["close"] for row in payload["data"] if row["ticker"] == "AAPL"}
    # AAPL split 2:1 on 2005-02-28: prices as traded halve, they are not smoothed over.
    assert apple["2005-02-25"] == pytest.approx(88.99)
    assert apple["2005-02-28"] == pytest.approx(44.86)
    assert payload["meta"]["source"] == ["sample"]
    assert payload["meta"]["quality"] == {"good": 10, "suspect": 0}
    assert len(payload["meta"]["data_hash"]) == 64


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow"])
async def test_every_format_holds_the_same_rows(client: AsyncClient, form: str) -> None:
    expected = (await client.get("/data/prices", params=SPAN)).json()
    answer = await client.get("/data/prices", params={**SPAN, "format": form})
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        found = [(row["ticker"], row["date"], float(row["close"])) for row in rows]
    else:
        buffer = pa.BufferReader(answer.content)
        table = pq.read_table(buffer) if form == "parquet" else pa.ipc.open_stream(buffer).read_all()
        found = [(row["ticker"], row["date"].isoformat(), row["close"]) for row in table.to_pylist()]
    assert found == [(row["ticker"], row["date"], row["close"]) for row in expected["data"]]
    assert answer.headers["x-data-hash"] == expected["meta"]["data_hash"]


async def test_pages_of_prices_join_without_loss(client: AsyncClient) -> None:
    whole = (await client.get("/data/prices", params=SPAN)).json()["data"]
    first = (await client.get("/data/prices", params={**SPAN, "limit": 7})).json()
    second = (await client.get("/data/prices", params={**SPAN, "limit": 7, "cursor": first["next_cursor"]})).json()
    assert first["data"] + second["data"] == whole
    assert second["next_cursor"] is None


async def test_before_we_knew_there_was_nothing(client: AsyncClient) -> None:
    payload = (await client.get("/data/prices", params={**SPAN, "as_of": "2001-01-01T00:00:00Z"})).json()
    assert payload["data"] == []
    assert payload["meta"]["as_of"].startswith("2001-01-01T00:00:00")


async def test_a_universe_lists_its_members_on_a_date(client: AsyncClient) -> None:
    early = (await client.get("/data/universes/SAMPLE_US5", params={"on": "2003-01-02"})).json()
    late = (await client.get("/data/universes/SAMPLE_US5", params={"on": "2012-06-01"})).json()
    assert [member["ticker"] for member in early["members"]] == ["AAPL", "IBM", "MSFT"]
    assert [member["ticker"] for member in late["members"]] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


async def test_runs_are_listed_with_counts_that_reconcile(client: AsyncClient) -> None:
    runs = (await client.get("/data/runs", params={"universe": "SAMPLE_US5"})).json()["data"]
    (run,) = runs
    assert run["rows_in"] == run["inserted"] + run["changed"] + run["unchanged"] + run["quarantined"]
    assert (await client.get(f"/data/runs/{run['id']}/failures")).json() == []
    assert (await client.get(f"/data/runs/{run['id']}")).json() == run | {"failures": {}, "fallbacks": {}}
    quality = (await client.get("/data/quality", params={"universe": "SAMPLE_US5"})).json()
    assert sum(quality["quality"].values()) == run["inserted"]


@pytest.mark.parametrize(
    ("path", "params", "status", "word"),
    [
        ("/data/prices", {"tickers": "ENRON"}, 404, "ENRON"),
        ("/data/prices", {"tickers": " , "}, 422, "names no ticker"),
        ("/data/prices", {"tickers": "IBM", "start": "2005-02-02", "end": "2005-01-02"}, 422, "after end"),
        ("/data/prices", {"tickers": "IBM", "as_of": "2005-02-02T00:00:00"}, 422, "time zone"),
        ("/data/prices", {"tickers": "IBM", "format": "xlsx"}, 422, "format"),
        ("/data/prices", {"tickers": "IBM", "limit": "0"}, 422, "limit"),
        ("/data/prices", {"tickers": "IBM", "start": "soon"}, 422, "start"),
        ("/data/universes/MARS", {}, 404, "MARS"),
        ("/data/quality", {"universe": "MARS"}, 404, "MARS"),
        ("/data/quality", {"universe": "SAMPLE_US5", "as_of": "2005-02-02T00:00:00"}, 422, "time zone"),
        ("/data/quality/report.html", {"universe": "MARS"}, 404, "MARS"),
        ("/data/runs/nope/failures", {}, 404, "nope"),
        ("/data/runs/nope", {}, 404, "nope"),
        ("/data/nothing", {}, 404, "Not Found"),
    ],
)
async def test_bad_input_is_answered_with_the_reason(
    client: AsyncClient, path: str, params: dict[str, str], status: int, word: str
) -> None:
    answer = await client.get(path, params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]


async def test_quality_tells_every_rule_the_worst_tickers_and_the_doubtful_bars(client: AsyncClient) -> None:
    found = (await client.get("/data/quality", params={"universe": "SAMPLE_US5"})).json()
    # Apple fell by half on 2000-09-29, after a warning of lower profits.
    assert [(row["ticker"], row["date"], row["rules"]) for row in found["flagged"]] == [
        ("AAPL", "2000-09-29", ["jump_without_action"])
    ]
    assert [(row["ticker"], row["suspect"], row["bad"]) for row in found["worst"]] == [("AAPL", 1, 0)]
    assert {row["rule"]: row["bars"] for row in found["rules"] if row["bars"]} == {"jump_without_action": 1}
    assert found["quality"] == {"good": 12_153, "suspect": 1, "bad": 0}
    assert found["run"]["status"] == "succeeded"
    assert found["quarantined"] == []


async def test_before_we_knew_nothing_was_doubtful(client: AsyncClient) -> None:
    params = {"universe": "SAMPLE_US5", "as_of": "2001-01-01T00:00:00Z"}
    found = (await client.get("/data/quality", params=params)).json()
    assert found["as_of"].startswith("2001-01-01T00:00:00")
    assert (found["quality"], found["run"]) == ({"good": 0, "suspect": 0, "bad": 0}, None)


async def test_the_quality_page_needs_nothing_else(client: AsyncClient) -> None:
    answer = await client.get("/data/quality/report.html", params={"universe": "SAMPLE_US5"})
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "2000-09-29" in answer.text
    assert not any(word in answer.text for word in ("<script", "<link", "<img", "src=", "http"))


async def closes(client: AsyncClient, ticker: str, **params: str) -> dict[str, float]:
    body = (await client.get("/data/prices", params={"tickers": ticker, **params})).json()
    assert body["adjustment"] == params.get("adjust", "none")
    return {row["date"]: row["close"] for row in body["data"]}


async def test_prices_adjusted_for_splits_run_on_over_the_ex_date(client: AsyncClient) -> None:
    span = {"start": "2005-02-25", "end": "2005-02-28"}
    traded, split = await closes(client, "AAPL", **span), await closes(client, "AAPL", adjust="split", **span)
    # The only split after the first of these days, and up to the end of the sample, is 2:1 on 2005-02-28.
    assert split == {"2005-02-25": pytest.approx(traded["2005-02-25"] / 2), "2005-02-28": traded["2005-02-28"]}


async def test_volume_is_in_the_shares_of_the_newest_session(client: AsyncClient) -> None:
    span = {"tickers": "AAPL", "start": "2005-02-25", "end": "2005-02-25"}
    (traded,) = (await client.get("/data/prices", params=span)).json()["data"]
    (split,) = (await client.get("/data/prices", params={**span, "adjust": "split"})).json()["data"]
    assert split["volume"] == pytest.approx(traded["volume"] * 2)


async def test_total_adjustment_takes_the_dividend_from_earlier_closes(client: AsyncClient) -> None:
    actions = (await client.get("/data/actions", params={"tickers": "IBM"})).json()["data"]
    last = max((row for row in actions if row["kind"] == "dividend"), key=lambda row: row["ex_date"])
    traded, total = await closes(client, "IBM"), await closes(client, "IBM", adjust="total")
    before = max(day for day in traded if day < last["ex_date"])
    # By definition: one less the dividend over the close before its ex-date.
    assert total[before] / traded[before] == pytest.approx(1 - last["value"] / traded[before], rel=1e-12)
    newest = max(traded)
    assert total[newest] == traded[newest]


async def test_adjustment_knows_no_action_learned_after_as_of(client: AsyncClient, sample_settings: Settings) -> None:
    engine = make_engine(sample_settings.async_source_url())
    split = ActionRecord(
        ticker="IBM",
        ex_date=dt.date(2013, 2, 28),
        kind="split",
        value=4.0,
        known_at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    )
    async with transaction(engine) as connection:
        await put_actions(connection, [split], source="test")
    await engine.dispose()
    span = {"start": "2013-02-27", "end": "2013-02-27", "adjust": "split"}
    (now,) = (await closes(client, "IBM", as_of="2031-01-01T00:00:00Z", **span)).values()
    (then,) = (await closes(client, "IBM", as_of="2029-01-01T00:00:00Z", **span)).values()
    assert now == pytest.approx(then / 4)


async def test_adjusting_too_many_tickers_at_once_is_refused(client: AsyncClient) -> None:
    members = (await client.get("/data/universes/SAMPLE_US20")).json()["members"]
    names = ",".join(["IBM", *(member["ticker"] for member in members)])
    answer = await client.get("/data/prices", params={"tickers": names, "adjust": "total", "limit": "10"})
    assert answer.status_code == 422
    assert "21 names" in answer.json()["detail"]
    assert "at most 20 tickers" in answer.json()["detail"]
