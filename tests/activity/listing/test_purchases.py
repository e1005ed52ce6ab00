"""Purchases move stock, each move once, however often it is tried."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from listing_service.activities.purchases import MovePurchase, Reservation, ReserveStock
from listing_service.domain.listings import ListingDetails
from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.purchase import PurchaseLine
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeShare
from tests.fakes.listing import ListingPorts

THIS = MovePurchase(tenant="buyers", purchase_id="p-1")


def _eur(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def _line(listing_id: str = "teapot", quantity: int = 1, seller: str = "acme") -> PurchaseLine:
    return PurchaseLine(seller=seller, listing_id=listing_id, quantity=quantity)


def _request(*lines: PurchaseLine, buyer_id: str = "b-1") -> ReserveStock:
    return ReserveStock(tenant="buyers", purchase_id="p-1", buyer_id=buyer_id, lines=lines or (_line(),))


def _ports(hold: timedelta = timedelta(minutes=15)) -> ListingPorts:
    ports = ListingPorts(hold=hold)
    ports.listings.add("teapot")
    return ports


def _stock(ports: ListingPorts) -> tuple[int, int, int]:
    listing = ports.listings.listings["acme", "teapot"]
    return listing.available, listing.held, listing.sold


async def _run(activity: Any, request: Any) -> Any:
    return await ActivityEnvironment().run(activity, request)


async def _failure_type(activity: Any, request: Any) -> str | None:
    with pytest.raises(ApplicationError) as raised:
        await _run(activity, request)
    assert raised.value.non_retryable
    assert raised.value.category is ApplicationErrorCategory.BENIGN
    return raised.value.type


async def test_reservation_tells_what_it_costs_and_whose_the_money_is() -> None:
    ports = _ports()
    ports.listings.add("cup", tenant="other")
    before = datetime.now(UTC)

    reservation = await _run(
        ports.purchase_activities().reserve, _request(_line(quantity=2), _line("cup", 1, "other"), _line())
    )

    assert isinstance(reservation, Reservation)
    assert reservation.total == _eur(4 * 1250)
    assert reservation.shares == (
        ChargeShare(seller="acme", amount=_eur(3 * 1250)),
        ChargeShare(seller="other", amount=_eur(1250)),
    )
    assert reservation.sellers == ("acme", "other")
    assert timedelta(0) <= reservation.held_until - before - timedelta(minutes=15) < timedelta(seconds=10)


async def test_repeated_reservation_keeps_the_first_price_and_the_first_end() -> None:
    ports = _ports()
    first = await _run(ports.purchase_activities().reserve, _request())
    dearer = ListingDetails(title="Teapot", description="", price=_eur(9999), stock=3)
    ports.listings.listings["acme", "teapot"].details = dearer

    again = await _run(ports.purchase_activities().reserve, _request())

    assert again == first
    assert _stock(ports) == (2, 1, 0)


async def test_sale_and_its_repeats_move_each_unit_once() -> None:
    ports = _ports()
    activities = ports.purchase_activities()
    await _run(activities.reserve, _request())

    for activity in (activities.confirm, activities.confirm, activities.sell, activities.sell, activities.confirm):
        await _run(activity, THIS)

    assert _stock(ports) == (2, 0, 1)


async def test_undoing_and_its_repeats_give_back_once() -> None:
    ports = _ports()
    activities = ports.purchase_activities()
    await _run(activities.reserve, _request())
    await _run(activities.confirm, THIS)

    for activity in (activities.unconfirm, activities.unconfirm, activities.release, activities.release):
        await _run(activity, THIS)

    assert _stock(ports) == (3, 0, 0)


async def test_undoing_what_was_never_done_changes_nothing_and_refuses_what_comes_late() -> None:
    ports = _ports()
    activities = ports.purchase_activities()

    await _run(activities.unconfirm, THIS)
    await _run(activities.release, THIS)
    late = await _failure_type(activities.reserve, _request())

    assert late == ListingFailure.RESERVATION_EXPIRED
    assert _stock(ports) == (3, 0, 0)


async def test_hold_that_has_lapsed_is_neither_confirmed_nor_sold() -> None:
    ports = _ports(hold=timedelta(0))
    activities = ports.purchase_activities()
    await _run(activities.reserve, _request())

    failure_types = [await _failure_type(each, THIS) for each in (activities.confirm, activities.sell)]

    assert failure_types == [ListingFailure.RESERVATION_EXPIRED] * 2
    assert _stock(ports) == (2, 1, 0)


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        (_line("nothing"), ListingFailure.UNKNOWN_LISTING),
        (_line("draft"), ListingFailure.NOT_FOR_SALE),
        (_line("dollars"), ListingFailure.MIXED_CURRENCIES),
        (_line(quantity=3), ListingFailure.SOLD_OUT),
    ],
)
async def test_what_cannot_be_sold_fails_for_good_and_holds_nothing(
    line: PurchaseLine, failure: ListingFailure
) -> None:
    ports = _ports()
    ports.listings.add("draft", status=StoredStatus.DRAFT)
    price = Money(minor_units=1, currency="USD")
    ports.listings.add("dollars", details=ListingDetails(title="Buck", description="", price=price, stock=1))

    failure_type = await _failure_type(ports.purchase_activities().reserve, _request(_line(), line))

    assert failure_type == failure
    assert _stock(ports) == (3, 0, 0)


async def test_purchase_of_this_id_with_other_contents_fails_for_good() -> None:
    ports = _ports()
    await _run(ports.purchase_activities().reserve, _request())

    failure_type = await _failure_type(ports.purchase_activities().reserve, _request(buyer_id="b-2"))

    assert failure_type == ListingFailure.PURCHASE_DIFFERS
