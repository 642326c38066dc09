"""Responses of /strategies."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.schemas.model import Model


class StrategyOut(Model):
    """A strategy; forms are drawn from `parameters`, a JSON schema."""

    key: str
    version: int
    title: str
    description: str
    rebalance: str
    parameters: dict[str, Any] = Field(description="JSON schema of the parameters.")


class StrategyList(Model):
    """Every strategy, ours and those of installed packages."""

    data: list[StrategyOut]
