"""Workflows that keep the contracts of payouts and do what a test wants, by the ids that they are given."""

import asyncio

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from platform_contracts.memo import Progress
from platform_contracts.money import Money
from platform_contracts.payment import partner_payout, payout_plan_change
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.partner_payout import (
    PAYOUT_CHANGED,
    PartnerPayout,
    PartnerPayoutInput,
    PartnerPayoutResult,
    PayoutDecision,
    PayoutRefusal,
    PayoutReview,
    PayoutReviewOutcome,
    PayoutStatus,
)
from platform_contracts.payment.payout_plan_change import (
    PayoutPlanChange,
    PayoutPlanChangeInput,
    PayoutPlanChangeResult,
)
from platform_contracts.task_queues import TaskQueue
from platform_workflow_tools.progress import report_progress
from tests.gateway.stubs import DEADLINE, SECRET_TEXT

REVIEWED = "reviewed"
"""A payout that begins with this waits for its review."""
SENT = "sent"
"""A payout that begins with this is sent, and never arrives."""
DIFFERS = "differs"
"""A payout that begins with this fails."""


@workflow.defn(name=partner_payout.WORKFLOW_TYPE)
class PartnerPayoutStub(PartnerPayout):
    @workflow.init
    def __init__(self, payout: PartnerPayoutInput) -> None:
        self._payout = payout
        self._in_review = False
        self._decisions: list[PayoutDecision] = []

    @workflow.run
    async def run(self, payout: PartnerPayoutInput) -> PartnerPayoutResult:
        status = PayoutStatus.PAID
        if payout.payout_id.startswith(DIFFERS):
            raise ApplicationError(SECRET_TEXT, type=PaymentFailure.PAYOUT_DIFFERS, non_retryable=True)
        if payout.payout_id.startswith(SENT):
            report_progress(Progress(step="at_provider", cancellable=False, waiting_for="provider"))
            await workflow.wait_condition(lambda: False)
        if payout.payout_id.startswith(REVIEWED):
            report_progress(Progress(step="in_review", waiting_for="review", deadline=DEADLINE))
            self._in_review = True
            try:
                await workflow.wait_condition(lambda: self._outcome is not PayoutReviewOutcome.WAITING_FOR_SECOND)
            except asyncio.CancelledError:
                await workflow.wait_condition(workflow.all_handlers_finished)
                raise
            if self._outcome is PayoutReviewOutcome.REJECTED:
                status = PayoutStatus.REJECTED
        await workflow.wait_condition(workflow.all_handlers_finished)
        amount = Money(minor_units=1250, currency=payout.currency, exponent=payout.exponent)
        return PartnerPayoutResult(payout_id=payout.payout_id, status=status, amount=amount, withheld=amount.times(0))

    @workflow.update
    async def decide(self, decision: PayoutDecision) -> PayoutReview:
        self._decisions.append(decision)
        return PayoutReview(payout_id=self._payout.payout_id, outcome=self._outcome, decisions=tuple(self._decisions))

    @decide.validator
    def refuse_decision(self, decision: PayoutDecision) -> None:
        if decision.reviewer_id == self._payout.requested_by:
            raise ApplicationError(SECRET_TEXT, type=PayoutRefusal.REVIEWER_IS_REQUESTER)
        if any(each.reviewer_id == decision.reviewer_id for each in self._decisions):
            raise ApplicationError(SECRET_TEXT, type=PayoutRefusal.ALREADY_DECIDED)
        if not self._in_review:
            raise ApplicationError(SECRET_TEXT, type=PayoutRefusal.NOT_IN_REVIEW)

    @workflow.signal(name=PAYOUT_CHANGED)
    def payout_changed(self) -> None:
        pass

    @property
    def _outcome(self) -> PayoutReviewOutcome:
        if any(not each.approved for each in self._decisions):
            return PayoutReviewOutcome.REJECTED
        approved = len(self._decisions) > 1
        return PayoutReviewOutcome.APPROVED if approved else PayoutReviewOutcome.WAITING_FOR_SECOND


@workflow.defn(name=payout_plan_change.WORKFLOW_TYPE)
class PayoutPlanChangeStub(PayoutPlanChange):
    @workflow.run
    async def run(self, change: PayoutPlanChangeInput) -> PayoutPlanChangeResult:
        return PayoutPlanChangeResult(currency=change.currency, plan=change.plan)


def payment_stub_worker(client: Client) -> Worker:
    """Return a worker that runs the stubs on the queue of the payment domain."""
    return Worker(
        client,
        task_queue=TaskQueue.PAYMENT,
        workflows=[PartnerPayoutStub, PayoutPlanChangeStub],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # Without a name the SDK reads every loaded module to make one.
        build_id="stub",
    )
