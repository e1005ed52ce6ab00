"""Publish a listing: automated checks, then a person's decision."""

from typing import Final

from pydantic import ValidationError
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from platform_contracts.listing.publication import (
        WORKFLOW_TYPE,
        Publication,
        PublicationInput,
        PublicationResult,
        PublicationStep,
        ReviewDecision,
        ReviewRefusal,
    )
    from platform_contracts.memo import Progress
    from platform_workflow_tools.progress import report_progress
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
        self._in_review = False
        self._decision: ReviewDecision | None = None
        self._result: PublicationResult | None = None
        self._ended = False

    @workflow.run
    async def run(self, publication: PublicationInput) -> PublicationResult:
        """Bring the submission to its end, and tell it to whoever has asked."""
        try:
            self._result = await self._publish_or_return(publication)
        finally:
            # A reviewer whose decision came to nothing must hear that before the workflow is gone.
            self._in_review = False
            self._ended = True
        report_progress(Progress(step=PublicationStep.DECIDED, cancellable=False))
        await uninterrupted(self._tell_of(self._result))
        await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
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
