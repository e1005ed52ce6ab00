"""Take a listing off the market."""

from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "listing.Archival"


class ArchivalStep(StrEnum):
    """What `progress.step` can say."""

    ARCHIVING = "archiving"
    ARCHIVED = "archived"


class ArchivalInput(ContractModel):
    """Which listing."""

    tenant: Tenant
    listing_id: ClientId


class ArchivalResult(ContractModel):
    """The listing, off the market."""

    listing_id: ClientId
    status: ListingStatus


def archival_workflow_id(*, tenant: str, listing_id: str) -> str:
    """Return the workflow id that archives one listing."""
    return workflow_id(tenant=tenant, domain="listing", kind="archival", key=listing_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Archival:
    """Archive a listing; purchases that hold stock of it go on."""

    @workflow.run
    async def run(self, archival: ArchivalInput) -> ArchivalResult:
        """Archive the listing.

        Raises:
            ApplicationError: of type `ListingFailure.UNKNOWN_LISTING`.
        """
        raise NotImplementedError
