"""How often a portfolio may be changed."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Rebalance: TypeAlias = Literal["once", "daily", "weekly", "monthly", "quarterly", "yearly"]
FREQUENCIES: tuple[Rebalance, ...] = get_args(Rebalance)
