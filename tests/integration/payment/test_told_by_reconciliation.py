"""What a reconciliation tells a person of, when that is over, and when it is told again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from payment_service.activities.reconciliation import CheckLedger
from payment_service.domain.charges import ChargeStatus
from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.payouts import PayoutStatus
from payment_service.domain.provider import RecordKind
from payment_service.persistence.escalations import SqlEscalations
from platform_runtime.database import Database
from tests.fakes.payment import FakeAcquirer, euros
from tests.fakes.payment_reconciliation import FakeRecords, record
from tests.integration.payment.payouts import Books
from tests.integration.payment.reconciler import HOUR, Reconciler


@pytest.fixture
def reconciler(database: Database) -> Reconciler:
    return Reconciler(database=database, provider=FakeRecords(), acquirer=FakeAcquirer())


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


async def test_escalation_is_over_once_both_books_agree(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge(at=now - HOUR)
    reconciler.provider.book = [replace(record(at=now - HOUR), amount=euros(1))]
    await reconciler.run()
    await reconciler.run()
    reconciler.provider.book = [record(at=now - HOUR)]

    found = await reconciler.run()

    assert (found.mismatched, found.escalated) == (0, 0)
    (told,) = await reconciler.escalated(is_open=False)
    assert told.reason is EscalationReason.MISMATCHED


async def test_difference_that_comes_back_is_told_again(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge(at=now - HOUR / 2)
    other = replace(record(at=now - HOUR / 2), amount=euros(1))
    for book in (other, other, record(at=now - HOUR / 2), other):
        reconciler.provider.book = [book]
        await reconciler.run()
    before = await reconciler.escalated()

    await reconciler.run()

    assert before == []
    (again,) = await reconciler.escalated()
    (first,) = await reconciler.escalated(is_open=False)
    assert (again.reason, again.subject) == (first.reason, first.subject)
    assert again.escalation_id != first.escalation_id


async def test_what_a_person_has_resolved_is_not_told_again_while_it_is_the_same(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge(at=now - HOUR)
    reconciler.provider.book = [replace(record(at=now - HOUR), amount=euros(1))]
    for _ in range(2):
        await reconciler.run()
    (told,) = await reconciler.escalated()
    await SqlEscalations(reconciler.database).resolve(told.escalation_id, by="user:grace", resolution="seen", now=now)

    found = await reconciler.run()

    assert found.escalated == 1
    assert await reconciler.escalated() == []


async def test_difference_that_becomes_another_one_is_told_as_that(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge("p-2", at=now - 2 * HOUR, status=ChargeStatus.AUTHORISED)
    reconciler.provider.book = [record(at=now - HOUR)]
    for _ in range(2):
        await reconciler.run()
    before = [each.reason for each in await reconciler.escalated()]
    await reconciler.charge(at=now - HOUR)
    reconciler.provider.book = [replace(record(at=now - HOUR), amount=euros(1))]

    await reconciler.run()

    assert before == [EscalationReason.EXTRA_AT_PROVIDER]
    assert [each.reason for each in await reconciler.escalated()] == [EscalationReason.MISMATCHED]


async def test_what_an_event_was_told_for_is_over_as_well_once_both_books_agree(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge(at=now - HOUR)
    reconciler.provider.book = [replace(record(at=now - HOUR), amount=euros(1))]
    await SqlEscalations(reconciler.database).open(
        escalation(
            EscalationReason.MISMATCHED,
            tenant="buyers",
            subject="charge:buyers:p-1",
            now=now,
            details={"eventId": "evt-1"},
        )
    )
    for _ in range(2):
        await reconciler.run()
    (told,) = await reconciler.escalated()
    reconciler.provider.book = [record(at=now - HOUR)]

    await reconciler.run()

    assert {"eventId", "posted", "firstSeenAt"} <= told.details.keys()
    assert await reconciler.escalated() == []


async def test_payout_that_was_never_sent_and_is_paid_all_the_same_is_told(
    reconciler: Reconciler, now: datetime
) -> None:
    books = Books(reconciler.database)
    await reconciler.charge("p-0", at=now - 2 * HOUR)
    await books.sell(1_000, at=now - 2 * HOUR)
    await books.reserve(cut=now, now=now - HOUR)
    given_back = await books.payouts.give_back(
        partner="acme", payout_id="po-1", to=PayoutStatus.CANCELLED, now=now - HOUR
    )
    paid = record("po-1", at=now - HOUR / 2, kind=RecordKind.PAYOUT, tenant="acme", minor_units=1_000)
    reconciler.provider.book = [record("p-0", at=now - 2 * HOUR), paid]

    for _ in range(2):
        await reconciler.run()

    assert given_back is not None
    # The sale is in the ledger alone, and so is told of as well.
    told = {each.subject: each.reason for each in await reconciler.escalated() if each.subject.startswith("payout")}
    assert told == {"payout:acme:po-1": EscalationReason.EXTRA_AT_PROVIDER}
    assert await books.balance() == 1_000


async def test_ledger_that_does_not_add_up_is_told_once(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge(at=now - HOUR)
    async with reconciler.database.write() as connection:
        await connection.execute(
            text("UPDATE ledger_balances SET minor_units = minor_units + 7 WHERE account = 'platform_fees'")
        )
    checks = [
        await ActivityEnvironment().run(reconciler.activities().check_ledger, CheckLedger(run_id=each)) for each in "ab"
    ]

    assert [check.differences for check in checks] == [1, 1]
    (told,) = await reconciler.escalated()
    assert told.reason is EscalationReason.LEDGER_DRIFT
    assert told.subject == "balance platform_fees posted EUR 2 by 7"


async def test_ledger_that_adds_up_again_concerns_nobody_and_is_told_when_it_does_not_once_more(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge(at=now - HOUR)
    waiting: list[int] = []

    for run_id, difference in (("a", 7), ("b", -7), ("c", 7)):
        async with reconciler.database.write() as connection:
            await connection.execute(
                text("UPDATE ledger_balances SET minor_units = minor_units + :by WHERE account = 'platform_fees'"),
                {"by": difference},
            )
        await ActivityEnvironment().run(reconciler.activities().check_ledger, CheckLedger(run_id=run_id))
        waiting.append(len(await reconciler.escalated()))

    assert waiting == [1, 0, 1]
