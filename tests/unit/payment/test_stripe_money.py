"""Amounts at Stripe: never off by a factor, and refused where they cannot be exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.providers.stripe_money import UnsupportedAmountError, from_stripe_units, stripe_units
from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money


def _money(minor_units: int, currency: str) -> Money:
    return Money(minor_units=minor_units, currency=currency, exponent=EXPONENTS[currency])


@pytest.mark.parametrize(
    ("minor_units", "currency", "units"),
    [(1_099, "EUR", 1_099), (500, "JPY", 500), (5_120, "KWD", 5_120), (5, "ISK", 500), (500, "MGA", 5)],
)
def test_amount_is_counted_as_stripe_does(minor_units: int, currency: str, units: int) -> None:
    amount = _money(minor_units, currency)

    assert stripe_units(amount) == units
    assert from_stripe_units(units, currency.lower()) == amount


@pytest.mark.parametrize(
    ("minor_units", "currency"), [(5_124, "KWD"), (501, "MGA"), (1_000, "UGX")], ids=["ending", "fraction", "unclear"]
)
def test_amount_that_cannot_be_exact_is_refused(minor_units: int, currency: str) -> None:
    with pytest.raises(UnsupportedAmountError):
        stripe_units(_money(minor_units, currency))


@pytest.mark.parametrize("currency", ["HUF", "TWD"])
def test_currency_that_is_paid_out_in_whole_ones_is_charged_in_hundredths(currency: str) -> None:
    amount = _money(1_050, currency)

    assert stripe_units(amount) == 1_050
    assert stripe_units(_money(1_100, currency), is_payout=True) == 1_100
    with pytest.raises(UnsupportedAmountError):
        stripe_units(amount, is_payout=True)


@pytest.mark.parametrize(("units", "currency"), [(501, "isk"), (100, "ugx"), (100, "xxx")])
def test_what_stripe_cannot_mean_is_not_read(units: int, currency: str) -> None:
    with pytest.raises(UnsupportedAmountError):
        from_stripe_units(units, currency)


@given(minor_units=st.integers(1, 10**12), currency=st.sampled_from(sorted(EXPONENTS)))
def test_what_is_sent_is_read_as_the_same_amount(minor_units: int, currency: str) -> None:
    amount = _money(minor_units, currency)

    try:
        units = stripe_units(amount)
    except UnsupportedAmountError:
        assert currency in {"UGX", "MGA", *(code for code, exponent in EXPONENTS.items() if exponent == 3)}
    else:
        assert from_stripe_units(units, currency.lower()) == amount
