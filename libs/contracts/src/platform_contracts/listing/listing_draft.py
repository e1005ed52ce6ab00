"""Draft a listing: what a partner wants to sell, before anybody has looked at it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Money

WORKFLOW_TYPE: Final = "listing.ListingDraft"


class ListingStatus(StrEnum):
    """Where a listing stands; the values are stored, so they never change."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ListingDraftStep(StrEnum):
    """What `progress.step` can say."""

    SAVING = "saving"
    DRAFTED = "drafted"


class ListingDetails(ContractModel):
    """What is offered."""

    title: Annotated[str, StringConstraints(max_length=200)]
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    price: Money
    """Of one unit."""
    stock: Annotated[int, Field(ge=0, le=1_000_000)]
    """How many units there are to sell."""


class ListingDraftInput(ContractModel):
    """A new listing of a partner."""

    tenant: Tenant
    """The partner who sells it."""
    listing_id: ClientId
    details: ListingDetails


class ListingDraftResult(ContractModel):
    """The draft."""

    listing_id: ClientId
    status: ListingStatus


def listing_draft_workflow_id(*, tenant: str, listing_id: str) -> str:
    """Return the workflow id that drafts one listing."""
    return workflow_id(tenant=tenant, domain="listing", kind="listing-draft", key=listing_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ListingDraft:
    """Save a new listing as a draft."""

    @workflow.run
    async def run(self, draft: ListingDraftInput) -> ListingDraftResult:
        """Save the draft.

        Raises:
            ApplicationError: of type `ListingFailure.INVALID_LISTING` or `LISTING_DIFFERS`.
        """
        raise NotImplementedError
