"""Activities that bring listings on the market and take them off it."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from listing_service.activities.failures import translated
from listing_service.domain.listing_rules import checked_details, publication_problems
from listing_service.domain.listings import ListingStatus as StoredStatus
from listing_service.domain.listings import UnknownListingError
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


class SubmittedListing(ContractModel):
    """Which listing, for which submission."""

    tenant: Tenant
    listing_id: ClientId
    submission_id: ClientId


class ListingState(ContractModel):
    """Where the listing stands now."""

    status: ListingStatus | None
    """None where there is no such listing."""


class CheckedListing(ContractModel):
    """What the checks found, and how long a person may take."""

    problems: tuple[str, ...]
    """Why it cannot be published, a sentence each. Without any it is in review now."""
    title: str
    remind_after: timedelta
    overdue_after: timedelta


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

    @activity.defn(name="listing.check_listing")
    async def check_listing(self, request: SubmittedListing) -> CheckedListing:
        """Take the draft into review for this submission, unless the rules find that it cannot be published.

        A repeat finds it in review for this submission and changes nothing; after `return_to_draft` it stays a draft.

        Raises:
            ApplicationError: of type `UNKNOWN_LISTING` or `NOT_A_DRAFT`.
        """
        with translated():
            listing = await self._listings.find(tenant=request.tenant, listing_id=request.listing_id)
            if listing is None:
                raise UnknownListingError(request.listing_id)
            problems = publication_problems(listing.details) if listing.status is StoredStatus.DRAFT else ()
            if not problems:
                await self._listings.take_into_review(
                    tenant=request.tenant, listing_id=request.listing_id, submission_id=request.submission_id
                )
        return CheckedListing(
            problems=problems,
            title=listing.details.title,
            remind_after=self._remind_after,
            overdue_after=self._overdue_after,
        )

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
            )
        return ListingState(status=ListingStatus(status))

    @activity.defn(name="listing.return_to_draft")
    async def return_to_draft(self, request: SubmittedListing) -> ListingState:
        """Make the listing a draft again if this submission has it in review, and return where it stands.

        A repeat finds a draft, and so does one that was never in review. From now on this submission can no longer
        take it in, so that a check that is still on its way changes nothing when it arrives.
        """
        status = await self._listings.return_to_draft(
            tenant=request.tenant, listing_id=request.listing_id, submission_id=request.submission_id
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
