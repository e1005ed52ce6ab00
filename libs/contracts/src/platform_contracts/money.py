"""Money: whole minor units of one currency, never a fraction."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from platform_contracts.message import ContractModel

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""

_MOST_MINOR_UNITS = 10**15
"""A billion times a million: beyond any sale, and exact in every JSON reader (below 2**53)."""


class CurrencyMismatchError(ValueError):
    """Amounts of two currencies cannot be added."""


class Money(ContractModel):
    """An amount. The exponent says how many digits of the minor units are behind the point: 2 for EUR, 0 for JPY."""

    minor_units: Annotated[int, Field(strict=True, ge=-_MOST_MINOR_UNITS, le=_MOST_MINOR_UNITS)]
    currency: Currency
    exponent: Annotated[int, Field(ge=0, le=4)] = 2
    """By ISO 4217."""

    def __add__(self, other: Self) -> Self:
        """Return the sum.

        Raises:
            CurrencyMismatchError: when the currencies differ.
        """
        if (self.currency, self.exponent) != (other.currency, other.exponent):
            raise CurrencyMismatchError(f"{self.currency} and {other.currency}")
        return self.model_copy(update={"minor_units": self.minor_units + other.minor_units})

    def as_text(self) -> str:
        """Return the amount as people write it: `12.50 EUR`."""
        if self.exponent == 0:
            return f"{self.minor_units} {self.currency}"
        sign = "-" if self.minor_units < 0 else ""
        major, minor = divmod(abs(self.minor_units), 10**self.exponent)
        return f"{sign}{major}.{minor:0{self.exponent}d} {self.currency}"

    def times(self, quantity: int) -> Self:
        """Return the amount for that many."""
        return self.model_copy(update={"minor_units": self.minor_units * quantity})


def total(amounts: list[Money]) -> Money:
    """Return the sum of one or more amounts of one currency.

    Raises:
        CurrencyMismatchError: when the currencies differ.
        ValueError: for no amounts, which have no currency.
    """
    if not amounts:
        raise ValueError("the sum of nothing has no currency")
    first, *others = amounts
    for amount in others:
        first = first + amount
    return first
