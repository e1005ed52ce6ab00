"""Workflows that keep the contracts of the listing domain and do what a test wants, by the ids that they are given."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import ParentClosePolicy

from platform_contracts.listing import archival, listing_draft, publication, purchase
from platform_contracts.listing.archival import Archival, ArchivalInput, ArchivalResult
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.listing_draft import (
    ListingDraft,
    ListingDraftInput,
    ListingDraftResult,
    ListingStatus,
)
from platform_contracts.listing.publication import (
    SUBMISSION_CANCELLED,
    Publication,
    PublicationInput,
    PublicationOutcome,
    PublicationResult,
    ReviewDecision,
    ReviewRefusal,
)
from platform_contracts.listing.purchase import (
    PURCHASE_CANCELLED,
    Purchase,
    PurchaseInput,
    PurchaseResult,
    PurchaseStatus,
)
from platform_contracts.memo import Progress
from platform_contracts.money import Money
from platform_contracts.payment import charge_resolution
from platform_contracts.payment.charge import AUTHORISE
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.task_queues import TaskQueue
from platform_workflow_tools.progress import report_progress
from tests.gateway.stubs import DEADLINE, SECRET_TEXT

FAILURES_BY_TOKEN = {
    "tok_sold_out": ListingFailure.SOLD_OUT,
    "tok_not_for_sale": ListingFailure.NOT_FOR_SALE,
    "tok_unknown_listing": ListingFailure.UNKNOWN_LISTING,
    "tok_expired": ListingFailure.RESERVATION_EXPIRED,
    "tok_unavailable": ListingFailure.PAYMENT_UNAVAILABLE,
    "tok_declined": PaymentFailure.DECLINED,
    "tok_bug": "listing.NobodyKnowsThis",
}

TOKEN_NO_PAYMENT_WORKER = "tok_no_payment_worker"
TOKEN_NOBODY_RESOLVES = "tok_nobody_resolves"
TOKEN_TELLS_FOR_EVER = "tok_tells_for_ever"
TOKEN_WAITS = "tok_waits"
TOKEN_PAST_THE_PIVOT = "tok_past_the_pivot"

OVERDUE = "overdue"
"""A submission that begins with this ends without a decision."""

WITHDRAWN = "withdrawn"
"""A submission that begins with this was cancelled in a run that Temporal has forgotten since."""


@workflow.defn(name=listing_draft.WORKFLOW_TYPE)
class ListingDraftStub(ListingDraft):
    @workflow.run
    async def run(self, draft: ListingDraftInput) -> ListingDraftResult:
        if draft.details.title == "Fails":
            raise ApplicationError(SECRET_TEXT, type=ListingFailure.INVALID_LISTING, non_retryable=True)
        return ListingDraftResult(listing_id=draft.listing_id, status=ListingStatus.DRAFT)


@workflow.defn(name=archival.WORKFLOW_TYPE)
class ArchivalStub(Archival):
    @workflow.run
    async def run(self, archival: ArchivalInput) -> ArchivalResult:
        if archival.listing_id.startswith("unknown"):
            raise ApplicationError(SECRET_TEXT, type=ListingFailure.UNKNOWN_LISTING, non_retryable=True)
        return ArchivalResult(listing_id=archival.listing_id, status=ListingStatus.ARCHIVED)


@workflow.defn(name=publication.WORKFLOW_TYPE)
class PublicationStub(Publication):
    @workflow.init
    def __init__(self, publication: PublicationInput) -> None:
        self._publication = publication
        self._decision: ReviewDecision | None = None
        self._result: PublicationResult | None = None

    @workflow.run
    async def run(self, publication: PublicationInput) -> PublicationResult:
        if publication.submission_id.startswith(OVERDUE):
            raise ApplicationError(SECRET_TEXT, type=ListingFailure.REVIEW_OVERDUE, non_retryable=True)
        if publication.submission_id.startswith(WITHDRAWN):
            raise ApplicationError(SECRET_TEXT, type=SUBMISSION_CANCELLED, non_retryable=True)
        report_progress(Progress(step="in_review", waiting_for="review", deadline=DEADLINE))
        await workflow.wait_condition(lambda: self._decision is not None)
        assert self._decision is not None
        report_progress(Progress(step="publishing", cancellable=False))
        # Long enough for a second decision to come while the first is carried out.
        await workflow.sleep(0.3)
        approved = self._decision.approved
        self._result = PublicationResult(
            listing_id=publication.listing_id,
            submission_id=publication.submission_id,
            outcome=PublicationOutcome.PUBLISHED if approved else PublicationOutcome.REJECTED,
            listing_status=ListingStatus.PUBLISHED if approved else ListingStatus.DRAFT,
            reviewer_id=self._decision.reviewer_id,
            reason=self._decision.reason,
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result

    @workflow.update
    async def review(self, decision: ReviewDecision) -> PublicationResult:
        self._decision = decision
        await workflow.wait_condition(lambda: self._result is not None)
        assert self._result is not None
        return self._result

    @review.validator
    def refuse_review(self, decision: ReviewDecision) -> None:
        if decision.reviewer_id == self._publication.submitter_id:
            raise ApplicationError(SECRET_TEXT, type=ReviewRefusal.REVIEWER_IS_SUBMITTER)
        if self._decision is not None and self._decision != decision:
            raise ApplicationError(SECRET_TEXT, type=ReviewRefusal.ALREADY_DECIDED)


@workflow.defn(name=purchase.WORKFLOW_TYPE)
class PurchaseStub(Purchase):
    def __init__(self) -> None:
        self._result: PurchaseResult | None = None
        self._failure: ApplicationError | None = None

    @workflow.run
    async def run(self, purchase: PurchaseInput) -> PurchaseResult:
        try:
            self._result = await self._sell(purchase)
        except ApplicationError as failure:
            self._failure = failure
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        except asyncio.CancelledError:
            self._failure = ApplicationError(SECRET_TEXT, type=PURCHASE_CANCELLED, non_retryable=True)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        report_progress(Progress(step="telling", cancellable=False))
        if purchase.payment_token == TOKEN_TELLS_FOR_EVER:
            await workflow.wait_condition(lambda: False)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._result

    async def _sell(self, purchase: PurchaseInput) -> PurchaseResult:
        token = purchase.payment_token
        if token in FAILURES_BY_TOKEN:
            raise ApplicationError(SECRET_TEXT, type=FAILURES_BY_TOKEN[token], non_retryable=True)
        if token == TOKEN_PAST_THE_PIVOT:
            report_progress(Progress(step="capturing", cancellable=False))
            await workflow.wait_condition(lambda: False)
        report_progress(Progress(step="authorising"))
        if token == TOKEN_WAITS:
            await workflow.wait_condition(lambda: False)
        if token == TOKEN_NO_PAYMENT_WORKER:
            await workflow.execute_activity(
                AUTHORISE.name, task_queue=AUTHORISE.task_queue, start_to_close_timeout=timedelta(seconds=5)
            )
        if token == TOKEN_NOBODY_RESOLVES:
            await workflow.execute_child_workflow(
                charge_resolution.WORKFLOW_TYPE,
                task_queue=TaskQueue.PAYMENT,
                parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            )
        units = sum(line.quantity for line in purchase.lines)
        return PurchaseResult(
            purchase_id=purchase.purchase_id,
            status=PurchaseStatus.CAPTURED,
            total=Money(minor_units=1250 * units, currency="EUR"),
        )

    @workflow.update
    async def outcome(self) -> PurchaseResult:
        await workflow.wait_condition(lambda: self._result is not None or self._failure is not None)
        if self._result is None:
            assert self._failure is not None
            raise self._failure
        return self._result


def listing_stub_worker(client: Client) -> Worker:
    """Return a worker that runs the stubs on the queue of the listing domain."""
    return Worker(
        client,
        task_queue=TaskQueue.LISTING,
        workflows=[ListingDraftStub, ArchivalStub, PublicationStub, PurchaseStub],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # Without a name the SDK reads every loaded module to make one.
        build_id="stub",
    )
