"""What every payload with market data says of itself."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from backend.schemas.model import Model


class MetaOut(Model):
    """Where the figures of a payload come from."""

    as_of: dt.datetime | None = Field(description="Newest moment of knowledge used, UTC.")
    snapshot: str | None = None
    source: list[str] | None = None
    quality: dict[str, int] = Field(description="Bars by quality.")
    data_hash: str = Field(description="sha256 of what was computed or served.")
    generated_at: dt.datetime
