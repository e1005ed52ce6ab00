"""What a purchase wants, costs, and owes to whom."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listing_service.domain.purchases import (
    MixedCurrenciesError,
    OrderLine,
    PurchaseState,
    ReservedLine,
    StoredPurchase,
    check_one_currency,
    merged,
    shares,
)
from platform_contracts.listing import views
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.money import Money, total

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

_NAMES = st.sampled_from(["acme", "b-side", "c"])
_ORDERS = st.lists(
    st.builds(OrderLine, seller=_NAMES, listing_id=_NAMES, quantity=st.integers(1, 1000)), min_size=1, max_size=50
)
_PRICES = st.builds(Money, minor_units=st.integers(1, 10**9), currency=st.just("EUR"))


def _purchase(lines: list[ReservedLine]) -> StoredPurchase:
    return StoredPurchase(
        purchase_id="p-1",
        buyer_id="b-1",
        state=PurchaseState.HELD,
        lines=tuple(lines),
        reserved_at=NOON,
        held_until=NOON,
    )


@given(_ORDERS)
def test_merged_lines_want_what_the_lines_wanted_each_listing_once_and_in_order(lines: list[OrderLine]) -> None:
    wanted = merged(lines)

    keys = [(line.seller, line.listing_id) for line in wanted]
    assert keys == sorted({(line.seller, line.listing_id) for line in lines})
    for key, line in zip(keys, wanted, strict=True):
        assert line.quantity == sum(each.quantity for each in lines if (each.seller, each.listing_id) == key)


@given(_ORDERS.flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines))))
def test_order_in_which_lines_are_named_makes_no_difference(either: tuple[list[OrderLine], list[OrderLine]]) -> None:
    lines, in_another_order = either

    assert merged(in_another_order) == merged(lines)
    assert merged(merged(lines)) == merged(lines)


@given(st.lists(st.tuples(_NAMES, st.integers(1, 1000), _PRICES), min_size=1, max_size=50))
def test_shares_of_the_sellers_add_up_to_the_total(sold: list[tuple[str, int, Money]]) -> None:
    lines = [
        ReservedLine(seller=seller, listing_id=f"l-{number}", quantity=quantity, price=price)
        for number, (seller, quantity, price) in enumerate(sold)
    ]

    owed = shares(lines)

    assert total(list(owed.values())) == _purchase(lines).total
    assert set(owed) == {seller for seller, _, _ in sold}
    for seller, amount in owed.items():
        assert amount.minor_units == sum(price.minor_units * many for who, many, price in sold if who == seller)


@pytest.mark.parametrize(
    "other",
    [Money(minor_units=1, currency="USD"), Money(minor_units=1, currency="EUR", exponent=3)],
    ids=["currency", "exponent"],
)
def test_prices_of_several_currencies_make_no_purchase(other: Money) -> None:
    with pytest.raises(MixedCurrenciesError):
        check_one_currency("p-1", [Money(minor_units=1, currency="EUR"), other])


def test_words_that_are_stored_are_those_of_the_contract() -> None:
    from listing_service.domain.listings import ListingStatus as StoredStatus

    assert [str(each) for each in PurchaseState] == [str(each) for each in views.PurchaseState]
    assert [str(each) for each in StoredStatus] == [str(each) for each in ListingStatus]
