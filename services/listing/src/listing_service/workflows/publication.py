"""Publish a listing: automated checks, then a person's decision."""

import asyncio
import hashlib
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from listing_service.activities.listings import (
        CheckedListing,
        End,
        KeptEnd,
        ListingActivities,
        ListingState,
        SubmittedListing,
    )
    from listing_service.workflows import patches
    from platform_contracts.analytics.events import event_of
    from platform_contracts.listing.failures import ListingFailure
    from platform_contracts.listing.listing_draft import ListingStatus
    from platform_contracts.listing.publication import (
        SUBMISSION_CANCELLED,
        WORKFLOW_TYPE,
        Publication,
        PublicationInput,
        PublicationOutcome,
        PublicationResult,
        PublicationStep,
        ReviewDecision,
        ReviewRefusal,
    )
    from platform_contracts.memo import Progress
    from platform_contracts.task_queues import TaskQueue
    from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
    from platform_contracts.user.partner_capabilities import PARTNER_CAPABILITIES, PartnerCapabilitiesRequest
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.events import report_events
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.published import call
    from platform_workflow_tools.saga import Saga
    from platform_workflow_tools.uninterrupted import uninterrupted

REVIEWERS: Final = "reviewers"
"""The user whose inbox the reviewers of a tenant share: a review is everybody's who may review, not one person's."""

_WAITS_FOR: Final = "review"
_MAX_ID_CHARACTERS: Final = 64
"""What a `ClientId` may have."""


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PublicationWorkflow(Publication):
    """Check, wait for the review, publish or give back; whatever else ends it, the listing is a draft again."""

    @workflow.init
    def __init__(self, publication: PublicationInput) -> None:
        """Begin before the review."""
        self._publication = publication
        self._saga = Saga(undoing=PublicationStep.RETURNING_TO_DRAFT)
        self._in_review = False
        self._decision: ReviewDecision | None = None
        self._result: PublicationResult | None = None
        self._ended = False

    @workflow.run
    async def run(self, publication: PublicationInput) -> PublicationResult:
        """Bring the submission to its end, and tell it to whoever has asked."""
        try:
            self._result = await self._publish_or_give_back(publication)
        except (FailureError, asyncio.CancelledError):
            # A reviewer whose decision came to nothing must hear that before the workflow is gone.
            await uninterrupted(self._answer_reviewers())
            raise
        await uninterrupted(self._answer_reviewers())
        await uninterrupted(self._tell_of(self._result))
        return self._result

    @workflow.update
    async def review(self, decision: ReviewDecision) -> PublicationResult:
        """Take the decision and return what came of it."""
        self._decision = decision
        await workflow.wait_condition(lambda: self._ended)
        if self._result is None:
            raise _refusal(ReviewRefusal.NOT_IN_REVIEW, "the submission ended before the decision was carried out")
        return self._result

    @review.validator
    def refuse_review(self, decision: ReviewDecision) -> None:
        """Refuse what cannot be a decision, or is not the first one; the first one may be given again."""
        if decision.reviewer_id == self._publication.submitter_id:
            raise _refusal(ReviewRefusal.REVIEWER_IS_SUBMITTER, "who submitted it may not review it")
        if self._decision is not None and self._decision != decision:
            raise _refusal(ReviewRefusal.ALREADY_DECIDED, "it has been decided otherwise")
        if self._decision is None and not self._in_review:
            raise _refusal(ReviewRefusal.NOT_IN_REVIEW, "the submission is not in review")

    async def _publish_or_give_back(self, publication: PublicationInput) -> PublicationResult:
        report_progress(Progress(step=PublicationStep.CHECKING))
        kept_end_comes_first = workflow.patched(patches.KEPT_END_COMES_FIRST)
        if kept_end_comes_first and workflow.cancellation_reason() is not None:
            # It was cancelled before a worker took it up: there is nothing to undo, but an end to keep.
            await uninterrupted(self._give_back())
        async with self._saga as saga:
            if kept_end_comes_first:
                kept = await saga.step(PublicationStep.CHECKING, self._find_end, undo=self._give_back)
                if kept.end is not None:
                    # It ended before, in a run that Temporal has forgotten since: this is its answer.
                    return self._known(kept.end)
            await self._check_that_may_sell(publication.tenant)
            undo = None if kept_end_comes_first else self._give_back
            checked = await saga.step(PublicationStep.CHECKING, self._check_listing, undo=undo)
            if checked.end is not None:
                return self._known(checked.end)
            if checked.problems:
                return self._rejected(ListingStatus.DRAFT, reason=" ".join(checked.problems))
            decision = await self._reviewed(saga, checked)
            saga.pivot()
            if decision.approved:
                listing = await saga.step(PublicationStep.PUBLISHING, lambda: self._publish(decision))
            else:
                listing = await saga.step(PublicationStep.RETURNING_TO_DRAFT, lambda: self._reject(decision))
        return self._outcome(decision, listing.status or ListingStatus.DRAFT)

    async def _check_that_may_sell(self, tenant: str) -> None:
        capabilities = await call(PARTNER_CAPABILITIES, PartnerCapabilitiesRequest(tenant=tenant))
        if not capabilities.can_sell:
            raise _failure(ListingFailure.PARTNER_MAY_NOT_SELL, f"partner {tenant} may not sell")

    async def _reviewed(self, saga: Saga, checked: CheckedListing) -> ReviewDecision:
        """Wait for the decision, remind the reviewers once, and give up at the deadline; a cancel interrupts this."""
        saga.stop_if_cancelled()
        overdue_at = workflow.now() + checked.overdue_after
        report_progress(Progress(step=PublicationStep.IN_REVIEW, waiting_for=_WAITS_FOR, deadline=overdue_at))
        self._in_review = True
        try:
            if checked.remind_after < checked.overdue_after:
                decision = await self._decided_before(workflow.now() + checked.remind_after)
                if decision is not None:
                    return decision
                await uninterrupted(self._remind(checked))
                saga.stop_if_cancelled()
            decision = await self._decided_before(overdue_at)
        finally:
            self._in_review = False
        if decision is None:
            raise _failure(ListingFailure.REVIEW_OVERDUE, "nobody decided before the deadline")
        return decision

    async def _decided_before(self, moment: datetime) -> ReviewDecision | None:
        try:
            await workflow.wait_condition(lambda: self._decision is not None, timeout=moment - workflow.now())
        except TimeoutError:
            # A decision may have come in the same moment.
            return self._decision
        return self._decision

    async def _find_end(self) -> KeptEnd:
        return await workflow.execute_activity_method(
            ListingActivities.find_end, self._submitted, **activity_options.DATABASE_WRITE
        )

    async def _check_listing(self) -> CheckedListing:
        return await workflow.execute_activity_method(
            ListingActivities.check_listing, self._submitted, **activity_options.DATABASE_WRITE
        )

    async def _publish(self, decision: ReviewDecision) -> ListingState:
        return await workflow.execute_activity_method(
            ListingActivities.publish, self._submitted_with(decision.model_dump()), **activity_options.UNTIL_DONE
        )

    async def _reject(self, decision: ReviewDecision) -> ListingState:
        return await workflow.execute_activity_method(
            ListingActivities.return_to_draft,
            self._submitted_with(decision.model_dump()),
            **activity_options.UNTIL_DONE,
        )

    async def _give_back(self) -> ListingState:
        """Make it a draft again, and have it kept why: the same submission, made again, has the same outcome."""
        is_cancelled = workflow.cancellation_reason() is not None
        failure = self._saga.failure_type or (SUBMISSION_CANCELLED if is_cancelled else None)
        return await workflow.execute_activity_method(
            ListingActivities.return_to_draft,
            self._submitted if failure is None else self._submitted_with({"failure": failure}),
            **activity_options.UNTIL_DONE,
        )

    @property
    def _submitted(self) -> SubmittedListing:
        return SubmittedListing.model_validate(self._publication.model_dump())

    def _submitted_with(self, end: dict[str, Any]) -> SubmittedListing:
        return self._submitted.model_copy(update={"end": End.model_validate(end)})

    def _known(self, end: End) -> PublicationResult:
        if end.reviewer_id is None:
            return self._rejected(end.listing_status, reason=end.reason)
        decision = ReviewDecision(reviewer_id=end.reviewer_id, approved=end.approved, reason=end.reason)
        return self._outcome(decision, end.listing_status)

    def _outcome(self, decision: ReviewDecision, status: ListingStatus) -> PublicationResult:
        if decision.approved and status is not ListingStatus.PUBLISHED:
            # Archiving does not wait for reviews; the approval came to nothing.
            return self._rejected(status, reviewer_id=decision.reviewer_id, reason=f"The listing is {status} by now.")
        if not decision.approved:
            return self._rejected(status, reviewer_id=decision.reviewer_id, reason=decision.reason)
        return PublicationResult(
            listing_id=self._publication.listing_id,
            submission_id=self._publication.submission_id,
            outcome=PublicationOutcome.PUBLISHED,
            listing_status=status,
            reviewer_id=decision.reviewer_id,
            reason=decision.reason,
        )

    def _rejected(self, status: ListingStatus, *, reason: str, reviewer_id: str | None = None) -> PublicationResult:
        return PublicationResult(
            listing_id=self._publication.listing_id,
            submission_id=self._publication.submission_id,
            outcome=PublicationOutcome.REJECTED,
            listing_status=status,
            reviewer_id=reviewer_id,
            reason=reason,
        )

    async def _answer_reviewers(self) -> None:
        self._ended = True
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _remind(self, checked: CheckedListing) -> None:
        await self._notify(
            REVIEWERS,
            kind="review-reminder",
            message=f"The listing “{checked.title}” waits for a review (submission {self._publication.submission_id}).",
        )

    async def _tell_of(self, result: PublicationResult) -> None:
        """Tell the submitter and analytics; it decides nothing any more, and cannot fail."""
        report_progress(Progress(step=PublicationStep.DECIDED, cancellable=False))
        message = f"Your listing {result.listing_id} was {result.outcome}. {result.reason}".strip()
        await self._notify(self._publication.submitter_id, kind="review-outcome", message=message)
        subject = result.listing_id if result.outcome is PublicationOutcome.PUBLISHED else result.submission_id
        event = event_of(
            tenant=self._publication.tenant,
            event_type=f"listing.{result.outcome}",
            subject_id=subject,
            occurred_at=workflow.now(),
        )
        try:
            await report_events(event)
        except FailureError as failure:
            workflow.logger.warning("event.not_reported", extra={"reason": type(failure).__name__})

    async def _notify(self, user_id: str, *, kind: str, message: str) -> None:
        """Start a notification and leave it to itself."""
        tenant = self._publication.tenant
        notification_id = _notification_id(kind, self._publication.submission_id)
        try:
            await workflow.start_child_workflow(
                Notification.run,
                NotificationInput(
                    tenant=tenant, notification_id=notification_id, user_id=user_id, type="info", message=message
                ),
                id=notification_workflow_id(tenant=tenant, notification_id=notification_id),
                task_queue=TaskQueue.USER,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
        except FailureError as failure:
            workflow.logger.info("notification.not_started", extra={"reason": type(failure).__name__})


def _notification_id(kind: str, submission_id: str) -> str:
    """Return the id of a notification about a submission; a hash stands for an id that would make it too long."""
    readable = f"{kind}-{submission_id}"
    if len(readable) <= _MAX_ID_CHARACTERS:
        return readable
    return f"{kind}-{hashlib.sha256(submission_id.encode()).hexdigest()[:32]}"


def _failure(failure: ListingFailure, message: str) -> ApplicationError:
    return ApplicationError(message, type=failure, non_retryable=True, category=ApplicationErrorCategory.BENIGN)


def _refusal(refusal: ReviewRefusal, message: str) -> ApplicationError:
    return ApplicationError(message, type=refusal, non_retryable=True)
