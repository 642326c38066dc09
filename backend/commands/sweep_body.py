"""What is asked for of a sweep: a file as POST /backtest/sweeps takes it, options, or both, of which options win."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.commands.backtest import named_value, refusals
from backend.schemas.sweeps import BudgetIn, SweepIn
from backend.services.errors import RequestError

#: Parts of a range: low, high, points, scale.
_MOST_PARTS = 4


def sweep_body(spec: Path | None, options: Mapping[str, Any]) -> SweepIn:  # Any: JSON
    """Body of a file and of options; `RequestError` names the field that is wrong."""
    told = {"base": {}, "space": {"axes": {}}} | merged({} if spec is None else _file(spec), options)
    with refusals():
        return SweepIn.model_validate(told)


def budget_of(texts: Sequence[str]) -> BudgetIn:
    """Budget of texts "seconds=60"; `RequestError` names the limit that is unknown or wrong."""
    with refusals("budget"):
        return BudgetIn.model_validate(named_values(texts, option="budget", example="seconds=600"))


def named_values(texts: Sequence[str] | None, *, option: str, example: str) -> dict[str, Any]:  # Any: JSON
    """Values by name of texts "name=value"."""
    return dict(named_value(text, option=option, example=example) for text in texts or ())


def axes_of(texts: Sequence[str] | None) -> dict[str, Any]:  # Any: JSON
    """Axes of texts "lookback=63,126", "lookback=20:180:9" or "lookback=20:180:9:log": values, or a range."""
    return {
        name: _axis(text.partition("=")[2]) for text in texts or () for name, _ in [named_value(text, **_AXIS_OPTION)]
    }


_AXIS_OPTION = {"option": "axis", "example": "lookback=63,126 or lookback=20:180:9"}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON
    """Both, and what both have from above; objects in objects alike, and nothing that is None or an empty object."""
    told = dict(below)
    for name, value in above.items():
        if isinstance(value, Mapping):
            inside = told.get(name)
            value = merged(inside if isinstance(inside, Mapping) else {}, value) or None  # noqa: PLW2901  the same value
        if value is not None:
            told[name] = value
    return told


def _axis(text: str) -> dict[str, Any]:  # Any: JSON
    parts = text.split(":")
    if len(parts) == 1:
        return {"values": [_value(part) for part in text.split(",")]}
    if len(parts) > _MOST_PARTS:
        raise RequestError("axis", text, "write low:high, low:high:points or low:high:points:log")
    return dict(zip(("low", "high", "n_points", "scale"), map(_value, parts), strict=False))


def _value(text: str) -> Any:  # Any: a JSON value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _file(path: Path) -> dict[str, Any]:  # Any: JSON
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError("spec", str(path), f"cannot be read ({error.strerror}); name a JSON file") from error
    except ValueError as error:
        raise RequestError(
            "spec", str(path), f"is no JSON ({error}); write what POST /backtest/sweeps takes"
        ) from error
    if not isinstance(body, dict):
        raise RequestError("spec", str(path), "must hold a JSON object with base and space")
    return body
