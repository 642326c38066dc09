"""Rules on corporate actions: one that breaks a rule is set aside under the rule's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from backend.ingest.quality.quarantine import Checked, Quarantined, as_json
from backend.ingest.sources.contract import ACTION_SCHEMA

_VALUE_LIMIT = 1e15
_KINDS = {"split", "dividend", "symbol_change", "delisting"}


def checked_actions(actions: pa.Table, *, ticker: str) -> Checked:
    """Part the actions of one ticker into those that may be stored and those that may not."""
    good: dict[tuple[date, str], dict[str, Any]] = {}  # Any: a row of mixed columns
    quarantined = []
    for row in actions.to_pylist():
        rule = _broken_action(row, ticker) or ("duplicate_action" if (row["ex_date"], row["kind"]) in good else None)
        if rule is None:
            good[row["ex_date"], row["kind"]] = row
            continue
        payload = {name: as_json(value) for name, value in row.items()}
        quarantined.append(Quarantined(ticker=ticker, date=row["ex_date"], rules=(rule,), payload=payload))
    rows = [good[key] for key in sorted(good)]
    return Checked(good=pa.Table.from_pylist(rows, schema=ACTION_SCHEMA), quarantined=tuple(quarantined))


def _broken_action(row: Mapping[str, Any], ticker: str) -> str | None:  # Any: a row of mixed columns
    if row["ticker"] != ticker:
        return "wrong_ticker"
    lowest = -1.0 if row["kind"] == "delisting" else math.ulp(0.0)
    is_number = row["value"] is not None and lowest <= row["value"] < _VALUE_LIMIT
    is_known = row["ex_date"] is not None and row["kind"] in _KINDS
    names_symbol = bool(row["new_symbol"]) == (row["kind"] == "symbol_change")
    return None if is_number and is_known and names_symbol else "bad_action"
