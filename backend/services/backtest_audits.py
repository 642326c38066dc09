"""What speaks for and against a result, as far as it follows from its spec: the `honesty` block of the document."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from aws.manifest import Manifest
from backend.services.panels import SpecPanels
from strategy.backtest.run import BacktestResult
from strategy.backtest.spec import BacktestSpec
from strategy.validation.bars_used import BarsUsed, bars_used
from strategy.validation.lookahead import LookaheadProof
from strategy.validation.survivorship import SurvivorshipAudit, survivorship_audit
from strategy.validation.track_record import TrackRecord, track_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A result audited.

    `as_of` and `quality` are the moment and the bars of its whole snapshot; `bars` are those that it stands on, None
    where the snapshot is older than the list of suspect ones.
    """

    as_of: dt.datetime
    quality: dict[str, int]
    lookahead: LookaheadProof
    delisted: int
    track_record: TrackRecord
    survivorship: SurvivorshipAudit
    bars: BarsUsed | None

    def block(self) -> dict[str, Any]:  # Any: JSON values
        """The audit as the document has it."""
        return {name: value for name, value in asdict(self).items() if name != "as_of"}


def audit_of(manifest: Manifest, panels: SpecPanels, spec: BacktestSpec, result: BacktestResult) -> Audit:
    """Audit a result against everybody who was a member, and every bar that breaks a rule."""
    panel, simulation, suspects = panels.panel, result.simulation, panels.suspects
    last = int(result.decisions.rows[-1])
    return Audit(
        as_of=manifest.as_of,
        quality=dict(manifest.quality),
        lookahead=result.lookahead,
        delisted=simulation.n_delisted,
        track_record=track_record(result.moments),
        survivorship=survivorship_audit(panel, spec, result, panels.stays),
        bars=None if suspects is None else bars_used(panel, simulation, last_decision=last, suspects=suspects),
    )
