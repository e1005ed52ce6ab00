"""Payouts and their postings, on both databases."""

import asyncio

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.ledger import Phase, partner_payable, partner_reserve
from payment_service.domain.payouts import (
    CarriedReason,
    NewPayout,
    PayoutDiffersError,
    PayoutPlan,
    PayoutPosition,
    PayoutStatus,
)
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.tables import ESCALATIONS
from platform_runtime.database import Database
from tests.fakes.payment import euros
from tests.integration.payment.payouts import CUT, DAY, Books


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database)


async def test_everything_posted_up_to_the_cut_is_reserved_and_nothing_younger(books: Books) -> None:
    await books.sell(1_000, at=CUT - DAY)
    await books.sell(200, at=CUT)
    await books.sell(30, at=CUT + DAY)

    payout = await books.reserve(now=CUT + 2 * DAY)

    assert (payout.status, payout.amount) == (PayoutStatus.RESERVED, euros(1_200))
    assert await books.balance() == 30
    assert await books.balance(partner_payable("acme"), Phase.POSTED) == 1_230
    assert await books.problems() == []


async def test_delay_keeps_what_is_young_for_later(database: Database) -> None:
    books = Books(database, PayoutPlan(delay_days=7))
    await books.sell(1_000, at=CUT - 8 * DAY)
    await books.sell(200, at=CUT - 6 * DAY)

    first = await books.pay("po-1")
    second = await books.pay("po-2", cut=CUT + 2 * DAY, now=CUT + 2 * DAY)

    assert (first.amount, second.amount) == (euros(1_000), euros(200))
    assert await books.balance() == 0


async def test_what_was_given_back_since_the_cut_is_not_paid(books: Books) -> None:
    await books.sell(1_000, at=CUT - DAY)
    await books.sell(500, at=CUT + DAY)
    await books.give_back(100, at=CUT + DAY)
    await books.give_back(20, at=CUT + DAY, phase=Phase.PENDING)

    payout = await books.reserve(now=CUT + 2 * DAY)

    assert payout.amount == euros(880)


async def test_missed_runs_lose_nothing_and_nothing_is_paid_twice(books: Books) -> None:
    for day in range(6):
        await books.sell(100, at=CUT + day * DAY)

    amounts = [(await books.pay(f"po-{day}", cut=CUT + day * DAY, now=CUT + day * DAY)).amount for day in (0, 1, 5, 5)]

    assert amounts == [euros(100), euros(100), euros(400), euros(400)]
    assert await books.paid_out() == 600
    assert await books.balance() == 0


@pytest.mark.parametrize(
    ("owed", "reason"),
    [(0, CarriedReason.NOTHING_PAYABLE), (-50, CarriedReason.NOTHING_PAYABLE), (99, CarriedReason.BELOW_MINIMUM)],
)
async def test_too_little_or_less_than_nothing_is_carried(database: Database, owed: int, reason: CarriedReason) -> None:
    books = Books(database, PayoutPlan(minimum_minor_units=100))
    await books.sell(200, at=CUT)
    await books.give_back(200 - owed, at=CUT)

    payout = await books.reserve()

    assert (payout.status, payout.carried, payout.amount) == (PayoutStatus.CARRIED, reason, euros(0))
    assert await books.balance() == owed


async def test_same_payout_again_takes_nothing_more(books: Books) -> None:
    await books.sell(1_000, at=CUT)
    first = await books.reserve()
    await books.sell(500, at=CUT)

    again = await books.reserve()

    assert again == first
    assert await books.balance() == 500


async def test_payout_of_the_same_id_for_another_currency_is_refused(books: Books) -> None:
    await books.sell(1_000, at=CUT)
    first = await books.reserve()

    with pytest.raises(PayoutDiffersError):
        await books.payouts.reserve(
            _new(first.payout_id, currency="USD"),
            now=CUT,
        )


async def test_while_one_is_open_another_pays_nothing(books: Books) -> None:
    await books.sell(1_000, at=CUT - DAY)
    await books.reserve("po-1", cut=CUT - DAY)
    await books.sell(500, at=CUT)

    second = await books.reserve("po-2")
    of_another = await books.reserve("po-2", partner="others")

    assert (second.status, second.carried) == (PayoutStatus.CARRIED, CarriedReason.ANOTHER_IS_OPEN)
    assert of_another.carried is CarriedReason.NOTHING_PAYABLE
    assert await books.balance() == 500


async def test_second_open_payout_is_refused_by_the_database_itself(books: Books, database: Database) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve("po-1")
    await books.reserve("po-2")

    with pytest.raises(DBAPIError):
        async with database.write() as connection:
            await connection.execute(
                text("UPDATE payouts SET status = 'sending', carried = NULL, minor_units = 5 WHERE payout_id = 'po-2'")
            )


async def test_twelve_at_once_take_the_balance_once(books: Books) -> None:
    await books.sell(1_000, at=CUT)

    payouts = await asyncio.gather(*(books.reserve(f"po-{number}") for number in range(12)))

    assert sorted(payout.amount.minor_units for payout in payouts) == [0] * 11 + [1_000]
    assert await books.balance() == 0
    assert await books.problems() == []


async def test_payouts_that_begin_while_others_settle_never_take_more_than_is_owed(books: Books) -> None:
    async def pay(number: int) -> int:
        paid = await books.pay(f"po-{number}")
        return paid.amount.minor_units if paid.status is PayoutStatus.PAID else 0

    await books.sell(1_000, at=CUT)

    amounts = await asyncio.gather(*(pay(number) for number in range(20)))

    assert sum(amounts) == await books.paid_out() == 1_000
    assert await books.balance() == 0
    assert await books.problems() == []


async def test_paid_payout_is_posted_once(books: Books) -> None:
    await books.sell(1_000, at=CUT)
    first = await books.pay()

    again = await books.payouts.paid(partner="acme", payout_id="po-1", now=CUT + DAY)

    assert (first.status, again) == (PayoutStatus.PAID, first)
    assert await books.balance(partner_payable("acme"), Phase.POSTED) == 0
    assert await books.balance(partner_payable("acme"), Phase.PENDING) == 0
    assert await books.paid_out() == 1_000


@pytest.mark.parametrize("end", [PayoutStatus.REJECTED, PayoutStatus.EXPIRED, PayoutStatus.CANCELLED])
async def test_what_was_not_sent_is_in_the_balance_again(books: Books, end: PayoutStatus) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.payouts.wait(partner="acme", payout_id="po-1", to=PayoutStatus.IN_REVIEW, now=CUT)

    ended = await books.payouts.give_back(partner="acme", payout_id="po-1", to=end, now=CUT)
    again = await books.payouts.give_back(partner="acme", payout_id="po-1", to=end, now=CUT)
    next_one = await books.reserve("po-2")

    assert ended is not None
    assert (ended.status, again) == (end, ended)
    assert next_one.amount == euros(1_000)
    assert await books.problems() == []


async def test_what_was_sent_is_not_given_back(books: Books) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)

    ended = await books.payouts.give_back(partner="acme", payout_id="po-1", to=PayoutStatus.CANCELLED, now=CUT)

    assert ended is not None
    assert ended.status is PayoutStatus.SENDING
    assert await books.balance() == 0


async def test_nothing_to_give_back_is_nothing(books: Books) -> None:
    found = await books.payouts.give_back(partner="acme", payout_id="po-1", to=PayoutStatus.CANCELLED, now=CUT)

    assert found is None


async def test_failed_payout_restores_the_balance_and_opens_one_escalation(books: Books, database: Database) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)

    failed = await books.fail()
    again = await books.fail()

    async with database.read() as connection:
        escalations = await connection.scalar(select(func.count()).select_from(ESCALATIONS))
    assert (failed.status, again) == (PayoutStatus.FAILED, failed)
    assert await books.balance() == 1_000
    assert escalations == 1
    assert await books.problems() == []


async def test_payout_that_came_back_is_payable_at_once_and_its_reserve_stays(database: Database) -> None:
    books = Books(database, PayoutPlan(delay_days=7, reserve_basis_points=1_000, reserve_days=90))
    await books.sell(1_000, at=CUT - 8 * DAY)
    await books.pay()

    returned = await books.come_back(now=CUT + DAY)
    again = await books.come_back(now=CUT + DAY)
    kept_back = await books.kept_back()
    next_one = await books.reserve("po-2", now=CUT + DAY)

    assert (returned.status, again) == (PayoutStatus.RETURNED, returned)
    assert kept_back == 100
    assert (next_one.amount, next_one.withheld) == (euros(810), euros(90))
    assert await books.paid_out() == 0
    assert await books.problems() == []


async def test_balance_that_fell_is_not_paid_out(books: Books) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.give_back(1, at=CUT, phase=Phase.PENDING)

    begun = await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)
    again = await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)

    assert (begun.status, begun.carried) == (PayoutStatus.CARRIED, CarriedReason.BALANCE_FELL)
    assert again == begun
    assert await books.balance() == 999
    assert await books.problems() == []


async def test_reserve_is_kept_for_its_days_and_then_paid(database: Database) -> None:
    books = Books(database, PayoutPlan(delay_days=7, reserve_basis_points=500, reserve_days=30))
    await books.sell(1_000, at=CUT - 8 * DAY)

    first = await books.pay("po-1")
    kept = await books.kept_back()
    early = await books.pay("po-2", cut=CUT + 29 * DAY, now=CUT + 29 * DAY)
    late = await books.pay("po-3", cut=CUT + 30 * DAY, now=CUT + 30 * DAY)

    assert (first.amount, first.withheld, kept) == (euros(950), euros(50), 50)
    assert first.reserve_until == CUT + 30 * DAY
    assert early.carried is CarriedReason.NOTHING_PAYABLE
    # Of what is released a part is kept back again, as of every payout.
    assert (late.amount, late.withheld) == (euros(48), euros(2))
    assert await books.kept_back() == 2
    assert await books.problems() == []


async def test_released_reserve_covers_a_negative_balance_first(database: Database) -> None:
    books = Books(database, PayoutPlan(reserve_basis_points=5_000, reserve_days=1))
    await books.sell(1_000, at=CUT)
    await books.pay("po-1")
    await books.give_back(300, at=CUT + DAY)

    payout = await books.reserve("po-2", now=CUT + 2 * DAY)

    assert (payout.amount, payout.withheld) == (euros(100), euros(100))
    assert await books.balance(partner_reserve("acme"), Phase.POSTED) == 0


async def test_page_is_newest_first_and_of_one_partner(books: Books) -> None:
    for number in range(5):
        await books.reserve(f"po-{number}", now=CUT + number // 2 * DAY)
    await books.reserve("po-9", partner="others")

    first = await books.payouts.page(partner="acme", limit=3, after=None)
    position = PayoutPosition(created_at=first[-1].created_at, payout_id=first[-1].payout_id)
    rest = await books.payouts.page(partner="acme", limit=3, after=position)

    assert [payout.payout_id for payout in (*first, *rest)] == ["po-4", "po-2", "po-3", "po-0", "po-1"]


async def test_escalation_of_a_payout_can_be_found(books: Books, database: Database) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)
    await books.fail()

    async with database.read() as connection:
        escalation_id = await connection.scalar(select(ESCALATIONS.c.escalation_id))
    found = await SqlEscalations(database).find(str(escalation_id))

    assert found is not None
    assert found.subject == "payout:acme:po-1"


@pytest.mark.parametrize("has_failed", [False, True])
async def test_nobody_has_to_look_at_a_payout_once_it_has_an_end(
    books: Books, database: Database, *, has_failed: bool
) -> None:
    await books.sell(1_000, at=CUT)
    await books.reserve()
    await books.payouts.begin_sending(partner="acme", payout_id="po-1", now=CUT)
    await books.unresolved()
    waiting = await SqlEscalations(database).count_open()

    if has_failed:
        await books.fail()
    else:
        await books.payouts.paid(partner="acme", payout_id="po-1", now=CUT)
    await books.unresolved()

    assert waiting == {EscalationReason.PAYOUT_UNRESOLVED: 1}
    assert await SqlEscalations(database).count_open() == ({EscalationReason.PAYOUT_FAILED: 1} if has_failed else {})


def _new(payout_id: str, *, currency: str) -> NewPayout:
    return NewPayout(
        partner="acme",
        payout_id=payout_id,
        currency=currency,
        exponent=2,
        cut=CUT,
        requested_by=None,
        provider="acquirer",
    )
