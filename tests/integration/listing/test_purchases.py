"""Each unit is in one place, and each purchase moves it once, however often and in whatever order it is tried."""

from datetime import timedelta

import pytest

from listing_service.domain.listings import UnknownListingError
from listing_service.domain.purchases import (
    MixedCurrenciesError,
    NotForSaleError,
    OrderLine,
    PurchaseDiffersError,
    PurchaseState,
    ReservationExpiredError,
    SoldOutError,
)
from platform_contracts.money import Money
from tests.integration.listing.samples import HOLD, NOON, TEAPOT, Market, details, order

NEVER_LATER = NOON + timedelta(days=365)


async def test_reservation_holds_the_units_at_the_price_of_the_moment(market: Market) -> None:
    await market.publish()

    purchase = await market.reserve("p-1", [order(quantity=2)])

    assert purchase.total == Money(minor_units=2500, currency="EUR")
    assert (purchase.state, purchase.held_until) == (PurchaseState.HELD, NOON + HOLD)
    assert await market.stock() == (1, 2, 0)


async def test_repeated_reservation_returns_the_first_one_and_holds_nothing_more(market: Market) -> None:
    await market.publish()
    first = await market.reserve("p-1", [order(quantity=2)])

    again = await market.reserve("p-1", [order(quantity=2)], now=NOON + timedelta(minutes=5))

    assert again == first
    assert await market.stock() == (1, 2, 0)


@pytest.mark.parametrize(
    ("lines", "buyer_id"), [([order(quantity=1)], "b-1"), ([order(quantity=2)], "b-2")], ids=["lines", "buyer"]
)
async def test_purchase_of_this_id_with_other_contents_is_refused(
    market: Market, lines: list[OrderLine], buyer_id: str
) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])

    with pytest.raises(PurchaseDiffersError):
        await market.reserve("p-1", lines, buyer_id=buyer_id)

    assert await market.stock() == (1, 2, 0)


async def test_lines_of_one_listing_are_one_line(market: Market) -> None:
    await market.publish()

    purchase = await market.reserve("p-1", [order(), order(quantity=2)])

    assert [line.quantity for line in purchase.lines] == [3]
    assert await market.stock() == (0, 3, 0)


async def test_all_lines_are_held_or_none(market: Market) -> None:
    await market.publish("cup", what=details(stock=5))
    await market.publish("teapot")

    with pytest.raises(SoldOutError):
        await market.reserve("p-1", [order("cup", 5), order("teapot", 4)])

    assert await market.stock("cup") == (5, 0, 0)
    assert await market.state("p-1") is None


async def test_purchase_that_failed_can_be_tried_again(market: Market) -> None:
    await market.publish()
    with pytest.raises(SoldOutError):
        await market.reserve("p-1", [order(quantity=4)])

    await market.reserve("p-1", [order(quantity=3)])

    assert await market.stock() == (0, 3, 0)


async def test_what_does_not_exist_is_unknown_and_what_is_not_published_is_not_for_sale(market: Market) -> None:
    await market.listings.save_draft(tenant="acme", listing_id="draft", details=TEAPOT, now=NOON)
    await market.publish("archived")
    await market.listings.archive(tenant="acme", listing_id="archived", now=NOON)

    with pytest.raises(UnknownListingError):
        await market.reserve("p-1", [order("nothing")])
    with pytest.raises(NotForSaleError):
        await market.reserve("p-1", [order("draft")])
    with pytest.raises(NotForSaleError):
        await market.reserve("p-1", [order("archived")])

    assert await market.stock("archived") == (3, 0, 0)


async def test_purchase_has_one_currency(market: Market) -> None:
    await market.publish("cup", what=details(currency="USD"))
    await market.publish("teapot", seller="other")

    with pytest.raises(MixedCurrenciesError):
        await market.reserve("p-1", [order("cup"), order("teapot", seller="other")])

    assert await market.stock("cup") == (3, 0, 0)


async def test_sale_goes_from_held_over_confirmed_to_sold_each_once(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])

    for _ in range(2):
        await market.confirm("p-1")
        await market.sell("p-1")

    assert await market.state("p-1") is PurchaseState.SOLD
    assert await market.stock() == (1, 0, 2)


async def test_hold_that_has_lapsed_cannot_be_confirmed_and_still_counts_as_held(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=3)])

    with pytest.raises(ReservationExpiredError):
        await market.confirm("p-1", now=NOON + HOLD)
    with pytest.raises(SoldOutError):
        await market.reserve("p-2", now=NEVER_LATER)

    assert await market.stock() == (0, 3, 0)


async def test_confirmed_hold_does_not_lapse(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")
    await market.confirm("p-1")

    await market.confirm("p-1", now=NEVER_LATER)
    await market.sell("p-1", now=NEVER_LATER)

    assert await market.stock() == (2, 0, 1)


async def test_unconfirmed_purchase_is_held_again_and_lapses_again(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")
    await market.confirm("p-1")

    await market.unconfirm("p-1")
    await market.unconfirm("p-1")
    with pytest.raises(ReservationExpiredError):
        await market.confirm("p-1", now=NEVER_LATER)

    assert await market.state("p-1") is PurchaseState.HELD
    assert await market.stock() == (2, 1, 0)


async def test_purchase_that_is_not_confirmed_cannot_be_sold(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")

    with pytest.raises(ReservationExpiredError):
        await market.sell("p-1")
    with pytest.raises(ReservationExpiredError):
        await market.sell("never reserved")

    assert await market.stock() == (2, 1, 0)


@pytest.mark.parametrize("is_confirmed", [False, True], ids=["held", "confirmed"])
async def test_released_units_go_back_once(market: Market, *, is_confirmed: bool) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])
    if is_confirmed:
        await market.confirm("p-1")

    await market.release("p-1")
    await market.release("p-1")

    assert await market.stock() == (3, 0, 0)
    assert await market.state("p-1") is PurchaseState.RELEASED


async def test_released_purchase_holds_confirms_and_sells_nothing_any_more(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")
    await market.release("p-1")

    for attempt in (market.reserve, market.confirm, market.sell):
        with pytest.raises(ReservationExpiredError):
            await attempt("p-1")
    await market.unconfirm("p-1")

    assert await market.state("p-1") is PurchaseState.RELEASED
    assert await market.stock() == (3, 0, 0)


async def test_reservation_that_comes_after_its_release_holds_nothing(market: Market) -> None:
    await market.publish()

    await market.release("p-1")
    with pytest.raises(ReservationExpiredError):
        await market.reserve("p-1")

    assert await market.stock() == (3, 0, 0)
    assert await market.reader.find(tenant="buyers", purchase_id="p-1") is None


async def test_what_is_sold_stays_sold(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")
    await market.confirm("p-1")
    await market.sell("p-1")

    await market.release("p-1")
    await market.unconfirm("p-1")
    again = await market.reserve("p-1")

    assert again.state is PurchaseState.SOLD
    assert await market.stock() == (2, 0, 1)


async def test_purchases_of_an_archived_listing_go_on(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1")
    await market.reserve("p-2")
    await market.listings.archive(tenant="acme", listing_id="teapot", now=NOON)

    await market.confirm("p-1")
    await market.sell("p-1")
    await market.release("p-2")

    assert await market.stock() == (2, 0, 1)


async def test_two_tenants_may_choose_the_same_purchase_id(market: Market) -> None:
    await market.publish()

    await market.reserve("p-1")
    await market.reserve("p-1", tenant="others")
    await market.release("p-1")

    assert await market.stock() == (2, 1, 0)


async def test_purchases_are_read_newest_first_page_by_page_without_those_that_never_were(market: Market) -> None:
    await market.publish(what=details(stock=10))
    for number in range(5):
        # Two of them in the same moment.
        await market.reserve(f"p-{number}", now=NOON + timedelta(seconds=number // 2))
    await market.release("never reserved")
    await market.release("p-3")

    after, seen = None, list[str]()
    while page := await market.reader.page(tenant="buyers", limit=2, after=after):
        seen += [purchase.purchase_id for purchase in page]
        after = market.position_of(page[-1])

    released = await market.reader.find(tenant="buyers", purchase_id="p-3")
    assert seen == ["p-4", "p-3", "p-2", "p-1", "p-0"]
    assert released is not None
    assert (released.state, len(released.lines)) == (PurchaseState.RELEASED, 1)


async def test_sales_are_read_newest_first_by_their_seller_alone(market: Market) -> None:
    for listing_id in ("cup", "teapot"):
        await market.publish(listing_id)
    await market.publish("book", seller="other")
    for number, lines in enumerate([[order("cup", 2), order("teapot")], [order("cup"), order("book", seller="other")]]):
        await market.reserve(f"p-{number}", lines)
        await market.confirm(f"p-{number}")
        await market.sell(f"p-{number}", now=NOON + timedelta(seconds=number))
    await market.reserve("not sold")

    first = await market.reader.sales(seller="acme", limit=2, after=None)
    rest = await market.reader.sales(seller="acme", limit=2, after=market.position_of_sale(first[-1]))

    assert [(sale.purchase_id, sale.listing_id, sale.quantity) for sale in (*first, *rest)] == [
        ("p-1", "cup", 1),
        ("p-0", "teapot", 1),
        ("p-0", "cup", 2),
    ]
    assert first[0].sold_at == NOON + timedelta(seconds=1)
