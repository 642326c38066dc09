"""The panels that a spec is run on: what is traded and valued, and what decisions see.

The last few are kept in memory, as long as the process lives or the Lambda's container: one backtest is seldom alone,
and to load a panel again takes longer than to simulate on it. They are shared, and so nobody can write to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from aws.s3_cache import ObjectStore
from aws.snapshots import load_manifest
from backend.services.currency import in_base_currency
from backend.services.loaded_once import LoadedOnce
from strategy.backtest.spec import BacktestSpec
from strategy.currency import refuse_missing_rates
from strategy.fast_data_loader import load_panel, load_stays, load_suspects
from strategy.panel import Field, PricePanel
from strategy.remembered import Remembered
from strategy.universe import Membership
from strategy.validation.bars_used import SuspectBars

#: Memory of the panels that are kept of a store: four of 500 assets x 5,040 sessions with closes adjusted for dividends
#: and filled over gaps, and a fifth of the 1,769 MB of the Lambda that runs backtests. A larger panel is not kept.
MOST_BYTES = 384 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecPanels:
    """`panel` is traded and valued; `decided_on` is what strategies see, the same one unless it is converted.

    `stays` are those of everybody who was a member, and `suspects` the bars of `panel` that break a rule, None where
    the snapshot is older than their list: what an audit needs of a snapshot beside its panel.
    """

    panel: PricePanel
    decided_on: PricePanel
    stays: tuple[Membership, ...]
    suspects: SuspectBars | None


_KEPT: WeakKeyDictionary[ObjectStore, LoadedOnce[SpecPanels]] = WeakKeyDictionary()


async def panels_of(store: ObjectStore, spec: BacktestSpec) -> SpecPanels:
    """Panels of a spec up to its end, in its base currency.

    A currency's day closes after the exchanges' do, so decisions see the rates of the day before, and values have those
    of the day itself. All quotes of a universe are in its currency.

    Raises
    ------
    CurrencyError, MissingRateError
        If the pairs of the FX snapshot do not lead to the base currency, or not on every session of the span.
    """
    kept = _KEPT.setdefault(store, LoadedOnce(most_bytes=MOST_BYTES, n_bytes=memory_of))
    panels = await kept.get(_key(spec), lambda: _loaded(store, spec))
    if spec.fx_snapshot is not None:
        currency = (await load_manifest(store, spec.snapshot)).currency
        for each in (panels.panel, panels.decided_on):
            refuse_missing_rates(each, currency, spec.base_currency, start=spec.start)
    return panels


def _key(spec: BacktestSpec) -> tuple[object, ...]:
    """What determines the panels of a spec: snapshots are named by the hash of their bytes."""
    return (spec.snapshot, spec.fx_snapshot, spec.base_currency, spec.end, _fields(spec))


async def _loaded(store: ObjectStore, spec: BacktestSpec) -> SpecPanels:
    manifest = await load_manifest(store, spec.snapshot)
    panel = await load_panel(store, spec.snapshot, fields=_fields(spec), end=spec.end)
    valued, decided_on = panel, panel
    if spec.fx_snapshot is not None:
        valued, decided_on = [
            await in_base_currency(
                store,
                panel,
                currencies=[manifest.currency] * panel.n_assets,
                base=spec.base_currency,
                fx_snapshot=spec.fx_snapshot,
                lag_days=lag_days,
            )
            for lag_days in (0, 1)
        ]
    return SpecPanels(
        panel=valued,
        decided_on=decided_on,
        stays=await load_stays(store, manifest),
        suspects=await load_suspects(store, manifest, panel),
    )


def memory_of(panels: SpecPanels) -> int:
    """Memory of all arrays, those included that the panels have computed of themselves, or remember, by now."""
    arrays: dict[int, int] = {}  # a matrix that both panels have, or one that is two things, lies in memory once
    for panel in (panels.panel, panels.decided_on):
        rates = () if panel.conversion is None else (panel.conversion.rates,)
        for values in (*panel.fields.values(), *rates, *vars(panel).values()):
            if isinstance(values, np.ndarray):
                arrays[id(values)] = values.nbytes
            elif isinstance(values, Remembered):
                arrays[id(values)] = values.n_bytes
    return sum(arrays.values())


def _fields(spec: BacktestSpec) -> tuple[Field, ...]:
    """Columns that the spec needs: volumes only where orders have an impact, or are capped by them."""
    needs_volume = bool(spec.costs.impact) or spec.execution.volume_cap is not None
    return ("open", "close", "volume") if needs_volume else ("open", "close")
