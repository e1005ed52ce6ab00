"""What the API takes and gives about listings and their reviews."""

from typing import Annotated

from pydantic import Field, StringConstraints

from platform_contracts.identifiers import ClientId
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.listing.publication import PublicationOutcome
from platform_contracts.money import Currency
from platform_gateway.rest_models import Accepted, Line, ResourceLinks, ResourceModel, RestModel

Title = Annotated[Line, StringConstraints(min_length=1, max_length=200)]
# NUL is valid JSON, but no text of a PostgreSQL database.
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]


class Price(ResourceModel):
    """An amount in whole minor units: 1250 with the exponent 2 is 12.50."""

    minor_units: Annotated[int, Field(ge=0, le=10**12)]
    currency: Currency
    exponent: Annotated[int, Field(ge=0, le=4)] = 2
    """How many digits of the minor units are behind the point, by ISO 4217."""


class ListingRequest(ResourceModel):
    """A new listing of the account that calls."""

    listing_id: ClientId
    title: Title
    description: Description = ""
    price: Price
    stock: Annotated[int, Field(ge=0, le=1_000_000)]


class SubmissionRequest(ResourceModel):
    """A listing's submission to review; it has an id of its own, because a listing is submitted again and again."""

    submitter_id: ClientId
    submission_id: ClientId | None = None
    """None: the Idempotency-Key names it."""


class ReviewRequest(ResourceModel):
    """What a reviewer decided."""

    reviewer_id: ClientId
    approved: bool
    reason: Reason = ""


class Money(RestModel):
    """An amount in whole minor units."""

    minor_units: int
    currency: str
    exponent: int


class ListingState(RestModel):
    """A listing, and where it stands."""

    listing_id: str
    status: ListingStatus


class ListingDone(Accepted):
    """A listing that is drafted or archived."""

    result: ListingState


class PublicationResult(RestModel):
    """What became of a submission."""

    listing_id: str
    submission_id: str
    outcome: PublicationOutcome
    listing_status: ListingStatus
    reviewer_id: str | None
    """Null when the automated checks decided."""
    reason: str


class PublicationDone(Accepted):
    """A submission that has come to its end."""

    result: PublicationResult


class Decision(RestModel):
    """What was decided about a submission, and by whom."""

    reviewer_id: str
    approved: bool
    reason: str


class Stock(RestModel):
    """Where the units are; together they are all there ever were."""

    available: int
    held: int
    sold: int


class Listing(RestModel):
    """A listing as its seller sees it."""

    listing_id: str
    title: str
    description: str
    price: Money
    status: ListingStatus
    stock: Stock
    links: ResourceLinks


class ListingsPage(RestModel):
    """A page of the account's listings, by id."""

    listings: tuple[Listing, ...]
    next_cursor: str | None
