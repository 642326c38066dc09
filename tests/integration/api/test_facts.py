"""/data/restatements, /data/actions and /data/instruments on the bundled sample."""

from __future__ import annotations

import datetime as dt

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from backend.config import Settings
from backend.database.connection import make_engine, transaction
from backend.database.instruments import InstrumentRecord, add_instruments
from backend.database.models.market import Bar

LATER = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)
SPAN = {"from": "2029-01-01T00:00:00Z", "to": "2031-01-01T00:00:00Z"}


async def rewrite(settings: Settings, ticker: str, *days: str) -> None:
    """The vendor doubles the volume of some bars on 2030-01-02."""
    engine = make_engine(settings.async_source_url())
    async with transaction(engine) as connection:
        dates = [dt.date.fromisoformat(day) for day in days]
        bars = update(Bar).where(Bar.ticker == ticker, Bar.date.in_(dates))
        await connection.execute(bars.values(volume=Bar.volume * 2, known_at=LATER))
    await engine.dispose()


async def test_restatements_name_bar_field_and_both_values(client: AsyncClient, sample_settings: Settings) -> None:
    await rewrite(sample_settings, "IBM", "2005-02-24")
    body = (await client.get("/data/restatements", params=SPAN)).json()
    (change,) = body["data"]
    assert (change["ticker"], change["date"], change["field"]) == ("IBM", "2005-02-24", "volume")
    assert change["after"] == change["before"] * 2
    assert (change["known_at"], change["source"]) == ("2030-01-02T00:00:00Z", "sample")
    assert (body["by_field"], body["next_cursor"]) == ({"volume": 1}, None)


async def test_restatements_of_another_universe_are_not_shown(client: AsyncClient, sample_settings: Settings) -> None:
    await rewrite(sample_settings, "IBM", "2005-02-24")
    for universe, n_changes in (("SAMPLE_US5", 1), ("SAMPLE_US20", 0)):
        body = (await client.get("/data/restatements", params={**SPAN, "universe": universe})).json()
        assert len(body["data"]) == n_changes


async def test_pages_of_restatements_join_without_loss(client: AsyncClient, sample_settings: Settings) -> None:
    days = ("2005-02-24", "2005-02-25", "2005-02-28")
    await rewrite(sample_settings, "IBM", *days)
    first = (await client.get("/data/restatements", params={**SPAN, "limit": 2})).json()
    rest = (await client.get("/data/restatements", params={**SPAN, "limit": 2, "cursor": first["next_cursor"]})).json()
    assert [change["date"] for change in first["data"] + rest["data"]] == list(days)
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2031-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}, "from"),
        ({"from": "2030-01-01T00:00:00"}, "from"),
        ({"from": "2020-01-01T00:00:00Z", "cursor": "!"}, "cursor"),
        ({}, "from"),
    ],
)
async def test_a_bad_span_is_refused_by_field(client: AsyncClient, params: dict[str, str], field: str) -> None:
    answer = await client.get("/data/restatements", params=params)
    assert answer.status_code == 422
    assert field in answer.text


async def test_an_unknown_universe_is_not_found(client: AsyncClient) -> None:
    answer = await client.get("/data/restatements", params={**SPAN, "universe": "MARS"})
    assert answer.status_code == 404


async def test_actions_are_served_as_known_at_a_moment(client: AsyncClient) -> None:
    body = (await client.get("/data/actions", params={"tickers": "AAPL,MSFT"})).json()
    splits = [(row["ticker"], row["ex_date"], row["value"]) for row in body["data"] if row["kind"] == "split"]
    # Splits of the span of the sample: Apple 2:1 in 2000 and 2005, Microsoft 2:1 in 2003.
    assert splits == [("AAPL", "2000-06-21", 2.0), ("AAPL", "2005-02-28", 2.0), ("MSFT", "2003-02-18", 2.0)]
    early = {"tickers": "AAPL", "as_of": "2020-01-01T00:00:00Z"}
    assert (await client.get("/data/actions", params=early)).json()["data"] == []


async def test_actions_of_nobody_are_refused(client: AsyncClient) -> None:
    answer = await client.get("/data/actions", params={"tickers": " , "})
    assert answer.status_code == 422
    assert "tickers" in answer.text


async def test_two_companies_under_one_symbol_are_two_instruments(
    client: AsyncClient, sample_settings: Settings
) -> None:
    engine = make_engine(sample_settings.async_source_url())
    said = {"symbol": "WM", "kind": "equity", "currency": "USD", "calendar": "XNYS", "name": None}
    known_at = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    async with transaction(engine) as connection:
        await add_instruments(
            connection,
            [
                InstrumentRecord(id="WM", start_date=None, known_at=known_at, **said),  # type: ignore[arg-type]
                InstrumentRecord(id="WM@2009-08-05", start_date=dt.date(2009, 8, 5), known_at=known_at, **said),  # type: ignore[arg-type]
            ],
        )
    await engine.dispose()
    body = (await client.get("/data/instruments", params={"symbol": "WM", "on": "2008-01-02"})).json()
    assert [row["id"] for row in body["data"]] == ["WM", "WM@2009-08-05"]
    assert (body["holder"], body["on"]) == ("WM", "2008-01-02")
    assert (await client.get("/data/instruments", params={"symbol": "WM"})).json()["holder"] == "WM@2009-08-05"
    early = {"symbol": "WM", "as_of": "2023-01-01T00:00:00Z"}
    assert (await client.get("/data/instruments", params=early)).json()["data"] == []
