"""Activities that bring listings on the market and take them off it."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from listing_service.activities.failures import translated
from listing_service.domain.listing_rules import checked_details, publication_problems
from listing_service.domain.listings import (
    EndedSubmission,
    NotADraftError,
    SubmissionEnd,
    SubmissionFailedError,
    UnknownListingError,
)
from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.ports import Listings
from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.listing.listing_draft import ListingDetails, ListingStatus
from platform_contracts.message import ContractModel


class SaveDraft(ContractModel):
    """A new listing."""

    tenant: Tenant
    listing_id: ClientId
    details: ListingDetails


class ListingKey(ContractModel):
    """Which listing."""

    tenant: Tenant
    listing_id: ClientId


class End(ContractModel):
    """What came of a submission."""

    approved: bool = False
    reviewer_id: ClientId | None = None
    """None when no person decided."""
    reason: str = ""
    failure: str | None = None
    """The type of the failure; None when it was decided."""
    listing_status: ListingStatus = ListingStatus.DRAFT
    """Where the listing stood then."""


class SubmittedListing(ContractModel):
    """Which listing, for which submission."""

    tenant: Tenant
    listing_id: ClientId
    submission_id: ClientId
    end: End | None = None
    """What came of it; None while it goes on."""


class ListingState(ContractModel):
    """Where the listing stands now."""

    status: ListingStatus | None
    """None where there is no such listing."""


class KeptEnd(ContractModel):
    """What is kept of a submission."""

    end: End | None
    """What came of it; None for one that goes on, or is new."""


class CheckedListing(ContractModel):
    """What the checks found, and how long a person may take."""

    problems: tuple[str, ...]
    """Why it cannot be published, a sentence each. Without any it is in review now."""
    title: str
    remind_after: timedelta
    overdue_after: timedelta
    end: End | None = None
    """What came of this submission before; None for a new one."""


class ListingActivities:
    """What is done to listings."""

    def __init__(self, listings: Listings, *, remind_after: timedelta, overdue_after: timedelta) -> None:
        """Work on the listings; a reviewer is reminded after the first while and too late after the second."""
        self._listings = listings
        self._remind_after = remind_after
        self._overdue_after = overdue_after

    @activity.defn(name="listing.save_draft")
    async def save_draft(self, request: SaveDraft) -> ListingState:
        """Save a new draft; a repeat with the same contents changes nothing and returns where the listing stands.

        Raises:
            ApplicationError: of type `INVALID_LISTING`, or `LISTING_DIFFERS` for one with other contents.
        """
        with translated():
            status = await self._listings.save_draft(
                tenant=request.tenant,
                listing_id=request.listing_id,
                details=checked_details(
                    title=request.details.title,
                    description=request.details.description,
                    price=request.details.price,
                    stock=request.details.stock,
                ),
                now=datetime.now(UTC),
            )
        return ListingState(status=ListingStatus(status))

    @activity.defn(name="listing.find_end")
    async def find_end(self, request: SubmittedListing) -> KeptEnd:
        """Return what came of the submission in an earlier run, one that Temporal has forgotten by now.

        It changes nothing, so it can be repeated.

        Raises:
            ApplicationError: of type `NOT_A_DRAFT` when it was a submission of another listing, or what it failed with,
                of type `SUBMISSION_CANCELLED` where it was cancelled.
        """
        with translated():
            ended = await self._listings.ended(tenant=request.tenant, submission_id=request.submission_id)
            return KeptEnd(end=None if ended is None else _known_end(request, ended))

    @activity.defn(name="listing.check_listing")
    async def check_listing(self, request: SubmittedListing) -> CheckedListing:
        """Take the draft into review for this submission, unless the rules find that it cannot be published.

        A repeat finds it in review for this submission and changes nothing; after `return_to_draft` it stays a draft.
        What came of the submission is kept, so that one that is made again once Temporal has forgotten it ends alike.

        Raises:
            ApplicationError: of type `UNKNOWN_LISTING` or `NOT_A_DRAFT`, or what it has failed with before.
        """
        with translated():
            ended = await self._listings.ended(tenant=request.tenant, submission_id=request.submission_id)
            if ended is not None:
                return self._checked(title="", end=_known_end(request, ended))
            listing = await self._listings.find(tenant=request.tenant, listing_id=request.listing_id)
            if listing is None:
                raise UnknownListingError(request.listing_id)
            problems = publication_problems(listing.details) if listing.status is StoredStatus.DRAFT else ()
            of = {"tenant": request.tenant, "listing_id": request.listing_id, "submission_id": request.submission_id}
            if problems:
                await self._listings.return_to_draft(**of, end=SubmissionEnd(reason=" ".join(problems)))
            else:
                await self._listings.take_into_review(**of)
        return self._checked(problems, title=listing.details.title)

    @activity.defn(name="listing.publish")
    async def publish(self, request: SubmittedListing) -> ListingState:
        """Publish the listing that is in review for this submission, and return where it stands.

        A repeat finds it published. One that was archived while it was in review stays archived.

        Raises:
            ApplicationError: of type `UNKNOWN_LISTING`.
        """
        with translated():
            status = await self._listings.publish(
                tenant=request.tenant,
                listing_id=request.listing_id,
                submission_id=request.submission_id,
                now=datetime.now(UTC),
                end=_stored_end(request.end),
            )
        return ListingState(status=ListingStatus(status))

    @activity.defn(name="listing.return_to_draft")
    async def return_to_draft(self, request: SubmittedListing) -> ListingState:
        """Make the listing a draft again if this submission has it in review, and return where it stands.

        A repeat finds a draft, and so does one that was never in review. From now on this submission can no longer
        take it in, so that a check that is still on its way changes nothing when it arrives.
        """
        status = await self._listings.return_to_draft(
            tenant=request.tenant,
            listing_id=request.listing_id,
            submission_id=request.submission_id,
            end=_stored_end(request.end),
        )
        return ListingState(status=None if status is None else ListingStatus(status))

    @activity.defn(name="listing.archive")
    async def archive(self, request: ListingKey) -> None:
        """Take the listing off the market, whatever its status; a repeat finds it archived.

        Raises:
            ApplicationError: of type `UNKNOWN_LISTING`.
        """
        with translated():
            await self._listings.archive(tenant=request.tenant, listing_id=request.listing_id, now=datetime.now(UTC))

    def _checked(self, problems: tuple[str, ...] = (), *, title: str, end: End | None = None) -> CheckedListing:
        return CheckedListing(
            problems=problems,
            title=title,
            remind_after=self._remind_after,
            overdue_after=self._overdue_after,
            end=end,
        )


def _known_end(request: SubmittedListing, ended: EndedSubmission) -> End:
    if ended.listing_id != request.listing_id:
        raise NotADraftError(request.listing_id)
    if ended.end.failure is not None:
        raise SubmissionFailedError(request.submission_id, ended.end.failure)
    return End(
        approved=ended.end.approved,
        reviewer_id=ended.end.reviewer_id,
        reason=ended.end.reason,
        listing_status=ListingStatus(ended.listing_status or StoredStatus.DRAFT),
    )


def _stored_end(end: End | None) -> SubmissionEnd | None:
    if end is None:
        return None
    return SubmissionEnd(approved=end.approved, reviewer_id=end.reviewer_id, reason=end.reason, failure=end.failure)
