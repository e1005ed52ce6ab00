"""However many purchases want the same units at once, each unit is held by one of them, and nobody waits for ever."""

import asyncio
import random
from collections.abc import Awaitable, Sequence

import pytest

from listing_service.domain.purchases import PurchaseState, ReservationExpiredError, SoldOutError
from tests.integration.listing.samples import Market, details, order

WAIT_SECONDS = 50
BUYERS = 100
LISTINGS = ("book", "cup", "lamp", "teapot")


async def _all(attempts: Sequence[Awaitable[object]]) -> list[object]:
    """Make all attempts at once, and return what came of each."""
    async with asyncio.timeout(WAIT_SECONDS):
        return list(await asyncio.gather(*attempts, return_exceptions=True))


async def _sell(market: Market, purchase_id: str) -> None:
    await market.reserve(purchase_id)
    await market.confirm(purchase_id)
    await market.sell(purchase_id)


async def test_last_unit_is_held_by_one_of_a_hundred(market: Market) -> None:
    await market.publish(what=details(stock=1))

    outcomes = await _all([market.reserve(f"p-{number}") for number in range(BUYERS)])

    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(failure) for failure in failures] == [SoldOutError] * (BUYERS - 1)
    assert await market.stock() == (0, 1, 0)


async def test_units_are_sold_to_as_many_as_there_are(market: Market) -> None:
    await market.publish(what=details(stock=7))

    outcomes = await _all([_sell(market, f"p-{number}") for number in range(40)])

    assert outcomes.count(None) == 7
    assert {type(outcome) for outcome in outcomes} == {type(None), SoldOutError}
    assert await market.stock() == (0, 0, 7)


async def test_attempts_of_one_purchase_at_once_hold_it_once(market: Market) -> None:
    await market.publish()

    outcomes = await _all([market.reserve("p-1") for _ in range(20)])

    assert outcomes == [outcomes[0]] * 20
    assert await market.stock() == (2, 1, 0)


async def test_releases_of_one_purchase_at_once_give_back_once(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])
    await market.reserve("p-2")

    outcomes = await _all([market.release("p-1") for _ in range(20)])

    assert outcomes == [None] * 20
    assert await market.stock() == (2, 1, 0)


async def test_reservation_and_release_at_once_leave_nothing_held(market: Market) -> None:
    await market.publish(what=details(stock=20))

    outcomes = await _all(
        [move(f"p-{number}") for number in range(20) for move in (market.reserve, market.release, market.reserve)]
    )

    unexpected = [each for each in outcomes if isinstance(each, BaseException)]
    assert {type(each) for each in unexpected} <= {ReservationExpiredError}
    assert await market.stock() == (20, 0, 0)


async def test_confirmation_and_release_at_once_leave_it_released_with_its_units_back(market: Market) -> None:
    await market.publish(what=details(stock=20))
    for number in range(20):
        await market.reserve(f"p-{number}")

    await _all([move(f"p-{number}") for number in range(20) for move in (market.confirm, market.release)])

    states = {await market.state(f"p-{number}") for number in range(20)}
    assert states == {PurchaseState.RELEASED}
    assert await market.stock() == (20, 0, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_purchases_of_the_same_listings_in_any_order_do_not_block_each_other(market: Market, seed: int) -> None:
    chance = random.Random(seed)
    for listing_id in LISTINGS:
        await market.publish(listing_id, what=details(stock=60))

    async def buy(purchase_id: str) -> None:
        await market.reserve(purchase_id, [order(each) for each in chance.sample(LISTINGS, k=len(LISTINGS))])
        await market.confirm(purchase_id)
        await (market.sell(purchase_id) if chance.random() < 0.5 else market.release(purchase_id))

    outcomes = await _all([buy(f"p-{number}") for number in range(60)])

    stocks = {await market.stock(each) for each in LISTINGS}
    assert outcomes == [None] * 60
    assert len(stocks) == 1
    available, held, sold = stocks.pop()
    assert (available + sold, held) == (60, 0)
