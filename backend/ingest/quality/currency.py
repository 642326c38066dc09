"""The rule on currencies: a price in pence is no price in pounds."""

from __future__ import annotations

#: How vendors write a hundredth of a currency, beside the code of ours.
_SUBUNITS = {"GBp": "GBX", "GBx": "GBX", "ZAc": "ZAC", "ILa": "ILA"}


def is_wrong_currency(stated: str | None, expected: str | None) -> bool:
    """Whether a source states another currency than is expected; False where either says nothing.

    Parameters
    ----------
    stated : str or None
        As the vendor writes it: "GBp" and "GBX" are pence, "GBP" pounds.
    expected : str or None
        ISO 4217 code, or GBX, ZAC, ILA for the hundredth of one.
    """
    if not stated or not expected:
        return False
    ours = _SUBUNITS.get(stated, stated.upper())
    return ours != _SUBUNITS.get(expected, expected.upper())
