"""Disputes in the database: told in any order and more than once, beside refunds, and never above what was captured."""

import asyncio

import pytest
from sqlalchemy import text

from payment_service.domain.charges import ChargeStatus, UnknownChargeError
from payment_service.domain.disputes import DisputeNotCapturedError, DisputeStatus
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.ledger import Phase
from payment_service.domain.refunds import (
    RefundExceedsError,
    RefundStatus,
)
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.disputes import SqlDisputes
from payment_service.persistence.refunds import SqlRefunds
from platform_runtime.database import Database
from tests.integration.payment.reversals import (
    LATER,
    balances_of,
    capture,
    check_ledger,
    is_open,
    notice,
    request,
    reversed_units,
)
from tests.integration.payment.samples import NOW, captured, details


@pytest.fixture
def refunds(database: Database) -> SqlRefunds:
    return SqlRefunds(database)


@pytest.fixture
def disputes(database: Database) -> SqlDisputes:
    return SqlDisputes(database)


async def test_opened_dispute_takes_the_shares_and_a_won_one_gives_them_back(
    database: Database, disputes: SqlDisputes
) -> None:
    await capture(database)
    before = await balances_of(database)

    opened = await disputes.apply(notice(DisputeStatus.OPENED), now=NOW)
    taken = await balances_of(database)
    waits = await is_open(database, EscalationReason.DISPUTE_OPENED, "dispute:buyers:d-1")
    won = [await disputes.apply(notice(status), now=LATER) for status in (DisputeStatus.WON, DisputeStatus.OPENED)]

    assert opened.status is DisputeStatus.OPENED
    assert set(taken.values()) == {0}
    assert waits
    assert {dispute.status for dispute in won} == {DisputeStatus.WON}
    assert await balances_of(database) == before
    assert await reversed_units(database) == 0
    assert await is_open(database, EscalationReason.DISPUTE_OPENED, "dispute:buyers:d-1") is False
    await check_ledger(database)


async def test_lost_dispute_keeps_what_it_took(database: Database, disputes: SqlDisputes) -> None:
    await capture(database)

    for status in (DisputeStatus.OPENED, DisputeStatus.LOST, DisputeStatus.LOST):
        await disputes.apply(notice(status, amount=500), now=NOW)

    assert (await balances_of(database))["cash_clearing:acquirer"] == -1_500
    assert await reversed_units(database) == 500
    assert await is_open(database, EscalationReason.DISPUTE_OPENED, "dispute:buyers:d-1") is False


@pytest.mark.parametrize("end", [DisputeStatus.WON, DisputeStatus.LOST])
async def test_dispute_told_many_times_at_once_and_in_any_order_comes_to_one_end(
    database: Database, disputes: SqlDisputes, end: DisputeStatus
) -> None:
    await capture(database)

    await asyncio.gather(*(disputes.apply(notice(status), now=NOW) for status in [end, DisputeStatus.OPENED] * 5))

    found = await disputes.find(tenant="buyers", dispute_id="d-1")
    assert found is not None
    assert found.status is end
    assert (await balances_of(database))["cash_clearing:acquirer"] == (-2_000 if end is DisputeStatus.WON else 0)
    await check_ledger(database)


async def test_dispute_of_what_was_refunded_takes_the_rest_and_the_mismatch_comes_to_a_person(
    database: Database, disputes: SqlDisputes, refunds: SqlRefunds
) -> None:
    await capture(database)
    await refunds.request(request(amount=1_500), now=NOW)

    dispute = await disputes.apply(notice(DisputeStatus.OPENED), now=NOW)

    assert sum(part.minor_units for part in dispute.parts) == 500
    assert await reversed_units(database) == 2_000
    assert await is_open(database, EscalationReason.MISMATCHED, "dispute:buyers:d-1")
    with pytest.raises(RefundExceedsError):
        await refunds.request(request("r-2", amount=1), now=NOW)


async def test_disputes_and_refunds_at_once_take_no_more_than_was_captured(
    database: Database, disputes: SqlDisputes, refunds: SqlRefunds
) -> None:
    await capture(database)

    async def refund(number: int) -> None:
        try:
            await refunds.request(request(f"r-{number}", amount=300), now=NOW)
        except RefundExceedsError:
            return

    await asyncio.gather(
        *(refund(number) for number in range(6)),
        *(
            disputes.apply(notice(DisputeStatus.OPENED, dispute_id=f"d-{number}", amount=400), now=NOW)
            for number in range(4)
        ),
    )

    balances = await balances_of(database, Phase.POSTED, Phase.PENDING)
    assert await reversed_units(database) == 2_000 + balances["cash_clearing:acquirer"]
    assert await reversed_units(database) <= 2_000
    assert balances["cash_clearing:acquirer"] <= 0
    await check_ledger(database)


async def test_dispute_both_won_and_lost_comes_to_a_person_and_changes_nothing(
    database: Database, disputes: SqlDisputes
) -> None:
    await capture(database)
    await disputes.apply(notice(DisputeStatus.LOST), now=NOW)

    stored = await disputes.apply(notice(DisputeStatus.WON), now=LATER)

    assert stored.status is DisputeStatus.LOST
    assert (await balances_of(database))["cash_clearing:acquirer"] == 0
    assert await is_open(database, EscalationReason.EVENT_CONTRADICTS, "dispute:buyers:d-1")


async def test_dispute_about_nothing_of_ours_comes_to_a_person(database: Database, disputes: SqlDisputes) -> None:
    with pytest.raises(UnknownChargeError):
        await disputes.apply(notice(DisputeStatus.OPENED), now=NOW)

    assert await is_open(database, EscalationReason.DISPUTE_OPENED, "dispute:buyers:d-1")
    assert await is_open(database, EscalationReason.MISMATCHED, "dispute:buyers:d-1")


async def test_dispute_told_before_we_know_of_the_capture_is_applied_after_it(
    database: Database, disputes: SqlDisputes
) -> None:
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(1_500, 500), provider="acquirer", now=NOW
    )
    with pytest.raises(DisputeNotCapturedError):
        await disputes.apply(notice(DisputeStatus.OPENED), now=NOW)
    charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)
    await charges.capture(charge, transaction=captured(charge))

    await disputes.apply(notice(DisputeStatus.OPENED), now=LATER)

    assert (await balances_of(database))["cash_clearing:acquirer"] == 0
    assert await is_open(database, EscalationReason.MISMATCHED, "dispute:buyers:d-1") is False


async def test_balances_are_what_was_posted(database: Database, disputes: SqlDisputes, refunds: SqlRefunds) -> None:
    await capture(database)
    refund = await refunds.request(request(amount=301), now=NOW)
    await refunds.settle(refund, to=RefundStatus.SUCCEEDED, now=LATER)
    await disputes.apply(notice(DisputeStatus.OPENED, amount=7), now=LATER)

    async with database.read() as connection:
        drift = await connection.execute(
            text(
                "SELECT b.account FROM ledger_balances b WHERE b.minor_units <> (SELECT sum(p.minor_units) FROM"
                " ledger_postings p WHERE p.account = b.account AND p.phase = b.phase)"
            )
        )
        found = drift.all()

    assert found == []
