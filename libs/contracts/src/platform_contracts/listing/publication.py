"""Publish a listing: automated checks, then a person's decision."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "listing.Publication"


class PublicationStep(StrEnum):
    """What `progress.step` can say."""

    CHECKING = "checking"
    IN_REVIEW = "in_review"
    PUBLISHING = "publishing"
    RETURNING_TO_DRAFT = "returning_to_draft"
    DECIDED = "decided"


class PublicationOutcome(StrEnum):
    """What became of a submission."""

    PUBLISHED = "published"
    REJECTED = "rejected"
    """By the checks or by the reviewer; the listing is a draft again."""


SUBMISSION_CANCELLED: Final = "listing.SubmissionCancelled"
"""The failure type of a submission that was cancelled in an earlier run, which Temporal has forgotten since; a run that
is cancelled itself ends CANCELED."""


class PublicationInput(ContractModel):
    """A submission. It has an id of its own, because a listing is submitted again and again."""

    tenant: Tenant
    listing_id: ClientId
    submission_id: ClientId
    submitter_id: ClientId
    """Who submits it: may not review it."""


class ReviewDecision(ContractModel):
    """What the reviewer decided."""

    reviewer_id: ClientId
    approved: bool
    reason: Annotated[str, StringConstraints(max_length=2_000)] = ""


class ReviewRefusal(StrEnum):
    """Why a decision is not taken: the type of the `ApplicationError` that the update fails with."""

    NOT_IN_REVIEW = "listing.NotInReview"
    ALREADY_DECIDED = "listing.AlreadyDecided"
    REVIEWER_IS_SUBMITTER = "listing.ReviewerIsSubmitter"


class PublicationResult(ContractModel):
    """What became of the submission."""

    listing_id: ClientId
    submission_id: ClientId
    outcome: PublicationOutcome
    listing_status: ListingStatus
    reviewer_id: ClientId | None = None
    """None when the checks decided."""
    reason: str = ""


def publication_workflow_id(*, tenant: str, submission_id: str) -> str:
    """Return the workflow id of one submission."""
    return workflow_id(tenant=tenant, domain="listing", kind="publication", key=submission_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Publication:
    """Check a submitted listing, wait for a person's decision, and publish it or give it back."""

    @workflow.run
    async def run(self, publication: PublicationInput) -> PublicationResult:
        """Return what became of the submission.

        While it waits, the reviewer is reminded; past the deadline the listing is a draft again. A cancel while it
        waits withdraws the submission.

        Raises:
            ApplicationError: of type `ListingFailure.UNKNOWN_LISTING`, `NOT_A_DRAFT`, `PARTNER_MAY_NOT_SELL` or
                `REVIEW_OVERDUE`; of type `SUBMISSION_CANCELLED` for one that was cancelled in an earlier run.
        """
        raise NotImplementedError

    # `self: Any` because the update descriptor is invariant in the type of self.
    @workflow.update
    async def review(self: Any, decision: ReviewDecision) -> PublicationResult:
        """Take the decision and return what came of it; the same decision again gets the same answer.

        Raises:
            ApplicationError: of a type of `ReviewRefusal`, before anything is changed.
        """
        raise NotImplementedError
