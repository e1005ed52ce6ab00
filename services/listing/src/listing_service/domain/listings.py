"""Listings: what is offered, where it stands, and what cannot be done to it."""

from dataclasses import dataclass
from enum import StrEnum

from platform_contracts.money import Money


class ListingStatus(StrEnum):
    """Where a listing stands; the words are stored, and equal those of the contract."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True)
class ListingDetails:
    """What is offered, checked and in one spelling, so that two of them can be compared."""

    title: str
    description: str
    price: Money
    """Of one unit."""
    stock: int
    """How many units there ever were."""


@dataclass(frozen=True, kw_only=True)
class StoredListing:
    """A listing with its stock; `available + held + sold` is always `details.stock`."""

    listing_id: str
    details: ListingDetails
    status: ListingStatus
    available: int
    held: int
    """Of purchases that go on; a hold that has lapsed counts until its purchase gives it back."""
    sold: int


@dataclass(frozen=True, kw_only=True)
class SubmissionEnd:
    """What came of a submission. It is kept for good: whoever asks for the same again is told the same."""

    approved: bool = False
    reviewer_id: str | None = None
    """None when no person decided."""
    reason: str = ""
    failure: str | None = None
    """The type of the failure, as the contract names it; None when it was decided."""


@dataclass(frozen=True, kw_only=True)
class EndedSubmission:
    """A submission that has ended."""

    listing_id: str
    listing_status: ListingStatus | None
    """Where the listing stood then; None where there was none."""
    end: SubmissionEnd


class InvalidListingError(Exception):
    """No listing can have these details."""

    def __init__(self, field: str, reason: str) -> None:
        """Say which field it is, and why."""
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class ListingDiffersError(Exception):
    """There is a listing of this id with other contents."""

    def __init__(self, listing_id: str) -> None:
        """Name the listing."""
        super().__init__(f"listing {listing_id} has other contents")
        self.listing_id = listing_id


class UnknownListingError(Exception):
    """There is no such listing."""

    def __init__(self, listing_id: str) -> None:
        """Name the listing."""
        super().__init__(f"there is no listing {listing_id}")
        self.listing_id = listing_id


class SubmissionFailedError(Exception):
    """The submission has failed before, and stays failed."""

    def __init__(self, submission_id: str, failure: str) -> None:
        """Say how it failed."""
        super().__init__(f"submission {submission_id} has ended with {failure}")
        self.submission_id = submission_id
        self.failure = failure


class NotADraftError(Exception):
    """Only a draft can be submitted."""

    def __init__(self, listing_id: str) -> None:
        """Name the listing."""
        super().__init__(f"listing {listing_id} is no draft that can be submitted")
        self.listing_id = listing_id
