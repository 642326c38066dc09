"""What speaks for and against a result, as the command line shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.commands.terminal import print_rows
from backend.services.honesty import LiveHonesty, TrialStatistics


def print_honesty(document: Mapping[str, Any], live: LiveHonesty) -> None:  # Any: a JSON document
    """Evidence below the figures of a backtest: what its document says, and what the ledger says now."""
    rows = [*_document_rows(document["honesty"]), *_ledger_rows(live)]
    shown = [{"what": what, "figure": figure} for what, figure in rows]
    print_rows("Honesty", shown, {"what": "", "figure": ""})


def _document_rows(honesty: Mapping[str, Any]) -> list[tuple[str, str]]:  # Any: JSON
    record, audit = honesty.get("track_record"), honesty.get("survivorship")
    if record is None or audit is None:
        return [("survivorship", "not audited: stored by an older engine")]
    delisted, missing = audit["delisted"], audit["missing"]
    rows = [
        ("probability that Sharpe > 0", _share(record["probabilistic_sharpe"])),
        (f"sessions needed at {record['confidence']:.0%}", _length(record["minimum_length"], record["n_returns"])),
        ("capital in names later delisted", _share(delisted["capital_share"])),
        ("members missing from the panel", _share(missing["share"], none="unknown: no member is dated")),
    ]
    rows += [
        (f"growth a year, vanished names at {scenario['loss']:.0%}", _share(scenario["cagr"]))
        for scenario in audit["scenarios"]
    ]
    if (bars := honesty.get("bars")) is not None:
        held = bars["held"]
        rows.append(("suspect bars among those held", f"{held['suspect']:,} of {held['good'] + held['suspect']:,}"))
    return rows


def _ledger_rows(live: LiveHonesty) -> list[tuple[str, str]]:
    return [
        ("trials of this strategy", _trials(live.family)),
        ("deflated Sharpe ratio against them", _share(live.family.deflated_sharpe)),
        ("trials in all", _trials(live.account)),
        ("deflated Sharpe ratio against all", _share(live.account.deflated_sharpe)),
    ]


def _trials(statistics: TrialStatistics) -> str:
    return f"{statistics.n_trials:,}, of which {statistics.n_independent:,} independent"


def _length(sessions: float | None, n_returns: int) -> str:
    return "no number is enough" if sessions is None else f"{sessions:,.0f}, there are {n_returns:,}"


def _share(value: float | None, *, none: str = "undefined") -> str:
    return none if value is None else f"{value:.1%}"
