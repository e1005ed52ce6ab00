"""A worker that runs the real workflow of reconciliation, with the answers of everybody else made up."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from payment_service.activities.orphans import (
    ConcludeCharges,
    FindOpenCharges,
    OpenChargeName,
    OpenChargesPage,
    OrphanState,
    SettleOrphan,
)
from payment_service.activities.reconciliation import CheckLedger, LedgerChecked, Reconcile
from payment_service.domain.orphans import OrphanStep, orphan_refund_id
from payment_service.workflows.reconciliation import ReconciliationWorkflow
from platform_contracts.listing.close_purchase import (
    CLOSE_PURCHASE,
    ClosePurchaseRequest,
    ClosePurchaseResult,
    PurchaseEnd,
)
from platform_contracts.money import Money
from platform_contracts.payment import refund
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.reconciliation import ReconciliationResult
from platform_contracts.task_queues import TaskQueue
from platform_runtime.sandbox import workflow_runner

REFUSED = "refund-is-refused"
"""A charge of this name is given back by nobody."""


@workflow.defn(name=refund.WORKFLOW_TYPE)
class _Refund(refund.Refund):
    @workflow.run
    async def run(self, refund: refund.RefundInput) -> refund.RefundResult:
        if refund.charge_id == REFUSED:
            raise ApplicationError("no", type=PaymentFailure.REFUND_FAILED, non_retryable=True)
        return _refunded(refund)


def _refunded(done: refund.RefundInput) -> refund.RefundResult:
    return refund.RefundResult(
        refund_id=done.refund_id,
        charge_id=done.charge_id,
        status=refund.RefundStatus.SUCCEEDED,
        amount=Money(minor_units=1, currency="EUR"),
    )


@dataclass
class Answers:
    """What the activities answer, and what they were asked."""

    purchases: Mapping[str, PurchaseEnd] = field(default_factory=dict[str, PurchaseEnd])
    """The charges that are open, and how their purchases stand."""
    captured: frozenset[str] = frozenset()
    """Of those, what has to be given back."""
    provider_is_away: bool = False
    page: int = 50
    found: ReconciliationResult = ReconciliationResult(matched=3)  # noqa: RUF009 - it cannot be changed
    settled: list[SettleOrphan] = field(default_factory=list[SettleOrphan])
    concluded: list[str] = field(default_factory=list[str])

    @activity.defn(name="payment.reconcile")
    async def reconcile(self, request: Reconcile) -> ReconciliationResult:
        if self.provider_is_away:
            raise ApplicationError("away", non_retryable=True)
        return self.found

    @activity.defn(name="payment.check_ledger")
    async def check_ledger(self, request: CheckLedger) -> LedgerChecked:
        return LedgerChecked(differences=0)

    @activity.defn(name="payment.find_open_charges")
    async def find_open_charges(self, request: FindOpenCharges) -> OpenChargesPage:
        names = sorted(self.purchases)
        rest = [name for name in names if request.after is None or name > request.after]
        page = rest[: self.page]
        return OpenChargesPage(
            charges=tuple(OpenChargeName(tenant="buyers", operation_id=name) for name in page),
            next=page[-1] if len(rest) > self.page else None,
        )

    @activity.defn(name="payment.conclude_charges")
    async def conclude_charges(self, request: ConcludeCharges) -> None:
        self.concluded.extend(charge.operation_id for charge in request.charges)

    @activity.defn(name="payment.settle_orphan")
    async def settle_orphan(self, request: SettleOrphan) -> OrphanState:
        was_tried = any(each.operation_id == request.operation_id for each in self.settled)
        self.settled.append(request)
        needs_refund = request.operation_id in self.captured and not was_tried
        return OrphanState(
            step=OrphanStep.REFUND if needs_refund else OrphanStep.SETTLED,
            refund_id=orphan_refund_id(request.operation_id),
        )

    @activity.defn(name=CLOSE_PURCHASE.name)
    async def close_purchase(self, request: ClosePurchaseRequest) -> ClosePurchaseResult:
        return ClosePurchaseResult(purchase_id=request.purchase_id, end=self.purchases[request.purchase_id])


@asynccontextmanager
async def reconciliation_worker(client: Client, answers: Answers, *, task_queue: str) -> AsyncGenerator[None]:
    """Run it; the purchases are asked for on the queue of listing, so the namespace has to be the test's own."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=task_queue,
                workflows=[ReconciliationWorkflow, _Refund],
                activities=[
                    answers.reconcile,
                    answers.check_ledger,
                    answers.find_open_charges,
                    answers.conclude_charges,
                    answers.settle_orphan,
                ],
                workflow_runner=workflow_runner(),
                graceful_shutdown_timeout=timedelta(seconds=1),
            )
        )
        await stack.enter_async_context(
            Worker(client, task_queue=TaskQueue.LISTING, activities=[answers.close_purchase])
        )
        yield
