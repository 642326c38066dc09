"""What a spec chooses, apart from the data and the engine that it is run with."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from strategy.backtest.spec import BacktestSpec

#: They change when data are restated or the engine is released, without anybody having chosen again.
_NOT_CHOSEN = ("snapshot", "fx_snapshot", "engine_version")


def design_of(spec: BacktestSpec) -> str:
    """sha256 of the canonical spec without its snapshots and engine version: trials are counted by it.

    The same rule over the same dates on restated data is one choice, and one trial. Another end is another choice:
    a flattering one can be looked for like a flattering parameter.
    """
    return _digest(_without(spec, _NOT_CHOSEN))


def frozen_spec(spec: BacktestSpec) -> dict[str, Any]:  # Any: JSON values
    """What of a spec is frozen by its pre-registration: all but the snapshots, the engine version and the end."""
    return _without(spec, (*_NOT_CHOSEN, "end"))


def frozen_id(spec: BacktestSpec) -> str:
    """sha256 of the canonical form of `frozen_spec`: whatever else is changed gives another one."""
    return _digest(frozen_spec(spec))


def _without(spec: BacktestSpec, names: tuple[str, ...]) -> dict[str, Any]:  # Any: JSON values
    body = json.loads(spec.canonical_json())
    return {name: value for name, value in body.items() if name not in names}


def _digest(body: dict[str, Any]) -> str:  # Any: JSON values
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
