"""`parakeet sweep`: run, found again, listed, cancelled, gone on with."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from backend.cli import app
from backend.config import Settings
from backend.services.backtests import BacktestRequest
from backend.services.sweeps.starting import SweepRequest, start_sweep
from strategy.sweeps.axes import Axis
from strategy.sweeps.expansion import Space
from support.outbox import Outbox
from support.platform import opened

RUN = ("sweep", "run", "dual_momentum", "SAMPLE_US5", "--start", "2008-01-02", "--walk-forward", "n_train=504")


def answer(done: Result) -> Any:  # Any: JSON
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_sweep_is_run_once_and_shown_with_its_doubt(parakeet: CliRunner) -> None:
    drawn = parakeet.invoke(app, [*RUN, "--axis", "lookback=63,126"])
    assert drawn.exit_code == 0, drawn.output
    for text in ("succeeded: 2 of 2 trials", "probability that the choice is overfitted", "Walk-forward", "by luck"):
        assert text in drawn.stdout
    (row,) = answer(parakeet.invoke(app, ["sweep", "list", "--json"]))
    again = answer(parakeet.invoke(app, [*RUN, "--axis", "lookback=63,126", "--json"]))
    assert again["id"] == row["id"]
    assert answer(parakeet.invoke(app, ["sweep", "show", row["id"][:12], "--json"])) == again
    # What has ended is not cancelled any more.
    assert answer(parakeet.invoke(app, ["sweep", "cancel", row["id"][:12], "--json"])) == again
    assert "splits" in parakeet.invoke(app, ["sweep", "validate", row["id"][:12]]).stdout
    assert "plateau" in parakeet.invoke(app, ["sweep", "stability", row["id"][:12]]).stdout
    table = parakeet.invoke(app, ["sweep", "list"]).stdout
    assert row["id"][:12] in table
    assert "complete" in table


def test_a_sweep_that_was_cancelled_goes_on(parakeet: CliRunner, sample_settings: Settings) -> None:
    sweep_id = asyncio.run(waiting_sweep(sample_settings))
    cancelled = answer(parakeet.invoke(app, ["sweep", "cancel", sweep_id[:12], "--json"]))
    assert (cancelled["job"]["status"], cancelled["result"]) == ("cancelled", None)
    assert "cancelled: 2 trials" in parakeet.invoke(app, ["sweep", "show", sweep_id]).stdout
    done = answer(parakeet.invoke(app, ["sweep", "resume", sweep_id[:12], "--budget", "trials=2", "--json"]))
    assert (done["job"]["status"], done["result"]["n_done"], done["budget"]["trials"]) == ("succeeded", 2, 2)


async def waiting_sweep(settings: Settings) -> str:
    """Id of a sweep of two trials that nobody works on."""
    base = BacktestRequest(strategy="dual_momentum", universe="SAMPLE_US5", start=dt.date(2008, 1, 2))
    request = SweepRequest(base=base, space=Space(axes={"lookback": Axis(values=(63, 126))}))
    async with opened(settings) as resources:
        begun = await start_sweep(resources.engine, resources.store, Outbox(), request, price=resources.price)
    return begun.sweep.id


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("run", "dual_momentum", "SAMPLE_US5"), 2, "space.axes"),
        (("run", "dual_momentum", "SAMPLE_US5", "--axis", "lookback=1"), 2, "axes.lookback"),
        (("run", "dual_momentum", "MARS", "--axis", "lookback=63"), 3, "SAMPLE_US5"),
        (("run", "dual_momentum", "SAMPLE_US5", "--axis", "top_n=1:3:3", "--budget", "trials=2"), 2, "budget.trials"),
        (("run", "--spec", "nowhere.json"), 2, "nowhere.json"),
        (("show", "nope"), 3, "unknown sweep"),
        (("resume", "nope"), 3, "unknown sweep"),
        (("resume", "nope", "--budget", "speed=1"), 2, "budget.speed"),
        (("cancel", "nope"), 3, "unknown sweep"),
        (("stability", "nope"), 3, "unknown sweep"),
        (("stability", "nope", "--metric", "luck"), 2, "sharpe"),
        (("validate", "nope"), 3, "unknown sweep"),
        (("validate", "nope", "--groups", "1"), 2, "n_groups"),
    ],
)
def test_bad_input_has_an_exit_code_and_a_reason(
    parakeet: CliRunner, arguments: tuple[str, ...], code: int, word: str
) -> None:
    done = parakeet.invoke(app, ["sweep", *arguments])
    assert (done.exit_code, word in done.stderr) == (code, True), done.output
