"""/backtest/sweeps and /backtest/jobs on the bundled sample."""

from __future__ import annotations

import asyncio
import io
from itertools import pairwise
from typing import Any

import pytest
from httpx import AsyncClient
from pyarrow import parquet

BASE = {"strategy": "dual_momentum", "universe": "SAMPLE_US5", "start": "2008-01-02"}
SWEEP: dict[str, Any] = {  # Any: JSON
    "base": BASE,
    "space": {"axes": {"lookback": {"values": [63, 126]}, "top_n": {"values": [1, 2]}}},
    "walk_forward": {"n_train": 504, "n_test": 252},
}


async def ended(client: AsyncClient, path: str) -> dict[str, Any]:  # Any: JSON
    """The sweep once its job has ended; the worker gets its turn while we ask."""
    async with asyncio.timeout(60):
        while True:
            sweep: dict[str, Any] = (await client.get(path)).json()
            if sweep["job"]["status"] not in {"queued", "running"}:
                return sweep
            await asyncio.sleep(0.05)


async def test_a_sweep_that_cannot_be_run_at_all_says_why(client: AsyncClient) -> None:
    answer = await client.post("/backtest/sweeps", json=SWEEP | {"base": BASE | {"benchmark": "NOBODY"}})
    sweep = await ended(client, answer.headers["location"].removeprefix("/api/v1"))
    found = sweep["result"]
    assert (found["n_done"], found["n_refused"], found["best"]) == (4, 4, None)
    assert [it["n_trials"] for it in found["refusals"]] == [4]
    assert "'NOBODY': is not in the universe" in found["refusals"][0]["reason"]


async def test_a_sweep_is_accepted_watched_and_read(client: AsyncClient) -> None:
    answer = await client.post("/backtest/sweeps", json=SWEEP)
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"].removeprefix("/api/v1")
    assert path == f"/backtest/sweeps/{answer.json()['id']}"
    sweep = await ended(client, path)
    assert (sweep["job"]["status"], sweep["n_trials"]) == ("succeeded", 4)
    found = sweep["result"]
    assert (found["state"], found["n_done"], found["n_refused"], found["refusals"]) == ("complete", 4, 0, [])
    assert_doubted(found)
    assert_annualised(found)
    assert_walked(found)

    # A trial is the backtest of its parameters, to the last digit.
    alone = (await client.post("/backtest", json=BASE | {"parameters": found["best"]["parameters"]})).json()
    assert alone["id"] == found["best"]["backtest_id"]
    assert {it["key"]: it["value"] for it in alone["metrics"]} == found["best"]["metrics"]

    page = (await client.get(f"{path}/trials", params={"limit": 3})).json()
    assert page["columns"]["trial"] == [0, 1, 2]
    last = (await client.get(f"{path}/trials", params={"cursor": page["next_cursor"]})).json()
    assert (last["columns"]["trial"], last["next_cursor"]) == ([3], None)
    file = await client.get(f"{path}/trials", params={"format": "parquet"})
    table = parquet.read_table(io.BytesIO(file.content))
    assert max(table.column("sharpe").to_pylist()) == found["best"]["metrics"]["sharpe"]
    listed = (await client.get("/backtest/sweeps")).json()["data"]
    shown = ("id", "strategy", "status", "progress", "state")
    assert [[it[name] for name in shown] for it in listed] == [
        [sweep["id"], "dual_momentum", "succeeded", 1.0, "complete"]
    ]
    await assert_stability(client, path, found)
    await assert_cross_validation(client, path)
    # Three of the quickstart's and ours are of one strategy: what a sweep tried is counted like what a person tried.
    assert (await client.get("/backtest/trials")).json()["by_strategy"]["dual_momentum"] >= 4


def assert_doubted(found: dict[str, Any]) -> None:  # Any: JSON
    """The best is never shown without what speaks against it."""
    doubt = found["best"]["doubt"]
    tested = doubt["superior_ability"]
    assert 0 <= doubt["overfitting"] <= 1
    assert 0 <= doubt["deflated_sharpe"] <= 1
    assert 1 <= doubt["n_independent"] <= doubt["n_trials"] == 4
    assert 0 < tested["lower"] <= tested["consistent"] <= tested["upper"] <= 1
    assert 0 < tested["reality_check"] <= 1
    assert (tested["benchmark"], doubt["reasons"]) == ("universe_buy_and_hold", [])


def assert_annualised(found: dict[str, Any]) -> None:  # Any: JSON
    """Cash earns nothing here, so the best ratio along an axis is the figure of the best trial."""
    best = max(group["most"] for group in found["stability"] if group["axis"] == "lookback")
    assert best == pytest.approx(found["best"]["metrics"]["sharpe"], rel=1e-12)


def assert_walked(found: dict[str, Any]) -> None:  # Any: JSON
    """Spans follow each other; entering the first one buys, at 10 bp, and after it only another trial costs."""
    folds = found["walk_forward"]["folds"]
    assert all(before["test"][1] < after["test"][0] for before, after in pairwise(folds))
    assert 0 < folds[0]["turnover"] < 0.5 + 1e-9
    assert folds[0]["cost"] == pytest.approx(2 * folds[0]["turnover"] * 0.001)
    for before, after in pairwise(folds):
        assert (after["cost"] > 0) == (before["backtest_id"] != after["backtest_id"])


async def assert_stability(client: AsyncClient, path: str, found: dict[str, Any]) -> None:  # Any: JSON
    """Two by two: every cell has the same four neighbours, itself among them."""
    answer = await client.get(f"{path}/stability", params={"metric": "cagr"})
    assert answer.status_code == 200, answer.text
    cells = answer.json()
    assert cells["axes"] == [{"name": "lookback", "values": [63, 126]}, {"name": "top_n", "values": [1, 2]}]
    page = (await client.get(f"{path}/trials")).json()["columns"]
    by_id = dict(zip(page["backtest_id"], page["cagr"], strict=True))
    assert cells["value"] == [by_id[it] for it in cells["backtest_ids"]]
    assert cells["mean"] == pytest.approx([sum(cells["value"]) / 4] * 4)
    assert cells["minimum"] == [min(cells["value"])] * 4
    assert found["best"]["backtest_id"] in cells["backtest_ids"]


async def assert_cross_validation(client: AsyncClient, path: str) -> None:
    """Six groups, two of them tested: 15 splits make five paths. One at a time makes one."""
    answer = await client.get(f"{path}/cross-validation", params={"n_groups": 6, "n_test_groups": 2, "embargo": 5})
    assert answer.status_code == 200, answer.text
    judged = answer.json()
    assert (judged["n_splits"], len(judged["paths"]), judged["n_done"]) == (15, 5, 4)
    assert judged["plan"] == {"n_groups": 6, "n_test_groups": 2, "purge": 21, "embargo": 5}
    assert sum(it["n_splits"] for it in judged["chosen"]) == 15
    assert judged["train_sharpe"]["0.5"] > judged["test_sharpe"]["0.01"]
    assert min(judged["paths"]) <= judged["path_sharpe"]["0.5"] <= max(judged["paths"])
    fold = (await client.get(f"{path}/cross-validation", params={"n_test_groups": 1})).json()
    assert (fold["n_splits"], len(fold["paths"])) == (10, 1)
    for params, field in (
        ({"n_groups": 21}, "n_groups"),
        ({"n_groups": 20, "n_test_groups": 5}, "n_test_groups"),
        ({"n_folds": 3}, "n_folds"),
        ({"purge": 1_000, "n_groups": 2, "n_test_groups": 1}, None),
    ):
        refused = await client.get(f"{path}/cross-validation", params=params)
        assert refused.status_code == 422, refused.text
        assert refused.json().get("field") == field
    assert (await client.get(f"{path}/stability", params={"metric": "luck"})).json()["field"] == "metric"


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"space": {"axes": {}}}, "space.axes", "at least 1"),
        ({"space": {"axes": {"speed": {"values": [1]}}}}, "axes.speed", "no parameter"),
        ({"space": {"axes": {"lookback": {"values": [1]}}}}, "axes.lookback", "greater than or equal to 2"),
        ({"space": {"axes": {"lookback": {"low": 2, "high": 10, "scale": "cubic"}}}}, None, "linear"),
        ({"base": BASE | {"parameters": {"lookback": 63}}}, "lookback", "searched"),
        ({"budget": {"trials": 3}}, "budget.trials", "raise the budget"),
        ({"walk_forward": {"n_train": 9_999}}, None, "needs 10000"),
        ({"force": True}, "force", "Extra"),
    ],
)
async def test_a_wrong_sweep_is_answered_with_field_and_remedy(
    client: AsyncClient, change: dict[str, object], field: str | None, word: str
) -> None:
    answer = await client.post("/backtest/sweeps", json={**SWEEP, **change})
    assert answer.status_code == 422, answer.text
    assert word in answer.text
    assert field is None or answer.json()["field"] == field


async def test_what_never_was_is_not_found(client: AsyncClient) -> None:
    for path in (
        "/backtest/sweeps/nope",
        "/backtest/sweeps/nope/trials",
        "/backtest/jobs/nope",
        "/backtest/sweeps/nope/stability",
        "/backtest/sweeps/nope/cross-validation",
    ):
        answer = await client.get(path)
        assert answer.status_code == 404, path
        assert "unknown" in answer.json()["detail"]


async def test_a_sweep_that_was_cancelled_goes_on_with_another_budget(client: AsyncClient) -> None:
    two = SWEEP | {"space": {"axes": {"lookback": {"values": [63, 126]}}}, "walk_forward": None}
    begun = (await client.post("/backtest/sweeps", json=two)).json()
    path = f"/backtest/sweeps/{begun['id']}"
    await client.post(f"/backtest/jobs/{begun['job']['id']}/cancel")
    (listed,) = (await client.get("/backtest/sweeps")).json()["data"]
    assert (listed["status"], listed["state"]) == ("cancelled", None)

    # One trial is fewer than it has; a field that is none is refused; neither changes anything.
    for body, field in (({"budget": {"trials": 1}}, "budget.trials"), ({"budgets": {}}, "budgets")):
        refused = await client.post(f"{path}/resume", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert (await client.get(path)).json()["job"]["status"] == "cancelled"

    resumed = await client.post(f"{path}/resume", json={"budget": {"trials": 2}})
    assert (resumed.status_code, resumed.headers["location"]) == (202, f"/api/v1{path}")
    done = await ended(client, path)
    assert (done["job"]["status"], done["result"]["n_done"], done["budget"]["trials"]) == ("succeeded", 2, 2)
    # What is complete stays as it is.
    assert (await client.post(f"{path}/resume", json={})).json() == done
    assert (await client.post("/backtest/sweeps/nope/resume", json={})).status_code == 404


async def test_a_job_that_has_ended_cannot_be_cancelled_any_more(client: AsyncClient) -> None:
    one = SWEEP | {"space": {"axes": {"lookback": {"values": [63]}}}, "walk_forward": None}
    job = (await client.post("/backtest/sweeps", json=one)).json()["job"]
    cancelled = (await client.post(f"/backtest/jobs/{job['id']}/cancel")).json()
    assert cancelled["status"] == "cancelled"
    again = (await client.post("/backtest/sweeps", json=one)).json()["job"]
    assert again["status"] in {"queued", "running"}
    assert (await client.post(f"/data/jobs/{job['id']}/cancel")).json()["status"] == "cancelled"
