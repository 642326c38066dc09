"""The spec of a sweep: everything its trials depend on. The hash of its canonical JSON is the sweep id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic_core import to_jsonable_python

from strategy.backtest.spec import BacktestSpec
from strategy.errors import ParameterError
from strategy.library.contract import Strategy
from strategy.sweeps.axes import Axis, Value
from strategy.sweeps.expansion import Expansion, Space, expanded

#: Raised whenever the same spec may give other trials, or another summary of them.
SWEEP_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForward:
    """Choose on the past, judge on what follows, move on; in sessions, as `strategy.validation.splits.walk_forward`."""

    n_train: int = 756
    n_test: int = 252
    purge: int = 0
    is_anchored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSpec:
    """A backtest whose parameters are searched; `base.parameters` are those that stay as they are."""

    base: BacktestSpec
    space: Space
    walk_forward: WalkForward | None = None
    sweep_version: int = SWEEP_VERSION

    def canonical_json(self) -> bytes:
        """The one JSON text of this spec: keys sorted, no white space, no NaN."""
        body = {
            "base": json.loads(self.base.canonical_json()),
            "space": asdict(self.space) | {"axes": {name: asdict(axis) for name, axis in self.space.axes.items()}},
            "walk_forward": asdict(self.walk_forward) if self.walk_forward else None,
            "sweep_version": self.sweep_version,
        }
        return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")

    @property
    def sweep_id(self) -> str:
        """sha256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_json()).hexdigest()

    @classmethod
    def from_json(cls, text: bytes | str) -> SweepSpec:
        """The spec of a canonical JSON text; its id is that of the text."""
        body = json.loads(text)
        return cls(
            base=BacktestSpec.from_json(json.dumps(body["base"])),
            space=Space(**body["space"] | {"axes": {name: _axis(it) for name, it in body["space"]["axes"].items()}}),
            walk_forward=WalkForward(**body["walk_forward"]) if body["walk_forward"] else None,
            sweep_version=body["sweep_version"],
        )

    @property
    def seed(self) -> int:
        """Of what is drawn for its summary: the same spec draws the same."""
        return int(self.sweep_id[:16], 16)

    def expansion(self, strategy: Strategy[Any]) -> Expansion:  # Any: any strategy
        """Parameters of its trials; `ParameterError` where they cannot be made."""
        return expanded(strategy, self.base.parameters, self.space)

    def trial(self, parameters: Mapping[str, Value]) -> BacktestSpec:
        """The backtest of one point."""
        return replace(self.base, parameters=parameters)


def fixed_parameters(
    strategy: Strategy[Any],  # Any: any strategy
    given: Mapping[str, Value],
    axes: Mapping[str, Axis],
) -> dict[str, Value]:
    """Parameters that are not searched: as given, else the strategy's own defaults, as plain JSON values.

    Raises
    ------
    ParameterError
        If a parameter is both given and searched, or is none of the strategy's.
    """
    fields = strategy.parameters.model_fields
    for name, value in given.items():
        if name in axes:
            raise ParameterError(name, value, "is searched: leave it out of parameters, or out of axes")
        if name not in fields:
            raise ParameterError(name, value, f"is no parameter of {strategy.key}: {', '.join(fields)}")
    fixed = {
        name: given.get(name, field.get_default(call_default_factory=True))
        for name, field in fields.items()
        if name not in axes and (name in given or not field.is_required())
    }
    plain: dict[str, Value] = to_jsonable_python(fixed)
    return plain


def _axis(body: Mapping[str, Any]) -> Axis:  # Any: JSON values
    values = body["values"]
    return Axis(**{**body, "values": None if values is None else tuple(values)})
