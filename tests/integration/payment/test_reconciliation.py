"""A provider's book and the ledger are compared on real databases: each difference is found, and told once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.ledger import Phase, TransactionKind
from payment_service.domain.provider import MovementStatus, ProviderRecord, RecordKind
from payment_service.domain.reconciliation import key_of
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.reconciliations import SqlReconciliations
from payment_service.ports import NoAnswerError
from platform_contracts.money import Money
from platform_contracts.payment.reconciliation import ReconciliationResult
from platform_runtime.database import Database
from tests.fakes.payment import FakeAcquirer, euros
from tests.fakes.payment_reconciliation import FakeRecords, record
from tests.integration.payment.reconciler import HOUR, MINUTE, Reconciler


@pytest.fixture
def reconciler(database: Database) -> Reconciler:
    return Reconciler(database=database, provider=FakeRecords(), acquirer=FakeAcquirer())


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


async def test_books_that_are_equal_match_and_nothing_is_remembered_of_captures(
    reconciler: Reconciler, now: datetime
) -> None:
    for number in range(450):
        at = now - timedelta(days=1) + number * 3 * MINUTE
        await reconciler.charge(f"p-{number}", at=at)
        reconciler.provider.book.append(record(f"p-{number}", at=at - timedelta(seconds=1)))

    found = await reconciler.run()

    assert found == ReconciliationResult(matched=450)
    keys = [key_of(each) for each in reconciler.provider.book]
    assert await SqlReconciliations(reconciler.database).findings("acquirer", keys) == {}


async def test_capture_that_only_the_ledger_has_is_missing_and_told_by_the_second_run(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge(at=now - HOUR)

    first = await reconciler.run()
    told_by_first = await reconciler.escalated()
    second = await reconciler.run()
    third = await reconciler.run()

    assert (first.missing, first.escalated, told_by_first) == (1, 0, [])
    assert (second.missing, second.escalated) == (third.missing, third.escalated) == (1, 1)
    (told,) = await reconciler.escalated()
    assert (told.reason, told.tenant, told.subject) == (
        EscalationReason.MISSING_AT_PROVIDER,
        "buyers",
        "charge:buyers:p-1",
    )


async def test_capture_that_only_the_provider_has_is_extra_and_told_by_the_second_run(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge("p-0", at=now - 2 * HOUR)
    reconciler.provider.book = [record("p-0", at=now - 2 * HOUR), record("stranger", at=now - HOUR)]

    first = await reconciler.run()
    second = await reconciler.run()

    assert (first.matched, first.extra, first.escalated) == (1, 1, 0)
    assert (second.extra, second.escalated) == (1, 1)
    (told,) = await reconciler.escalated()
    assert (told.reason, told.subject) == (EscalationReason.EXTRA_AT_PROVIDER, "charge:buyers:stranger")
    assert told.details["minorUnits"] == "2000"


@pytest.mark.parametrize("status", [ChargeStatus.AUTHORISING, ChargeStatus.AUTHORISED])
async def test_extra_capture_of_a_charge_without_outcome_is_recorded_and_is_none_any_more(
    reconciler: Reconciler, now: datetime, status: ChargeStatus
) -> None:
    await reconciler.charge(at=now - HOUR, status=status)
    reconciler.provider.book = [record(at=now - HOUR)]
    reconciler.acquirer.book["p-1"] = ChargeStatus.CAPTURED

    found = await reconciler.run()

    charge = await SqlCharges(reconciler.database).find(tenant="buyers", operation_id="p-1")
    assert charge is not None
    assert charge.status is ChargeStatus.CAPTURED
    assert (found.extra, found.escalated) == (0, 0)
    assert await reconciler.escalated() == []


_AT = datetime.now(UTC) - HOUR
_CAPTURE = record(at=_AT)


@pytest.mark.parametrize(
    "at_provider",
    [
        replace(_CAPTURE, amount=euros(1_999)),
        replace(_CAPTURE, amount=Money(minor_units=2_000, currency="USD")),
        replace(_CAPTURE, status=MovementStatus.FAILED),
    ],
    ids=["amount", "currency", "status"],
)
async def test_capture_that_both_know_differently_is_mismatched(
    reconciler: Reconciler, at_provider: ProviderRecord
) -> None:
    await reconciler.charge(at=_AT)
    reconciler.provider.book = [at_provider]

    first = await reconciler.run()
    second = await reconciler.run()

    assert (first.mismatched, first.escalated, first.matched) == (1, 0, 0)
    assert (second.mismatched, second.escalated) == (1, 1)
    assert [told.reason for told in await reconciler.escalated()] == [EscalationReason.MISMATCHED]


async def test_movement_that_gets_into_the_other_book_later_is_told_to_nobody(
    reconciler: Reconciler, now: datetime
) -> None:
    reconciler.provider.book = [record(at=now - 30 * MINUTE)]
    first = await reconciler.run()
    await reconciler.charge(at=datetime.now(UTC))

    second = await reconciler.run()
    third = await reconciler.run()

    assert (first.extra, second.extra, third.extra) == (1, 0, 0)
    assert await reconciler.escalated() == await reconciler.escalated(is_open=False) == []


async def test_refund_that_takes_days_is_followed_from_pending_to_its_end(
    reconciler: Reconciler, now: datetime
) -> None:
    await reconciler.charge(at=now - 90 * HOUR)
    made = record("r-1", kind=RecordKind.REFUND, at=now - 80 * HOUR, minor_units=500, status=MovementStatus.PENDING)
    reconciler.provider.book = [record(at=now - 90 * HOUR), made]
    await reconciler.refund(Phase.PENDING, TransactionKind.REFUND_PENDING, 500, at=now - 81 * HOUR)
    on_its_way = await reconciler.run(settling=70 * HOUR)

    reconciler.provider.book[1] = replace(made, status=MovementStatus.SUCCEEDED)
    ahead = await reconciler.run(settling=60 * HOUR)
    await reconciler.refund(Phase.PENDING, TransactionKind.REFUND_RELEASED, -500, at=now - MINUTE)
    await reconciler.refund(Phase.POSTED, TransactionKind.REFUND, 500, at=now - MINUTE)
    done = await reconciler.run()
    after = await reconciler.run()

    assert on_its_way == ReconciliationResult(matched=2)
    assert (ahead.mismatched, ahead.escalated) == (1, 0)
    assert (done.mismatched, done.missing, done.extra) == (after.mismatched, after.missing, after.extra) == (0, 0, 0)
    assert await reconciler.escalated() == []


async def test_missed_runs_lose_nothing(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge("p-0", at=now - 100 * HOUR)
    reconciler.provider.book = [record("p-0", at=now - 100 * HOUR)]
    await reconciler.run(settling=99 * HOUR)
    await reconciler.charge("p-1", at=now - 50 * HOUR)

    found = await reconciler.run()

    assert found.missing == 1
    page = await SqlReconciliations(reconciler.database).page(limit=10, after=None)
    assert page[0].span.since == page[1].span.until


async def test_run_that_is_repeated_counts_as_one(reconciler: Reconciler, now: datetime) -> None:
    await reconciler.charge(at=now - HOUR)
    run_id = str(uuid4())
    reconciler.provider = FakeRecords(away_for=1)
    with pytest.raises(NoAnswerError):
        await reconciler.run(run_id)

    first = await reconciler.run(run_id)
    again = await reconciler.run(run_id)

    assert first == again
    assert (first.missing, first.escalated) == (1, 0)
    assert len(await SqlReconciliations(reconciler.database).page(limit=10, after=None)) == 1
