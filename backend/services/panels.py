"""The panels that a spec is run on: what is traded and valued, and what decisions see."""

from __future__ import annotations

from dataclasses import dataclass

from aws.s3_cache import ObjectStore
from aws.snapshots import load_manifest
from backend.services.currency import in_base_currency
from strategy.backtest.spec import BacktestSpec
from strategy.currency import refuse_missing_rates
from strategy.fast_data_loader import load_panel
from strategy.panel import Field, PricePanel


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecPanels:
    """`panel` is traded and valued; `decided_on` is what strategies see, the same one unless it is converted."""

    panel: PricePanel
    decided_on: PricePanel


async def panels_of(store: ObjectStore, spec: BacktestSpec) -> SpecPanels:
    """Panels of a spec up to its end, in its base currency.

    A currency's day closes after the exchanges' do, so decisions see the rates of the day before, and values have those
    of the day itself. All quotes of a universe are in its currency.

    Raises
    ------
    CurrencyError, MissingRateError
        If the pairs of the FX snapshot do not lead to the base currency, or not on every session of the span.
    """
    panel = await load_panel(store, spec.snapshot, fields=_fields(spec), end=spec.end)
    if spec.fx_snapshot is None:
        return SpecPanels(panel=panel, decided_on=panel)
    currency = (await load_manifest(store, spec.snapshot)).currency
    valued, decided_on = [
        await in_base_currency(
            store,
            panel,
            currencies=[currency] * panel.n_assets,
            base=spec.base_currency,
            fx_snapshot=spec.fx_snapshot,
            lag_days=lag_days,
        )
        for lag_days in (0, 1)
    ]
    for each in (valued, decided_on):
        refuse_missing_rates(each, currency, spec.base_currency, start=spec.start)
    return SpecPanels(panel=valued, decided_on=decided_on)


def _fields(spec: BacktestSpec) -> tuple[Field, ...]:
    """Columns that the spec needs: volumes only where orders have an impact, or are capped by them."""
    needs_volume = bool(spec.costs.impact) or spec.execution.volume_cap is not None
    return ("open", "close", "volume") if needs_volume else ("open", "close")
