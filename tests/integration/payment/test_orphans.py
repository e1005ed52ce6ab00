"""Charges whose purchase came to nothing are undone once, on real databases; a person is told of what cannot be."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.activities.orphans import (
    ConcludeCharges,
    FindOpenCharges,
    OpenChargeName,
    OrphanActivities,
    SettleOrphan,
)
from payment_service.domain.charges import ChargeStatus
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.orphans import OrphanStep
from payment_service.domain.refunds import RefundRequest, RefundStatus
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.orphans import SqlOrphans
from payment_service.persistence.refunds import SqlRefunds
from platform_runtime.database import Database
from tests.fakes.payment import FakeAcquirer
from tests.integration.payment.samples import captured, details

HOUR = timedelta(hours=1)
BEGUN = datetime.now(UTC) - 2 * HOUR


class _Orphanage:
    """The activities on a real database, with an acquirer in memory."""

    def __init__(self, database: Database) -> None:
        self.charges, self.refunds = SqlCharges(database), SqlRefunds(database)
        self.escalations, self.acquirer = SqlEscalations(database), FakeAcquirer()
        self.activities = OrphanActivities(
            SqlOrphans(database),
            self.charges,
            self.refunds,
            self.acquirer,
            outcomes=ChargeOutcomes(self.charges, self.acquirer, fee_basis_points=1_000, escalate_after=HOUR),
            after=HOUR,
        )

    async def charge(self, status: ChargeStatus, operation_id: str = "p-1", *, begun: datetime = BEGUN) -> None:
        charge, _ = await self.charges.begin(
            tenant="buyers", operation_id=operation_id, details=details(1_500, 500), provider="acquirer", now=begun
        )
        if status is not ChargeStatus.AUTHORISING:
            charge = await self.charges.move(charge, to=ChargeStatus.AUTHORISED, now=begun)
        if status is ChargeStatus.CAPTURED:
            await self.charges.capture(charge, transaction=captured(charge, now=begun))
        if status is not ChargeStatus.AUTHORISING:
            self.acquirer.book[operation_id] = status

    async def settle(self, *, failure: str | None = None) -> OrphanStep:
        request = SettleOrphan(tenant="buyers", operation_id="p-1", refund_failure=failure)
        return (await ActivityEnvironment().run(self.activities.settle_orphan, request)).step

    async def refund(self, to: RefundStatus) -> None:
        refund = await self.refunds.request(
            RefundRequest(
                tenant="buyers", refund_id="orphan-p-1", charge_id="p-1", amount=None, shares=None, reason="nothing"
            ),
            now=BEGUN,
        )
        await self.refunds.settle(refund, to=to, now=BEGUN)

    async def open(self, *, limit: int = 50) -> Sequence[str]:
        """Return the names of all charges that would be asked about, page by page."""
        names: list[str] = []
        page = await ActivityEnvironment().run(self.activities.find_open_charges, FindOpenCharges(limit=limit))
        while True:
            names.extend(charge.operation_id for charge in page.charges)
            if page.next is None:
                return names
            page = await ActivityEnvironment().run(
                self.activities.find_open_charges, FindOpenCharges(after=page.next, limit=limit)
            )

    async def told(self) -> Sequence[EscalationReason]:
        return [each.reason for each in await self.escalations.page(tenant=None, is_open=True, limit=9, after=None)]


@pytest.fixture
def orphanage(database: Database) -> _Orphanage:
    return _Orphanage(database)


async def test_only_old_charges_that_may_hold_money_are_asked_about_until_they_are_concluded(
    orphanage: _Orphanage,
) -> None:
    for number in range(7):
        await orphanage.charge(ChargeStatus.CAPTURED, f"p-{number}", begun=BEGUN + timedelta(seconds=number))
    await orphanage.charge(ChargeStatus.AUTHORISED, "young", begun=datetime.now(UTC))
    await orphanage.charges.void(tenant="buyers", operation_id="voided", now=BEGUN)
    sold = ConcludeCharges(charges=(OpenChargeName(tenant="buyers", operation_id="p-3"),))

    before = await orphanage.open(limit=3)
    await ActivityEnvironment().run(orphanage.activities.conclude_charges, sold)
    after = await orphanage.open(limit=3)

    assert before == [f"p-{number}" for number in range(7)]
    assert after == [name for name in before if name != "p-3"]


@pytest.mark.parametrize("status", [ChargeStatus.AUTHORISING, ChargeStatus.AUTHORISED])
async def test_orphan_that_is_not_captured_is_voided_at_the_acquirer(
    orphanage: _Orphanage, status: ChargeStatus
) -> None:
    await orphanage.charge(status)

    steps = [await orphanage.settle(), await orphanage.settle()]

    charge = await orphanage.charges.find(tenant="buyers", operation_id="p-1")
    assert charge is not None
    assert charge.status is ChargeStatus.VOIDED
    assert steps == [OrphanStep.SETTLED] * 2
    assert orphanage.acquirer.done == [("void", "p-1")]
    assert await orphanage.open() == []


async def test_orphan_that_only_the_acquirer_knows_as_captured_is_recorded_and_to_be_refunded(
    orphanage: _Orphanage,
) -> None:
    await orphanage.charge(ChargeStatus.AUTHORISED)
    orphanage.acquirer.book["p-1"] = ChargeStatus.CAPTURED

    step = await orphanage.settle()

    charge = await orphanage.charges.find(tenant="buyers", operation_id="p-1")
    assert charge is not None
    assert charge.status is ChargeStatus.CAPTURED
    assert step is OrphanStep.REFUND
    assert await orphanage.open() == ["p-1"]


@pytest.mark.parametrize(
    ("stands", "step", "is_open", "told"),
    [
        (RefundStatus.PENDING, OrphanStep.WAIT, True, []),
        (RefundStatus.SUCCEEDED, OrphanStep.SETTLED, False, []),
        (
            RefundStatus.FAILED,
            OrphanStep.SETTLED,
            False,
            [EscalationReason.ORPHANED_CAPTURE, EscalationReason.REFUND_FAILED],
        ),
    ],
)
async def test_captured_orphan_is_concluded_when_its_refund_is(
    orphanage: _Orphanage, stands: RefundStatus, step: OrphanStep, is_open: bool, told: list[EscalationReason]
) -> None:
    await orphanage.charge(ChargeStatus.CAPTURED)
    first = await orphanage.settle()
    await orphanage.refund(stands)

    second = await orphanage.settle()

    assert (first, second) == (OrphanStep.REFUND, step)
    assert (await orphanage.open() == ["p-1"]) is is_open
    assert sorted(await orphanage.told()) == told


async def test_orphan_whose_refund_is_refused_is_a_persons_and_asked_about_no_more(orphanage: _Orphanage) -> None:
    await orphanage.charge(ChargeStatus.CAPTURED)

    step = await orphanage.settle(failure="payment.InvalidRefund")

    assert step is OrphanStep.SETTLED
    assert await orphanage.told() == [EscalationReason.ORPHANED_CAPTURE]
    assert await orphanage.open() == []
