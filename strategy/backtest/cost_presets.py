"""Cost models by name, as price lists had them on a date."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from strategy.backtest.costs import CostModel

#: Presets by name; `ibkr_us_fixed` as Interactive Brokers publishes it for US stocks, in USD.
PRESETS: Mapping[str, CostModel] = MappingProxyType(
    {
        "zero": CostModel(),
        "ten_bps": CostModel(bps=10.0),
        "ibkr_us_fixed": CostModel(per_share=0.005, minimum=1.0, maximum_bps=100.0),
    }
)
#: What each preset stands for, in words.
PRESET_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "zero": "None, to compare rules and not returns.",
        "ten_bps": "10 bp of the traded value.",
        "ibkr_us_fixed": "Interactive Brokers US, fixed: USD 0.005 a share, at least USD 1, at most 1 % of the value.",
    }
)
