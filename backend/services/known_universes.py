"""The universes that the platform knows by name: their descriptions, and lists where we may ship them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from backend.database.universes import UniverseRecord
from backend.ingest.member_files import read_members
from strategy.universe import Membership

_FOLDER = Path(__file__).resolve().parents[2] / "database" / "universes"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUniverse:
    """A universe of the registry; `list_file` None: its members come from a file of the user's."""

    record: UniverseRecord
    about: str
    list_file: str | None

    def stays(self) -> tuple[Membership, ...]:
        """Members of the shipped list, since ever; none where no list is shipped."""
        return read_members(_FOLDER / self.list_file).stays if self.list_file else ()


@lru_cache(maxsize=1)
def known_universes() -> Mapping[str, KnownUniverse]:
    """The registry, by key."""
    tables = tomllib.loads((_FOLDER / "registry.toml").read_text(encoding="utf-8"))
    return {
        key: KnownUniverse(
            about=table.pop("about"),
            list_file=table.pop("list", None),
            record=UniverseRecord(key=key, source_options={}, **table),
        )
        for key, table in tables.items()
    }
