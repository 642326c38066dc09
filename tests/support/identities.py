"""Identities of a run in which nobody is registered."""

from __future__ import annotations

import datetime as dt

from backend.database.universes import UniverseRecord
from backend.services.identities import Identities

UNIVERSE = UniverseRecord(
    key="U", name="U", currency="USD", calendar="XNYS", benchmark=None, source="vendor", source_options={}
)


def nobody_known(today: dt.date) -> Identities:
    """A run on a database without instruments."""
    return Identities(universe=UNIVERSE, today=today, is_dated=False, stays=[], newest={}, registered=set())
