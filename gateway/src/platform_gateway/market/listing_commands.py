"""What the requests of the listing domain start."""

from platform_contracts.listing.archival import Archival, ArchivalInput, ArchivalResult, archival_workflow_id
from platform_contracts.listing.listing_draft import (
    ListingDetails,
    ListingDraft,
    ListingDraftInput,
    ListingDraftResult,
    listing_draft_workflow_id,
)
from platform_contracts.listing.publication import (
    Publication,
    PublicationInput,
    PublicationResult,
    publication_workflow_id,
)
from platform_contracts.listing.purchase import (
    Purchase,
    PurchaseInput,
    PurchaseLine,
    PurchaseResult,
    purchase_workflow_id,
)
from platform_contracts.money import Money
from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command, Repeat, named
from platform_gateway.fingerprint import fingerprint
from platform_gateway.market.listing_models import ListingRequest, SubmissionRequest
from platform_gateway.market.purchase_models import PurchaseRequest


def draft_listing(body: ListingRequest, *, tenant: str) -> Command[ListingDraftInput, ListingDraftResult]:
    """Return the command that drafts a listing; the listing's id is its key."""
    details = ListingDetails(
        title=body.title,
        description=body.description,
        price=Money.model_validate(body.price.model_dump(by_alias=False)),
        stock=body.stock,
    )
    return Command(
        workflow=ListingDraft.run,
        request=ListingDraftInput(tenant=tenant, listing_id=body.listing_id, details=details),
        workflow_id=listing_draft_workflow_id(tenant=tenant, listing_id=body.listing_id),
        task_queue=TaskQueue.LISTING,
        fingerprint=fingerprint(body),
        repeat=Repeat.AGAIN_AFTER_FAILURE,
    )


def submit_listing(
    body: SubmissionRequest, *, tenant: str, listing_id: str, idempotency_key: str | None
) -> Command[PublicationInput, PublicationResult]:
    """Return the command that submits a listing to review, once per submission.

    Raises:
        Problem: `INVALID_REQUEST` when neither an id nor an Idempotency-Key names it.
    """
    submission_id, repeat = named(body.submission_id, idempotency_key, field="submissionId")
    return Command(
        workflow=Publication.run,
        request=PublicationInput(
            tenant=tenant, listing_id=listing_id, submission_id=submission_id, submitter_id=body.submitter_id
        ),
        workflow_id=publication_workflow_id(tenant=tenant, submission_id=submission_id),
        task_queue=TaskQueue.LISTING,
        fingerprint=fingerprint(body, listingId=listing_id),
        repeat=repeat,
        resource_id=listing_id,
    )


def archive_listing(*, tenant: str, listing_id: str) -> Command[ArchivalInput, ArchivalResult]:
    """Return the command that takes a listing off the market; the listing's id is its key."""
    return Command(
        workflow=Archival.run,
        request=ArchivalInput(tenant=tenant, listing_id=listing_id),
        workflow_id=archival_workflow_id(tenant=tenant, listing_id=listing_id),
        task_queue=TaskQueue.LISTING,
        fingerprint=fingerprint(None, listingId=listing_id),
        repeat=Repeat.AGAIN_AFTER_FAILURE,
    )


def purchase(
    body: PurchaseRequest, *, tenant: str, idempotency_key: str | None
) -> Command[PurchaseInput, PurchaseResult]:
    """Return the command that buys, once per purchase: what failed is bought again under another id.

    Raises:
        Problem: `INVALID_REQUEST` when neither an id nor an Idempotency-Key names it.
    """
    purchase_id, repeat = named(body.purchase_id, idempotency_key, field="purchaseId")
    lines = tuple(
        PurchaseLine(seller=line.seller_id or tenant, listing_id=line.listing_id, quantity=line.quantity)
        for line in body.lines
    )
    return Command(
        workflow=Purchase.run,
        request=PurchaseInput(
            tenant=tenant,
            purchase_id=purchase_id,
            buyer_id=body.buyer_id,
            lines=lines,
            payment_token=body.payment_token,
        ),
        workflow_id=purchase_workflow_id(tenant=tenant, purchase_id=purchase_id),
        task_queue=TaskQueue.LISTING,
        fingerprint=fingerprint(body),
        repeat=repeat,
        outcome=Purchase.outcome,
    )
