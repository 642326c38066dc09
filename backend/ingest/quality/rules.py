"""Every rule of quality control: its name, how severe it is, what it says, and the thresholds with their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: quarantined: not stored. bad: stored, not served. suspect: stored and served, but counted.
Severity = Literal["quarantined", "bad", "suspect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the rules on series draw their lines; the defaults are what every ingest uses.

    Parameters
    ----------
    jump_floor : float
        Log return below which no move is a jump: 0.25 is -22 % or +28 % in a session.
    jump_scales : float
        A jump is also more than this many robust standard deviations (1.4826 times the median absolute log return).
    scale_bars : int
        Earlier returns that the robust standard deviation is taken over.
    least_scale_bars : int
        With fewer of them the deviation is taken as `usual_scale`.
    usual_scale : float
        Robust standard deviation of the daily log return of a share of which nothing is known yet.
    return_bars : int
        A close near any of this many closes before the last is no jump: it is the way back from one.
    unit_factor : float
        Ratio of a currency to its subunit.
    unit_tolerance : float
        Log distance from `unit_factor` within which a jump is an error of the unit: the market moved as well.
    unit_range : float
        A high that is more than this many times the low of its bar mixes units.
    split_days : int
        Calendar days before or after a split within which a jump of its size is taken for its misplaced adjustment.
    split_tolerance : float
        A jump is of the size of a split when that explains all but this share of its log.
    split_scales : float
        The rest must be within this many robust standard deviations, unless the jump is larger than `certain_jump`.
    certain_jump : float
        Log return that no market makes: 1.5 is -78 % or +348 %.
    confirmed_bars : int
        Traded bars after which a new level of prices is believed, and the one before it taken for the error.
    stale_bars : int
        A close repeated this many times in a row, without any range, is stale.
    context_bars : int
        Earlier bars that a verdict may depend on; no less than any other number of bars here.
    dividend_tolerance : float
        Share of the expected step of the adjusted close by which the actual one may miss it.
    dividend_floor : float
        Log step that rounding of an adjusted close can hide.
    """

    jump_floor: float = 0.25
    jump_scales: float = 8.0
    scale_bars: int = 20
    least_scale_bars: int = 5
    usual_scale: float = 0.02
    return_bars: int = 5
    unit_factor: float = 100.0
    unit_tolerance: float = 0.3
    unit_range: float = 50.0
    split_days: int = 31
    split_tolerance: float = 1 / 3
    split_scales: float = 4.0
    certain_jump: float = 1.5
    confirmed_bars: int = 5
    stale_bars: int = 5
    context_bars: int = 30
    dividend_tolerance: float = 0.25
    dividend_floor: float = 0.002


DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: what is done with the bar that breaks it, and in a sentence when it does."""

    severity: Severity
    says: str


def _refused(says: str) -> Rule:
    return Rule(severity="quarantined", says=says)


def _bad(says: str) -> Rule:
    return Rule(severity="bad", says=says)


def _suspect(says: str) -> Rule:
    return Rule(severity="suspect", says=says)


RULES: Mapping[str, Rule] = {
    "wrong_ticker": _refused("The row names no ticker, or another one than was asked for."),
    "missing_date": _refused("The row has no date."),
    "impossible_date": _refused("The date is before 1600, when there was no exchange."),
    "future_date": _refused("The date is later than tomorrow (UTC)."),
    "missing_close": _refused("There is no close."),
    "missing_open": _refused("There is no open, and the source is not one of closes only."),
    "missing_high": _refused("There is no high, and the source is not one of closes only."),
    "missing_low": _refused("There is no low, and the source is not one of closes only."),
    "infinite_value": _refused("A value is infinite, or beyond any market: a price of 1e15 or a volume of 1e18."),
    "non_positive_price": _refused("Open, high, low or close is zero or negative."),
    "high_below_low": _refused("The high is below the low."),
    "open_outside_range": _refused("The open is below the low or above the high."),
    "close_outside_range": _refused("The close is below the low or above the high."),
    "negative_volume": _refused("The volume is negative."),
    "duplicate": _refused("A bar of this date came before; the payload says whether the two are identical."),
    "late_vintage": _refused(
        "At the moment at which the source says it published the bar, another version was visible, and a newer one is "
        "stored: taking it would change what was served as of then."
    ),
    "bad_action": _refused(
        "An action without ex-date, of unknown kind, or whose value or new symbol its kind cannot have."
    ),
    "duplicate_action": _refused("An action of this ex-date and kind came before."),
    "wrong_currency": _bad(
        "The source states another currency than the ticker's: pence (GBX) and pounds (GBP) are two currencies."
    ),
    "unit_error": _bad(
        "The price is about 100 times too high or too low beside the level that held for a week of traded sessions, or "
        "the high of the bar is more than 50 times its low."
    ),
    "bad_split": _bad(
        "The close is off by the ratio of a split known within 31 days: its adjustment is missing, was applied twice, "
        "or on the wrong sessions."
    ),
    "jump_without_action": _suspect(
        "The close moved by more than 22 % down or 28 % up and by more than 8 robust standard deviations, is far from "
        "each of the 5 closes before, and no split or dividend of that session explains it."
    ),
    "missing_action": _suspect(
        "The close jumps but the vendor's adjusted close does not: the vendor knows of a split, spin-off or special "
        "dividend that we do not."
    ),
    "bad_dividend_adjustment": _suspect(
        "At a dividend's ex-date the vendor's adjusted close does not step as the dividend demands: the adjustment "
        "is missing or of another size, or the dividend is in another unit. Earlier adjusted closes are off by as much."
    ),
    "stale_close": _suspect("The same close for at least the fifth time in a row, in a bar without range."),
    "zero_volume": _suspect("Nothing was traded, in a ticker that otherwise is."),
    "missing_session": _suspect("The exchange had at least one session between this bar and the one before it."),
}

#: Rules on single rows, in the order in which they are reported; see `backend.ingest.quality.bars`.
QUARANTINES = tuple(name for name, rule in RULES.items() if rule.severity == "quarantined")
#: Rules on stored bars, in the order of their bits; see `backend.ingest.quality.verdicts`.
VERDICTS = tuple(name for name, rule in RULES.items() if rule.severity != "quarantined")
#: Those that compare adjusted closes, which mean the same only within one answer of a vendor.
OF_ADJUSTED_CLOSE = ("missing_action", "bad_dividend_adjustment")
