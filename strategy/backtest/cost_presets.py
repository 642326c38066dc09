"""Cost models by name: price lists of brokers as they stood on a date, in words and in figures.

Brokers change their prices. Each list says what it is of, when it was read and what it leaves out; look at the source
before you trust it with a decision.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from strategy.backtest.costs import CostModel, CostTier


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A cost model and where it comes from.

    Parameters
    ----------
    model : CostModel
    about : str
        The prices in words.
    currency : str or None
        ISO 4217 code of the amounts; None: there is none in it.
    as_of : date or None
        When the list was known to be so; None: it is nobody's list.
    source : str or None
        Where the broker publishes it.
    leaves_out : str
        What is charged beside it, empty for nothing.
    """

    model: CostModel
    about: str
    currency: str | None = None
    as_of: dt.date | None = None
    source: str | None = None
    leaves_out: str = ""

    @property
    def description(self) -> str:
        """The prices in words, with their date."""
        if self.as_of is None:
            return self.about
        return f"{self.about} As of {self.as_of.isoformat()}, check before use. Leaves out {self.leaves_out}."


_READ = dt.date(2025, 6, 30)
_IBKR_US = "https://www.interactivebrokers.com/en/pricing/commissions-stocks.php"
_IBKR_AU = "https://www.interactivebrokers.com.au/en/pricing/commissions-stocks-asia-pacific.php"
_US_FEES = "half the spread, and the SEC's and FINRA's fees on sales"
_STAKE_TIERS = (CostTier(up_to=30_000, flat=3), CostTier(up_to=None, bps=1))

#: Price lists by name. Interactive Brokers' margin is that of an automatic conversion.
PRICE_LISTS: Mapping[str, PriceList] = MappingProxyType(
    {
        "zero": PriceList(model=CostModel(), about="None, to compare rules and not returns."),
        "ten_bps": PriceList(model=CostModel(bps=10.0), about="10 bp of the traded value."),
        "ibkr_us_fixed": PriceList(
            model=CostModel(per_share=0.005, minimum=1.0, maximum_bps=100.0, fx_margin_bps=3.0),
            about="Interactive Brokers US, fixed: USD 0.005 a share, at least USD 1, at most 1 % of the value; "
            "0.03 % of a conversion.",
            currency="USD",
            as_of=_READ,
            source=_IBKR_US,
            leaves_out=_US_FEES,
        ),
        "ibkr_us_tiered": PriceList(
            model=CostModel(per_share=0.0035, minimum=0.35, maximum_bps=100.0, fx_margin_bps=3.0),
            about="Interactive Brokers US, tiered, up to 300,000 shares a month: USD 0.0035 a share, "
            "at least USD 0.35, at most 1 % of the value; 0.03 % of a conversion.",
            currency="USD",
            as_of=_READ,
            source=_IBKR_US,
            leaves_out=f"exchange and clearing fees and rebates, {_US_FEES}",
        ),
        "ibkr_au_fixed": PriceList(
            model=CostModel(bps=8.0, minimum=6.0, fx_margin_bps=3.0),
            about="Interactive Brokers Australia, fixed: 0.08 % of the value, at least AUD 6; 0.03 % of a conversion.",
            currency="AUD",
            as_of=_READ,
            source=_IBKR_AU,
            leaves_out="goods and services tax, and half the spread",
        ),
        "ibkr_au_tiered": PriceList(
            model=CostModel(bps=8.0, minimum=5.0, fx_margin_bps=3.0),
            about="Interactive Brokers Australia, tiered, up to AUD 3 million a month: 0.08 % of the value, "
            "at least AUD 5; 0.03 % of a conversion.",
            currency="AUD",
            as_of=_READ,
            source=_IBKR_AU,
            leaves_out="exchange and clearing fees, goods and services tax, and half the spread",
        ),
        "stake_us": PriceList(
            model=CostModel(tiers=_STAKE_TIERS, fx_margin_bps=70.0),
            about="Stake US: USD 3 up to USD 30,000, above it 0.01 % of the value; 0.7 % of a conversion.",
            currency="USD",
            as_of=_READ,
            source="https://hellostake.com/au/pricing",
            leaves_out=f"{_US_FEES}; and it converts with every order, where Stake converts deposits and withdrawals",
        ),
        "stake_asx": PriceList(
            model=CostModel(tiers=_STAKE_TIERS),
            about="Stake ASX: AUD 3 up to AUD 30,000, above it 0.01 % of the value.",
            currency="AUD",
            as_of=_READ,
            source="https://hellostake.com/au/pricing",
            leaves_out="half the spread; conversions, as it deals in AUD only",
        ),
        "commsec": PriceList(
            model=CostModel(
                tiers=(
                    CostTier(up_to=1_000, flat=5),
                    CostTier(up_to=3_000, flat=10),
                    CostTier(up_to=10_000, flat=19.95),
                    CostTier(up_to=25_000, flat=29.95),
                    CostTier(up_to=None, bps=12),
                )
            ),
            about="CommSec, online, settled to a CDIA: AUD 5 up to AUD 1,000, AUD 10 up to AUD 3,000, AUD 19.95 up to "
            "AUD 10,000, AUD 29.95 up to AUD 25,000, above it 0.12 % of the value.",
            currency="AUD",
            as_of=_READ,
            source="https://www.commsec.com.au/support/rates-and-fees.html",
            leaves_out="half the spread; conversions, as it is for Australian shares",
        ),
    }
)
#: Cost models by name.
PRESETS: Mapping[str, CostModel] = MappingProxyType({key: each.model for key, each in PRICE_LISTS.items()})
