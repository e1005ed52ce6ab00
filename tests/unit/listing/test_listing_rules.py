"""What can be a draft, and what goes back before a person has to look at it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listing_service.domain.listing_rules import MAX_PRICE_MINOR_UNITS, checked_details, publication_problems
from listing_service.domain.listings import InvalidListingError, ListingDetails
from platform_contracts.currencies import EXPONENTS
from platform_contracts.money import Money

EUR_12_50 = Money(minor_units=1250, currency="EUR")


def _checked(
    *, title: str = "Teapot", description: str = "", price: Money = EUR_12_50, stock: int = 3
) -> ListingDetails:
    return checked_details(title=title, description=description, price=price, stock=stock)


def test_details_are_kept_in_one_spelling() -> None:
    decomposed = unicodedata.normalize("NFD", "Théière")

    details = _checked(title=f"  {decomposed} ", description="short\r\nand stout\r")

    assert details == _checked(title="Théière", description="short\nand stout")


@given(title=st.text(max_size=220), description=st.text(max_size=50))
def test_details_that_are_accepted_are_accepted_again_unchanged(title: str, description: str) -> None:
    try:
        details = _checked(title=title, description=description)
    except InvalidListingError as refusal:
        assert refusal.field in ("title", "description")  # noqa: PT017 - most texts are none
        return

    assert _checked(title=details.title, description=details.description) == details


@pytest.mark.parametrize("title", ["", "  ", "a" * 201, "two\nlines", "bell\a", "half \ud800"])
def test_title_is_one_line_that_can_be_read(title: str) -> None:
    with pytest.raises(InvalidListingError) as raised:
        _checked(title=title)

    assert raised.value.field == "title"


@pytest.mark.parametrize(
    "price",
    [
        Money(minor_units=100, currency="JPY", exponent=2),
        Money(minor_units=100, currency="EUR", exponent=3),
        Money(minor_units=100, currency="KWD", exponent=2),
        Money(minor_units=100, currency="XYZ"),
        Money(minor_units=-1, currency="EUR"),
        Money(minor_units=MAX_PRICE_MINOR_UNITS + 1, currency="EUR"),
    ],
    ids=["yen", "euro", "dinar", "no currency", "below zero", "too much"],
)
def test_price_is_an_amount_of_its_currency_as_iso_4217_has_it(price: Money) -> None:
    with pytest.raises(InvalidListingError) as raised:
        _checked(price=price)

    assert raised.value.field == "price"


@pytest.mark.parametrize(("currency", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("USD", 2), ("KRW", 0)])
def test_exponents_are_those_of_iso_4217(currency: str, exponent: int) -> None:
    assert EXPONENTS[currency] == exponent
    assert len(EXPONENTS) > 150


def test_dearest_purchase_there_can_be_is_still_an_amount() -> None:
    price = Money(minor_units=MAX_PRICE_MINOR_UNITS, currency="EUR")

    dearest = price.times(50 * 1_000)

    assert Money.model_validate(dearest.model_dump()) == dearest


def test_what_is_in_order_has_no_problems() -> None:
    assert publication_problems(_checked(description="Weapons grade. Not stolenware.")) == ()


def test_each_problem_is_named() -> None:
    details = _checked(title="XL", description="STOLEN, and Counterfeit!", price=EUR_12_50.times(0), stock=0)

    problems = publication_problems(details)

    assert problems == (
        "The title needs at least 3 characters.",
        "The price must be above zero.",
        "There is nothing in stock.",
        "The word “counterfeit” is not allowed.",
        "The word “stolen” is not allowed.",
    )
