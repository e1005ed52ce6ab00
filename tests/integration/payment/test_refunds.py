"""Refunds in the database: never above what was captured, whoever comes first, and the ledger says so."""

import asyncio

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from payment_service.domain.charges import ChargeStatus, UnknownChargeError
from payment_service.domain.escalations import EscalationReason, escalation_id
from payment_service.domain.ledger import PLATFORM_FEES, Phase
from payment_service.domain.refunds import (
    MOST_REFUNDS,
    DifferentRefundError,
    InvalidRefundError,
    NotCapturedError,
    RefundExceedsError,
    RefundRequest,
    RefundStatus,
    StoredRefund,
)
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.refunds import SqlRefunds
from payment_service.persistence.tables import CHARGES
from platform_contracts.money import Money
from platform_runtime.database import Database
from tests.fakes.payment import euros
from tests.integration.payment.reversals import (
    LATER,
    balances_of,
    capture,
    check_ledger,
    is_open,
    request,
    reversed_units,
)
from tests.integration.payment.samples import NOW, details


@pytest.fixture
def refunds(database: Database) -> SqlRefunds:
    return SqlRefunds(database)


async def test_refund_is_kept_back_first_and_posted_when_it_is_done(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)

    refund = await refunds.request(request(amount=1_000), now=NOW)
    asked = await balances_of(database, Phase.PENDING), await balances_of(database)
    settled = await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)
    done = await balances_of(database, Phase.PENDING), await balances_of(database)

    taken = {
        "cash_clearing:acquirer": 1_000,
        "partner_payable:seller-0": -675,
        "partner_payable:seller-1": -225,
        PLATFORM_FEES: -100,
    }
    before = {
        "cash_clearing:acquirer": -2_000,
        "partner_payable:seller-0": 1_350,
        "partner_payable:seller-1": 450,
        PLATFORM_FEES: 200,
    }
    assert asked == (taken, before)
    assert done == (dict.fromkeys(taken, 0), {account: before[account] + units for account, units in taken.items()})
    assert settled.status is RefundStatus.SUCCEEDED
    assert await refunds.find(tenant="buyers", refund_id="r-1") == settled
    await check_ledger(database)


async def test_refund_that_failed_leaves_everything_as_it_was_and_comes_to_a_person(
    database: Database, refunds: SqlRefunds
) -> None:
    await capture(database)
    before = await balances_of(database)
    refund = await refunds.request(request(), now=NOW)

    failed = await refunds.settle(refund, to=RefundStatus.FAILED, now=LATER)
    again = await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)

    assert (failed.status, again.status) == (RefundStatus.FAILED, RefundStatus.FAILED)
    assert await balances_of(database) == before
    assert set((await balances_of(database, Phase.PENDING)).values()) == {0}
    assert await reversed_units(database) == 0
    assert await is_open(database, EscalationReason.REFUND_FAILED, "refund:buyers:r-1")
    assert (await refunds.request(request("r-2"), now=LATER)).amount == euros(2_000)


async def test_refund_is_settled_once_by_many_at_once(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)
    refund = await refunds.request(request(), now=NOW)

    outcomes = await asyncio.gather(
        *(refunds.settle(refund, to=to, now=LATER) for to in [RefundStatus.SUCCEEDED, RefundStatus.FAILED] * 6)
    )

    assert len({outcome.status for outcome in outcomes}) == 1
    cleared = (await balances_of(database))["cash_clearing:acquirer"]
    assert cleared == (0 if outcomes[0].status is RefundStatus.SUCCEEDED else -2_000)
    await check_ledger(database)


async def test_many_refunds_at_once_never_give_back_more_than_was_captured(
    database: Database, refunds: SqlRefunds
) -> None:
    await capture(database, 333, 334, 334)

    async def one(number: int) -> StoredRefund | None:
        try:
            return await refunds.request(request(f"r-{number}", amount=100 + number), now=NOW)
        except RefundExceedsError:
            return None

    made = [refund for refund in await asyncio.gather(*(one(number) for number in range(20))) if refund is not None]

    total = sum(refund.amount.minor_units for refund in made)
    assert 0 < total <= 1_001
    assert await reversed_units(database) == total
    rest = await refunds.request(request("rest"), now=NOW)
    for refund in [*made, rest]:
        await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)
    assert rest.amount.minor_units == 1_001 - total
    assert set((await balances_of(database)).values()) == {0}
    with pytest.raises(RefundExceedsError):
        await refunds.request(request("one-more", amount=1), now=LATER)
    await check_ledger(database)


async def test_same_refund_asked_for_by_many_at_once_is_one(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)

    found = await asyncio.gather(*(refunds.request(request(amount=500), now=NOW) for _ in range(12)))

    assert len({refund.amount.minor_units for refund in found}) == 1
    assert await reversed_units(database) == 500


async def test_refund_of_the_same_id_with_other_details_is_refused(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)
    await refunds.request(request(amount=500), now=NOW)

    with pytest.raises(DifferentRefundError):
        await refunds.request(request(amount=501), now=NOW)

    assert await reversed_units(database) == 500


async def test_seller_who_was_paid_already_owes_what_a_refund_takes(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)
    refund = await refunds.request(request(amount=400, shares={"seller-1": 400}), now=NOW)

    await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)

    balances = await balances_of(database)
    assert (balances["partner_payable:seller-0"], balances["partner_payable:seller-1"]) == (1_350, 90)


async def test_no_more_is_given_back_than_the_part_that_was_captured(database: Database, refunds: SqlRefunds) -> None:
    await capture(database, amount=1_000)

    with pytest.raises(RefundExceedsError):
        await refunds.request(request(amount=1_001), now=NOW)
    refund = await refunds.request(request(), now=NOW)

    assert refund.amount == euros(1_000)


@pytest.mark.parametrize("status", [ChargeStatus.AUTHORISED, ChargeStatus.VOIDED])
async def test_what_is_not_captured_is_not_given_back(
    database: Database, refunds: SqlRefunds, status: ChargeStatus
) -> None:
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(5), provider="acquirer", now=NOW
    )
    await charges.move(charge, to=status, now=NOW)

    with pytest.raises(NotCapturedError):
        await refunds.request(request(), now=NOW)

    assert await refunds.of_charge(tenant="buyers", charge_id="p-1") is None


async def test_charge_of_another_account_is_none(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)

    with pytest.raises(UnknownChargeError):
        await refunds.request(request(tenant="other"), now=NOW)

    assert await refunds.of_charge(tenant="other", charge_id="p-1") is None


async def test_amount_of_another_currency_is_refused(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)
    in_yen = RefundRequest(
        tenant="buyers",
        refund_id="r-1",
        charge_id="p-1",
        amount=Money(minor_units=5, currency="JPY", exponent=0),
        shares=None,
        reason="broken",
    )

    with pytest.raises(InvalidRefundError):
        await refunds.request(in_yen, now=NOW)

    assert await reversed_units(database) == 0


async def test_charge_has_so_many_refunds_and_no_more(database: Database, refunds: SqlRefunds) -> None:
    await capture(database)
    for number in range(MOST_REFUNDS):
        await refunds.request(request(f"r-{number}", amount=1), now=NOW)

    with pytest.raises(InvalidRefundError):
        await refunds.request(request("one-more", amount=1), now=NOW)

    found = await refunds.of_charge(tenant="buyers", charge_id="p-1")
    assert found is not None
    assert (len(found.refunds), found.reversed) == (MOST_REFUNDS, euros(MOST_REFUNDS))


async def test_database_itself_refuses_to_reverse_more_than_was_captured(database: Database) -> None:
    await capture(database, amount=1_000)

    with pytest.raises(DBAPIError):
        async with database.write() as connection:
            await connection.execute(update(CHARGES).values(reversed_minor_units=1_001))

    assert await reversed_units(database) == 0


async def test_person_hears_of_an_open_refund_and_no_longer_once_it_is_settled(
    database: Database, refunds: SqlRefunds
) -> None:
    await capture(database)
    refund = await refunds.request(request(), now=NOW)
    subject, reason = "refund:buyers:r-1", EscalationReason.REFUND_UNRESOLVED

    await refunds.escalate(refund, now=LATER)
    waits = await is_open(database, reason, subject)
    await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)
    await refunds.escalate(refund, now=LATER)

    found = await SqlEscalations(database).find(escalation_id(reason, subject))
    assert waits
    assert found is not None
    assert (found.resolved_by, found.resolution) == ("platform", "the provider has told: succeeded")
