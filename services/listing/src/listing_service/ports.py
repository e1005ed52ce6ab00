"""What the activities and views of the listing service need from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from listing_service.domain.listings import (
    EndedSubmission,
    ListingDetails,
    ListingStatus,
    StoredListing,
    SubmissionEnd,
)
from listing_service.domain.purchases import (
    OrderLine,
    PurchasePosition,
    PurchaseState,
    Sale,
    SalePosition,
    StoredPurchase,
)


class Listings(Protocol):
    """The listings, from draft to archive."""

    async def save_draft(
        self, *, tenant: str, listing_id: str, details: ListingDetails, now: datetime
    ) -> ListingStatus:
        """Save a new draft, and return where the listing stands; a repeat changes nothing.

        Raises:
            ListingDiffersError: when there is one of this id with other contents.
        """
        ...

    async def take_into_review(self, *, tenant: str, listing_id: str, submission_id: str) -> None:
        """Make the draft one in review, for this submission; a repeat changes nothing.

        Raises:
            UnknownListingError: when there is none.
            NotADraftError: when it is no draft, or when this submission has been given back already.
        """
        ...

    async def ended(self, *, tenant: str, submission_id: str) -> EndedSubmission | None:
        """Return what came of a submission; None while it goes on, and where there is none."""
        ...

    async def publish(
        self, *, tenant: str, listing_id: str, submission_id: str, now: datetime, end: SubmissionEnd | None = None
    ) -> ListingStatus:
        """Publish the listing if it is in review for this submission, and return where it stands then.

        With it the end of the submission is kept, the first one for good.

        Raises:
            UnknownListingError: when there is none.
        """
        ...

    async def return_to_draft(
        self, *, tenant: str, listing_id: str, submission_id: str, end: SubmissionEnd | None = None
    ) -> ListingStatus | None:
        """Make the listing a draft again if it is in review for this submission, and return where it stands then.

        With it the end of the submission is kept, the first one for good; None for one that may be made again. From
        then on this submission cannot take it into review any more, and one that has ended changes nothing. None where
        there is no such listing.
        """
        ...

    async def archive(self, *, tenant: str, listing_id: str, now: datetime) -> None:
        """Take the listing off the market for good; a repeat changes nothing.

        Raises:
            UnknownListingError: when there is none.
        """
        ...

    async def find(self, *, tenant: str, listing_id: str) -> StoredListing | None:
        """Return the listing; None when there is none."""
        ...

    async def page(
        self, *, tenant: str, status: ListingStatus | None, limit: int, after: str | None
    ) -> Sequence[StoredListing]:
        """Return at most `limit` listings by id; those after an id, or the first ones."""
        ...


class Purchases(Protocol):
    """What purchases do to the stock. Each move is one transaction, done once for each purchase however often tried."""

    async def reserve(
        self,
        *,
        tenant: str,
        purchase_id: str,
        buyer_id: str,
        lines: Sequence[OrderLine],
        now: datetime,
        held_until: datetime,
    ) -> StoredPurchase:
        """Hold all lines or none, at the prices of now; what was reserved before is returned as it is.

        Raises:
            UnknownListingError: when there is no such listing.
            NotForSaleError: when one is not published.
            SoldOutError: when one has fewer units available.
            MixedCurrenciesError: when the prices cannot be added up.
            PurchaseDiffersError: when there is a purchase of this id with other contents.
            ReservationExpiredError: when this purchase was released before.
            PurchaseFailedError: the same, when it is known why.
        """
        ...

    async def confirm(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        """Let a hold that has not lapsed be sold, whatever the time from now on.

        Raises:
            ReservationExpiredError: when it has lapsed, or there is none.
        """
        ...

    async def unconfirm(self, *, tenant: str, purchase_id: str) -> None:
        """Make a confirmed purchase a held one again; any other stays as it is."""
        ...

    async def sell(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        """Turn what a confirmed purchase holds into sold units.

        Raises:
            ReservationExpiredError: when it is not confirmed.
        """
        ...

    async def release(self, *, tenant: str, purchase_id: str, failure: str | None = None) -> PurchaseState:
        """Give back what the purchase holds, once, and keep why; what was sold stays sold. Return how it stands.

        A purchase that was never reserved is marked as released, so that a reservation that comes late holds nothing.
        """
        ...


class PurchaseReader(Protocol):
    """What can be read of purchases and sales."""

    async def find(self, *, tenant: str, purchase_id: str) -> StoredPurchase | None:
        """Return the purchase; None where nothing was ever reserved for it."""
        ...

    async def page(self, *, tenant: str, limit: int, after: PurchasePosition | None) -> Sequence[StoredPurchase]:
        """Return at most `limit` purchases, newest first; those after a position, or the first ones."""
        ...

    async def sales(self, *, seller: str, limit: int, after: SalePosition | None) -> Sequence[Sale]:
        """Return at most `limit` sales, newest first; those after a position, or the first ones."""
        ...
