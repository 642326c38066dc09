"""What a person writes of a sweep, as the body that HTTP takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.commands.sweep_body import axes_of, budget_of, merged, sweep_body
from backend.services.errors import RequestError

BODY: dict[str, Any] = {  # Any: JSON
    "base": {"strategy": "dual_momentum", "universe": "SAMPLE_US5", "parameters": {"top_n": 2}},
    "space": {"axes": {"lookback": {"values": [63, 126]}}},
}


def test_axes_are_values_or_a_range() -> None:
    assert axes_of(["lookback=63,126", "top_n=1:5", "skip=0:20:3", "speed=1:100:5:log", "kind=fast,slow"]) == {
        "lookback": {"values": [63, 126]},
        "top_n": {"low": 1, "high": 5},
        "skip": {"low": 0, "high": 20, "n_points": 3},
        "speed": {"low": 1, "high": 100, "n_points": 5, "scale": "log"},
        "kind": {"values": ["fast", "slow"]},
    }


def test_options_replace_parts_of_a_file_and_leave_the_rest() -> None:
    above = {"base": {"universe": "MINE", "start": None, "parameters": {"skip": 5}}, "budget": {}, "space": {"seed": 7}}
    assert merged(BODY, above) == {
        "base": {"strategy": "dual_momentum", "universe": "MINE", "parameters": {"top_n": 2, "skip": 5}},
        "space": {"axes": {"lookback": {"values": [63, 126]}}, "seed": 7},
    }


def test_a_file_alone_is_what_http_takes(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps(BODY))
    body = sweep_body(path, {"walk_forward": {}, "budget": {"seconds": 60}})
    assert (body.base.strategy, body.space.axes["lookback"].values) == ("dual_momentum", [63, 126])
    assert (body.walk_forward, body.budget.seconds) == (None, 60)


@pytest.mark.parametrize(
    ("text", "options", "field", "word"),
    [
        (None, {}, "base.strategy", "required"),
        (None, {"base": BODY["base"]}, "space.axes", "at least 1"),
        ("{", {}, "spec", "no JSON"),
        ("[]", {}, "spec", "JSON object"),
        (json.dumps(BODY | {"force": True}), {}, "force", "not permitted"),
        (json.dumps(BODY), {"space": {"method": "guess"}}, "space.method", "sobol"),
        (json.dumps(BODY), {"walk_forward": {"n_train": 3}}, "walk_forward.n_train", "greater than or equal to 20"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, text: str | None, options: Any, field: str, word: str
) -> None:  # Any: JSON
    path = None if text is None else tmp_path / "sweep.json"
    if path is not None and text is not None:
        path.write_text(text)
    with pytest.raises(RequestError, match=word) as caught:
        sweep_body(path, options)
    assert caught.value.field == field


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere\.json.*name a JSON file"):
        sweep_body(tmp_path / "nowhere.json", {})


def test_an_axis_or_a_limit_that_cannot_be_read_says_how_to_write_it() -> None:
    with pytest.raises(RequestError, match="low:high:points:log"):
        axes_of(["lookback=1:2:3:log:5"])
    with pytest.raises(RequestError, match="--axis lookback=63,126"):
        axes_of(["lookback"])
    with pytest.raises(RequestError, match="greater than 0") as caught:
        budget_of(["seconds=0"])
    assert caught.value.field == "budget.seconds"
