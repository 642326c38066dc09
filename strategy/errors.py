"""Errors of the core.

::

    StrategyError
    ├── PanelError                  a panel whose arrays do not fit together
    │   └── MissingFieldError       a field was asked for that was not loaded
    ├── AdjustmentError             a dividend that no price can be adjusted for
    ├── CalendarError               an exchange's sessions cannot be told
    │   └── UnknownCalendarError    no calendar has this code
    ├── CurrencyError               no rate leads from one currency to another
    ├── MissingRateError            no rate is known on a session
    ├── MembershipError             stays of a universe contradict one another
    ├── UnknownStrategyError        no strategy has this key
    ├── ParameterError              a parameter is unknown, out of bounds or names a ticker that is not there
    ├── InsufficientHistoryError    too few observations for what was asked
    ├── StatisticError              a statistic that the given figures do not define
    ├── ExecutionError              a backtest that cannot be executed as specified
    ├── InfeasibleConstraintsError  no weights keep all constraints
    └── LookaheadError              decisions changed when only the future was changed
"""

from __future__ import annotations

from collections.abc import Sequence


class StrategyError(Exception):
    """Base of every error that the core raises."""


class PanelError(StrategyError):
    """The arrays of a panel do not fit together."""


class MissingFieldError(PanelError):
    """A field was asked for that the panel was not loaded with."""

    def __init__(self, field: str, loaded: Sequence[str]) -> None:
        self.field = field
        self.loaded = tuple(loaded)
        super().__init__(f"the panel has no {field!r}; it was loaded with {', '.join(self.loaded)}")


class AdjustmentError(StrategyError):
    """A dividend is as large as the price that it was paid from."""

    def __init__(self, row: int, column: int, dividend: float, close: float) -> None:
        self.row = row
        self.column = column
        self.dividend = dividend
        self.close = close
        super().__init__(f"a dividend of {dividend:g} on a close of {close:g} leaves no price to adjust")


class CalendarError(StrategyError):
    """The sessions of an exchange cannot be told."""

    def __init__(self, calendar: str, reason: str) -> None:
        self.calendar = calendar
        self.reason = reason
        super().__init__(f"calendar {calendar}: {reason}")


class UnknownCalendarError(CalendarError):
    """No calendar has this code."""

    field = "calendar"

    def __init__(self, code: str, near: Sequence[str]) -> None:
        self.value = code
        self.near = tuple(near)
        like = f"; like it are {', '.join(near)}" if near else ""
        super().__init__(code, f"no such exchange{like}; use an ISO 10383 code such as XNYS or XASX, or 24/5 or 24/7")


class CurrencyError(StrategyError):
    """No pair, nor two through US dollars, leads from one currency to another."""

    def __init__(self, currency: str, base: str, pairs: Sequence[str]) -> None:
        self.field = "currency"
        self.value = currency
        known = ", ".join(pairs) or "none"
        super().__init__(f"no rate from {currency} to {base}: the pairs are {known}; ingest {currency}{base}")


class MissingRateError(StrategyError):
    """No rate from one currency to another is known on a session."""

    field = "base_currency"

    def __init__(self, currency: str, base: str, session: str) -> None:
        self.value = base
        self.session = session
        super().__init__(
            f"no rate from {currency} to {base} is known on {session}: rates hold for a week; "
            f"ingest the pair over these days, or choose another start or end"
        )


class MembershipError(StrategyError):
    """Stays in a universe, or changes of them, contradict one another; every contradiction is named."""

    field = "members"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


class UnknownStrategyError(StrategyError):
    """No strategy is registered under this key."""

    def __init__(self, key: str, known: Sequence[str]) -> None:
        self.key = key
        self.known = tuple(known)
        super().__init__(f"unknown strategy {key!r}; known are {', '.join(self.known)}")


class ParameterError(StrategyError):
    """A strategy parameter is unknown, out of its bounds, or names what the panel does not hold."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"parameter {field}={value!r}: {reason}")


class InsufficientHistoryError(StrategyError):
    """There are fewer observations than the computation needs."""

    def __init__(self, what: str, needed: int, available: int) -> None:
        self.what = what
        self.needed = needed
        self.available = available
        super().__init__(f"{what} needs {needed} observations, there are {available}")


class StatisticError(StrategyError):
    """A statistic is not defined for the figures that it was asked for."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={value!r}: {reason}")


class ExecutionError(StrategyError):
    """A backtest cannot be executed as it is specified."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        super().__init__(f"{field}={value!r}: {reason}")


class InfeasibleConstraintsError(StrategyError):
    """No weights keep all constraints of a decision; `conflict` is a smallest set that contradicts itself."""

    field = "constraints"

    def __init__(self, session: str, conflict: Sequence[str]) -> None:
        self.session = session
        self.conflict = tuple(conflict)
        self.value = list(self.conflict)
        what = " and ".join(self.conflict) or "the constraints to rounding"
        super().__init__(f"on {session} no weights keep {what}; relax one of them")


class LookaheadError(StrategyError):
    """The decisions of a strategy changed when only the future of the panel was changed."""

    def __init__(self, strategy: str, session: str) -> None:
        self.strategy = strategy
        self.session = session
        super().__init__(f"strategy {strategy!r} looks ahead: its weights of {session} depend on later prices")
