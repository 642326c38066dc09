"""All that is stored of a spec that is run, computed from its panels alone: no database, no cache."""

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
from strategy.backtest.run import BacktestResult, run_backtest
from strategy.backtest.spec import BacktestSpec
from strategy.errors import StrategyError
from strategy.registry import find_strategy, parsed_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """The result of a spec, and its tables: their keys by name, and their files by key."""

    spec: BacktestSpec
    result: BacktestResult
    keys: Mapping[str, str]
    objects: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The row of a backtest, and its line in the trial ledger."""

    record: BacktestRecord
    trial: TrialRecord


def computed(spec: BacktestSpec, panels: SpecPanels) -> Computed:
    """Run a spec, and encode the tables of its result."""
    strategy = find_strategy(spec.strategy)
    parameters = parsed_parameters(strategy, dict(spec.parameters))
    try:
        result = run_backtest(panels.panel, spec, strategy, parameters, decided_on=panels.decided_on)
    except StrategyError as error:
        error.add_note(f"backtest {spec.backtest_id}")
        raise
    tables = tables_of(panels.panel, result)
    keys = {name: object_key(data) for name, data in tables.items()}
    return Computed(spec=spec, result=result, keys=keys, objects={keys[name]: data for name, data in tables.items()})


def outcome_of(
    found: Computed, manifest: Manifest, panels: SpecPanels, *, origin: str, design: str | None, created_at: dt.datetime
) -> Outcome:
    """Audit a result, and put it into words; but for `created_at` a function of the spec."""
    spec, result, keys = found.spec, found.result, found.keys
    audit = audit_of(manifest, panels, spec, result)
    record = BacktestRecord(
        id=spec.backtest_id,
        spec=json.loads(spec.canonical_json()),
        document=document_of(spec, panels.panel, result, audit=audit, keys=keys, generated_at=created_at),
        created_at=created_at,
        **{f"{name}_key": key for name, key in keys.items()},
    )
    trial = trial_of(spec, result, equity_key=keys["equity"], origin=origin, created_at=created_at, design=design)
    return Outcome(record=record, trial=trial)
