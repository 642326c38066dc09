"""One figure as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["fraction", "ratio", "currency", "sessions", "count", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure; `value` None: undefined for this result."""

    key: str
    value: float | str | None
    unit: Unit
    definition: str
