"""Amounts as Stripe counts them: mostly ISO 4217's minor units, with exceptions that are wrong by a factor of 100."""

from collections.abc import Mapping
from typing import Final

from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money

_STRIPE_EXPONENTS: Final[Mapping[str, int]] = {
    # ISO counts fifths of an ariary as hundredths; Stripe takes whole ones.
    "MGA": 0,
    # The króna lost its hundredths, and Stripe kept them for the sake of who was there before: 5 ISK are 500.
    "ISK": 2,
}
"""Where Stripe counts otherwise than ISO 4217."""

_UNCLEAR: Final = frozenset({"UGX"})
"""Stripe's own page lists the shilling as one without decimals and as one with two. Nobody is charged by guessing."""

_MULTIPLES: Final[Mapping[int, int]] = {3: 10}
"""The last of three decimals has to be 0: the card networks behind Stripe have no place for it."""

_PAYOUT_MULTIPLES: Final[Mapping[str, int]] = {"HUF": 100, "TWD": 100, "ISK": 100}
"""Charged with two decimals, paid out without."""


class UnsupportedAmountError(Exception):
    """Stripe cannot move this amount exactly, and another one would be wrong."""


def stripe_units(amount: Money, *, is_payout: bool = False) -> int:
    """Return what Stripe calls this amount.

    Raises:
        UnsupportedAmountError: when there is no whole number for it, or Stripe takes none with such an ending.
    """
    _check_known(amount.currency)
    exponent = _stripe_exponent(amount.currency)
    units, rest = divmod(amount.minor_units * 10**exponent, 10**amount.exponent)
    step = _MULTIPLES.get(exponent, 1)
    if is_payout or amount.currency == "ISK":
        step = max(step, _PAYOUT_MULTIPLES.get(amount.currency, 1))
    if rest or units % step:
        raise UnsupportedAmountError(f"{amount.minor_units} minor units of {amount.currency}")
    return units


def from_stripe_units(units: int, currency: str) -> Money:
    """Return the amount that Stripe calls so, in ISO 4217's minor units.

    Raises:
        UnsupportedAmountError: for a currency whose unit is not clear, or not known.
    """
    code = currency.upper()
    _check_known(code)
    exponent = EXPONENTS[code]
    minor_units, rest = divmod(units * 10**exponent, 10 ** _stripe_exponent(code))
    if rest:
        raise UnsupportedAmountError(f"{units} units of {code}")
    return Money(minor_units=minor_units, currency=code, exponent=exponent)


def _check_known(currency: str) -> None:
    if currency in _UNCLEAR or currency not in EXPONENTS:
        raise UnsupportedAmountError(f"{currency}: it is not clear in which unit")


def _stripe_exponent(currency: str) -> int:
    return _STRIPE_EXPONENTS.get(currency, EXPONENTS[currency])
