"""Accounts at vendors, as the settings hold them; imports nothing, since every function's settings hold one."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TiingoAccount:
    """Key and hourly limit of an account: the free plan has 50 requests an hour (tiingo.com/about/pricing)."""

    api_key: str = field(repr=False)
    requests_per_hour: int = 50
