"""A stored backtest beside the same spec as known at another moment."""

from __future__ import annotations

import datetime as dt

import httpx
from sqlalchemy import select, update

from backend.config import Settings
from backend.database.connection import transaction
from backend.database.models.market import Bar
from backend.main import make_main_app
from support.platform import opened

SPEC = {"strategy": "equal_weight", "universe": "SAMPLE_US5", "end": "2012-12-31"}


async def test_a_rewritten_close_is_named_with_the_figures_it_moves(sample_settings: Settings) -> None:
    async with opened(sample_settings) as resources:
        transport = httpx.ASGITransport(make_main_app(resources), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
            first = (await client.post("/backtest", json=SPEC)).json()
            trials = (await client.get("/backtest/trials")).json()
            async with transaction(resources.engine) as connection:
                last = Bar.date == dt.date(2012, 12, 31)
                ticker, close, known_at = (
                    await connection.execute(select(Bar.ticker, Bar.close, Bar.known_at).where(last).limit(1))
                ).one()
                later = known_at + dt.timedelta(hours=1)
                rewritten = update(Bar).where(last, Bar.ticker == ticker)
                await connection.execute(rewritten.values(close=close * 1.001, high=close * 1.1, known_at=later))
            path = f"/backtest/{first['id']}/restatement"
            answer = await client.get(path, params={"as_of": later.isoformat()})
            assert answer.status_code == 200, answer.text
            found = answer.json()
            other = (await client.get(f"/backtest/{found['other_id']}")).json()
            assert other["spec"] | {"snapshot": first["spec"]["snapshot"]} == first["spec"]
            closes = [change for change in found["changes"] if change["field"] == "close"]
            assert [(it["ticker"], it["date"], it["before"]) for it in closes] == [(ticker, "2012-12-31", close)]
            moved = {metric["key"]: metric["difference"] for metric in found["metrics"]}
            values = [{metric["key"]: metric["value"] for metric in it["metrics"]} for it in (first, other)]
            assert moved["final_equity"] == values[1]["final_equity"] - values[0]["final_equity"] > 0
            assert found["is_complete"] is True
            after = (await client.get("/backtest/trials")).json()
            assert (after["total"], after["n_specs"]) == (trials["total"], trials["n_specs"] + 1)
            same = (await client.get(path, params={"as_of": first["meta"]["as_of"]})).json()
            assert (same["other_id"], same["changes"]) == (first["id"], [])


async def test_what_was_never_run_or_a_moment_without_its_zone_is_refused(client: httpx.AsyncClient) -> None:
    unknown = await client.get(f"/backtest/{'0' * 64}/restatement", params={"as_of": "2024-01-01T00:00:00Z"})
    assert unknown.status_code == 404
    naive = await client.get(f"/backtest/{'0' * 64}/restatement", params={"as_of": "2024-01-01T00:00:00"})
    assert naive.status_code == 422
