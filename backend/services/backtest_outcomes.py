"""All that is stored of a spec that is run, computed from its panels alone: no database, no cache, one thread."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws.manifest import Manifest
from aws.s3_cache import object_key
from backend.database.backtests import BacktestRecord
from backend.database.trials import TrialRecord
from backend.services.backtest_audits import audit_of
from backend.services.backtest_documents import document_of, tables_of, trial_of
from backend.services.panels import SpecPanels
from strategy.backtest.run import run_backtest
from strategy.backtest.spec import BacktestSpec
from strategy.errors import StrategyError
from strategy.registry import find_strategy, parsed_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The row of a backtest, its line in the trial ledger, and its tables by the keys that the row has of them."""

    record: BacktestRecord
    trial: TrialRecord
    objects: Mapping[str, bytes]


def outcome_of(
    spec: BacktestSpec,
    manifest: Manifest,
    panels: SpecPanels,
    *,
    origin: str,
    design: str | None,
    created_at: dt.datetime,
) -> Outcome:
    """Run a spec, audit the result, and put it into words and files; but for `created_at` a function of the spec."""
    strategy = find_strategy(spec.strategy)
    parameters = parsed_parameters(strategy, dict(spec.parameters))
    try:
        result = run_backtest(panels.panel, spec, strategy, parameters, decided_on=panels.decided_on)
    except StrategyError as error:
        error.add_note(f"backtest {spec.backtest_id}")
        raise
    audit = audit_of(manifest, panels, spec, result)
    tables = tables_of(panels.panel, result)
    keys = {name: object_key(data) for name, data in tables.items()}
    record = BacktestRecord(
        id=spec.backtest_id,
        spec=json.loads(spec.canonical_json()),
        document=document_of(spec, panels.panel, result, audit=audit, keys=keys, generated_at=created_at),
        created_at=created_at,
        **{f"{name}_key": key for name, key in keys.items()},
    )
    trial = trial_of(spec, result, equity_key=keys["equity"], origin=origin, created_at=created_at, design=design)
    return Outcome(record=record, trial=trial, objects={keys[name]: data for name, data in tables.items()})
