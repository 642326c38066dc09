"""/backtest/{id}/validation and /shocks on the bundled sample."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

SPEC = {"strategy": "equal_weight", "universe": "SAMPLE_US5", "start": "2005-01-03", "end": "2012-12-31"}


async def stored(client: AsyncClient, **more: object) -> Any:  # Any: a JSON document
    return (await client.post("/backtest", json={**SPEC, **more})).json()


async def test_a_stored_result_is_validated_the_same_for_ever(client: AsyncClient) -> None:
    path = f"/backtest/{(await stored(client))['id']}/validation"
    first, again = await client.get(path), await client.get(path)
    assert first.status_code == 200, first.text
    assert first.content == again.content
    assert "immutable" in first.headers["cache-control"]
    assert first.headers["etag"]


async def test_what_is_observed_is_what_the_document_says(client: AsyncClient) -> None:
    document = await stored(client, execution={"cash_rate": 0.02})
    found = (await client.get(f"/backtest/{document['id']}/validation")).json()
    metrics = {metric["key"]: metric["value"] for metric in document["metrics"]}
    for name in ("total_return", "max_drawdown", "sharpe"):
        assert found["resampled"][name]["observed"] == pytest.approx(metrics[name], rel=1e-9)
        quantiles = list(found["resampled"][name]["quantiles"].values())
        assert quantiles == sorted(quantiles)
    assert found["reordered"]["max_drawdown"]["observed"] == pytest.approx(metrics["max_drawdown"], rel=1e-9)
    # A decision a month, eight years of them.
    assert 90 <= found["reordered"]["n_periods"] <= 97


async def test_windows_are_those_of_the_equity_curve(client: AsyncClient) -> None:
    document = await stored(client)
    found = (await client.get(f"/backtest/{document['id']}/validation")).json()
    table = (await client.get(f"/backtest/{document['id']}/equity")).json()["columns"]
    equity = dict(zip(table["session"], table["equity"], strict=True))
    windows = {window["name"]: window for window in found["stress"]}
    expected = equity["2009-03-09"] / equity["2007-10-09"] - 1
    assert windows["2008"]["strategy"]["total_return"] == pytest.approx(expected)
    assert windows["2008"]["strategy"]["max_drawdown"] <= windows["2008"]["strategy"]["total_return"]
    # The backtest begins in 2005, the sample in 2000.
    assert windows["2000"]["strategy"] is None
    assert windows["1987"]["holdings"] is None
    assert windows["2020"]["strategy"] is None


async def test_what_was_not_listed_in_a_window_is_stated(client: AsyncClient) -> None:
    """Meta (FB) came to the market in 2012: the rest of the last holdings is covered in 2008."""
    document = await stored(client)
    found = (await client.get(f"/backtest/{document['id']}/validation")).json()
    (window,) = (window for window in found["stress"] if window["name"] == "2008")
    holdings = found["holdings"]
    assert window["holdings"]["covered"] == pytest.approx(1 - holdings["FB"] / sum(holdings.values()))


async def test_last_holdings_are_the_equity_but_for_cash(client: AsyncClient) -> None:
    document = await stored(client)
    found = (await client.get(f"/backtest/{document['id']}/validation")).json()
    table = (await client.get(f"/backtest/{document['id']}/equity")).json()["columns"]
    assert len(found["holdings"]) == 5
    assert sum(found["holdings"].values()) == pytest.approx(1 - table["cash"][-1] / table["equity"][-1])


async def test_shocks_move_tickers_and_classes(client: AsyncClient) -> None:
    """Everything falls by a tenth but one ticker, which is halved."""
    document = await stored(client)
    holdings = (await client.get(f"/backtest/{document['id']}/validation")).json()["holdings"]
    ticker, weight = next(iter(holdings.items()))
    shocks = ["class:equity=-0.1", f"{ticker}=-0.5"]
    found = await client.get(f"/backtest/{document['id']}/shocks", params={"shock": shocks})
    assert found.status_code == 200, found.text
    assert found.json()["by_ticker"][ticker] == pytest.approx(-0.5 * weight)
    rest = sum(holdings.values()) - weight
    assert found.json()["total"] == pytest.approx(-0.5 * weight - 0.1 * rest)


@pytest.mark.parametrize(
    ("shock", "reason"),
    [
        ("-0.3", "write TICKER=MOVE"),
        ("XOM=", "write TICKER=MOVE"),
        ("XOM=nan", "write TICKER=MOVE"),
        ("NOBODY=-0.3", "no ticker of this universe"),
        ("class:bond=-0.3", "no asset class of this universe"),
        ("class:equity=-3", "between -1 and 10"),
    ],
)
async def test_a_shock_that_means_nothing_is_refused(client: AsyncClient, shock: str, reason: str) -> None:
    document = await stored(client)
    refused = await client.get(f"/backtest/{document['id']}/shocks", params={"shock": shock})
    assert refused.status_code == 422
    assert refused.json()["field"] == "shock"
    assert reason in refused.json()["detail"]


async def test_shocks_are_asked_for_and_each_once(client: AsyncClient) -> None:
    document = await stored(client)
    path = f"/backtest/{document['id']}/shocks"
    assert (await client.get(path)).status_code == 422
    twice = await client.get(path, params={"shock": ["class:equity=-0.1", "class:equity=-0.2"]})
    assert twice.status_code == 422
    assert "already" in twice.json()["detail"]


async def test_what_was_never_run_is_not_found(client: AsyncClient) -> None:
    for path in ("validation", "shocks?shock=A=-0.1"):
        assert (await client.get(f"/backtest/{'0' * 64}/{path}")).status_code == 404


async def test_a_backtest_too_short_to_resample_says_so(client: AsyncClient) -> None:
    document = await stored(client, end="2005-01-14")
    refused = await client.get(f"/backtest/{document['id']}/validation")
    assert refused.status_code == 422
    assert "needs 20 observations" in refused.json()["detail"]
