"""Refunds and disputes in memory, a provider that pays back, and a worker that runs on them."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from payment_service.activities.disputes import DisputeActivities
from payment_service.activities.refunds import RefundActivities
from payment_service.domain.charges import ChargeStatus, StoredCharge, UnknownChargeError
from payment_service.domain.disputes import DisputeNotice, StoredDispute
from payment_service.domain.ledger import capture_transaction
from payment_service.domain.provider import MovementStatus, RefundOrder
from payment_service.domain.refunds import (
    OPEN,
    DifferentRefundError,
    NotCapturedError,
    RefundRequest,
    RefundsOfCharge,
    RefundStatus,
    StoredRefund,
    planned,
)
from payment_service.domain.reversals import captured_amount, captured_parts, left_of
from payment_service.ports import NoAnswerError
from payment_service.workflows.dispute import DisputeWorkflow
from payment_service.workflows.refund import RefundWorkflow
from platform_contracts.analytics.record_events import RECORD_EVENTS
from platform_contracts.payment.dispute import DisputeInput, DisputeStatus
from platform_contracts.payment.refund import RefundInput
from platform_runtime.sandbox import workflow_runner
from tests.fakes.payment import euros
from tests.fakes.user import FakeAnalytics
from tests.integration.payment.samples import details


class FakeRefunds:
    """Keeps refunds of one captured charge, `p-1` of `buyers`, in a dictionary."""

    def __init__(self, *, status: ChargeStatus = ChargeStatus.CAPTURED) -> None:
        """Begin with a charge in this status."""
        self.charge = StoredCharge(
            tenant="buyers", operation_id="p-1", status=status, details=details(1_500, 500), reference="ch_1"
        )
        self.rows: dict[str, StoredRefund] = {}
        self.escalated: list[str] = []

    async def request(self, request: RefundRequest, *, now: datetime) -> StoredRefund:
        known = self.rows.get(request.refund_id)
        if known is not None:
            if not known.is_what_is_asked(request):
                raise DifferentRefundError(request.refund_id)
            return known
        if request.charge_id != self.charge.operation_id:
            raise UnknownChargeError(request.charge_id)
        if self.charge.status is not ChargeStatus.CAPTURED:
            raise NotCapturedError(request.refund_id)
        assert self.charge.details is not None
        capture = capture_transaction(
            tenant="buyers",
            operation_id="p-1",
            provider="acquirer",
            details=self.charge.details,
            fee_basis_points=1_000,
            now=now,
        )
        taken = [part for row in self.rows.values() if row.status is not RefundStatus.FAILED for part in row.parts]
        left = left_of(captured_parts(self.charge, capture), taken)
        self.rows[request.refund_id] = planned(request, self.charge, left, refunds=len(self.rows), now=now)
        return self.rows[request.refund_id]

    async def find(self, *, tenant: str, refund_id: str) -> StoredRefund | None:
        return self.rows.get(refund_id)

    async def of_charge(self, *, tenant: str, charge_id: str) -> RefundsOfCharge | None:
        if (tenant, charge_id) != ("buyers", "p-1") or self.charge.status is not ChargeStatus.CAPTURED:
            return None
        taken = sum(row.amount.minor_units for row in self.rows.values() if row.status is not RefundStatus.FAILED)
        return RefundsOfCharge(
            captured=captured_amount(self.charge), reversed=euros(taken), refunds=tuple(self.rows.values())
        )

    async def settle(self, refund: StoredRefund, *, to: RefundStatus, now: datetime) -> StoredRefund:
        if self.rows[refund.refund_id].status in OPEN:
            self.rows[refund.refund_id] = replace(refund, status=to)
        return self.rows[refund.refund_id]

    async def escalate(self, refund: StoredRefund, *, now: datetime) -> None:
        if self.rows[refund.refund_id].status in OPEN:
            self.escalated.append(refund.refund_id)


class FakeRefundProvider:
    """Pays back at most once for an id; its answers can get lost, and it can take its time."""

    def __init__(self, *, fails: bool = False, away_for: int = 0, loses_answers: int = 0, pending_for: int = 0) -> None:
        """Misbehave like this.

        Args:
            fails: every refund.
            away_for: so many calls fail, and nothing is done.
            loses_answers: so many refunds are done, and nobody is told.
            pending_for: so many times it says that a refund is pending.
        """
        self.book: dict[str, RefundOrder] = {}
        self.calls: list[str] = []
        self.paid_back: list[str] = []
        self._fails = fails
        self._away_for = away_for
        self._loses_answers = loses_answers
        self._pending_for = pending_for

    async def refund(self, order: RefundOrder) -> MovementStatus:
        self._call("refund")
        if order.refund_id not in self.book:
            self.book[order.refund_id] = order
            if not self._fails:
                self.paid_back.append(order.refund_id)
        assert self.book[order.refund_id] == order, "the same refund was asked for with other details"
        if self._loses_answers > 0:
            self._loses_answers -= 1
            raise NoAnswerError("lost")
        return self._status()

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        self._call("find_refund")
        return self._status() if order.refund_id in self.book else None

    def _call(self, verb: str) -> None:
        self.calls.append(verb)
        if self._away_for > 0:
            self._away_for -= 1
            raise NoAnswerError("away")

    def _status(self) -> MovementStatus:
        if self._pending_for > 0:
            self._pending_for -= 1
            return MovementStatus.PENDING
        return MovementStatus.FAILED if self._fails else MovementStatus.SUCCEEDED


class FakeDisputes:
    """Takes every notice as it comes."""

    def __init__(self, *, away_for: int = 0) -> None:
        """Fail so many times first."""
        self.notices: list[DisputeNotice] = []
        self._away_for = away_for

    async def apply(self, notice: DisputeNotice, *, now: datetime) -> StoredDispute:
        if self._away_for > 0:
            self._away_for -= 1
            raise ConnectionError("the database is away")
        if notice.charge_id == "unknown":
            raise UnknownChargeError(notice.charge_id)
        self.notices.append(notice)
        return StoredDispute(
            tenant=notice.tenant,
            dispute_id=notice.dispute_id,
            charge_id=notice.charge_id,
            status=notice.status,
            amount=notice.amount,
            opened_at=now,
        )


@dataclass
class RefundPorts:
    """All fakes of refunds and disputes together."""

    refunds: FakeRefunds = field(default_factory=FakeRefunds)
    provider: FakeRefundProvider = field(default_factory=FakeRefundProvider)
    disputes: FakeDisputes = field(default_factory=FakeDisputes)
    escalate_after: timedelta = timedelta(hours=1)
    analytics: FakeAnalytics | None = field(default_factory=FakeAnalytics)
    """None: nobody works for analytics."""

    def refund_activities(self) -> RefundActivities:
        """Return the real activities on these ports."""
        return RefundActivities(self.refunds, self.provider, escalate_after=self.escalate_after)


def refund_input(refund_id: str = "r-1", *, amount: int | None = None, buyer_id: str | None = None) -> RefundInput:
    """Return a refund of a part of `p-1`, or of all that is left."""
    return RefundInput(
        tenant="buyers",
        refund_id=refund_id,
        charge_id="p-1",
        amount=None if amount is None else euros(amount),
        reason="broken",
        buyer_id=buyer_id,
    )


def dispute_input(status: DisputeStatus = DisputeStatus.OPENED, *, charge_id: str = "p-1") -> DisputeInput:
    """Return what a provider says of dispute `d-1`."""
    return DisputeInput(tenant="buyers", dispute_id="d-1", charge_id=charge_id, status=status, amount=euros(2_000))


@asynccontextmanager
async def refund_worker(
    client: Client, ports: RefundPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflows and activities on fake ports, and the stand-in for analytics beside them.

    The queue of analytics has one name, so the client's namespace has to be the test's own.
    """
    of_refunds = ports.refund_activities()
    async with AsyncExitStack() as stack:
        if ports.analytics is not None:
            await stack.enter_async_context(
                Worker(client, task_queue=RECORD_EVENTS.task_queue, activities=[ports.analytics.record_events])
            )
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=task_queue,
                workflows=[RefundWorkflow, DisputeWorkflow],
                activities=[
                    of_refunds.request_refund,
                    of_refunds.settle_refund,
                    DisputeActivities(ports.disputes).apply_dispute,
                ],
                workflow_runner=workflow_runner(),
                max_cached_workflows=max_cached_workflows,
                graceful_shutdown_timeout=timedelta(seconds=1),
            )
        )
        yield
