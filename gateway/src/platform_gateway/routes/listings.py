"""Listings: draft one, submit it, review it, archive it, look at them."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from platform_contracts.identifiers import ClientId
from platform_contracts.listing.listing_draft import ListingStatus, listing_draft_workflow_id
from platform_contracts.listing.views import LISTING, LISTINGS, ListingQuery, ListingsQuery, ListingView
from platform_contracts.view import PageSize
from platform_gateway.market.listing_commands import archive_listing, draft_listing, submit_listing
from platform_gateway.market.listing_models import (
    Listing,
    ListingDone,
    ListingRequest,
    ListingsPage,
    ListingState,
    PublicationDone,
    PublicationResult,
    ReviewRequest,
    SubmissionRequest,
)
from platform_gateway.market.reviewing import Review
from platform_gateway.operations.resources import LISTING_ROUTE
from platform_gateway.operations.waiting import client_gone
from platform_gateway.problem_route import Authenticate, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import PREFERENCE_APPLIED, IdempotencyKey, Prefer, preference_applied
from platform_gateway.routes.shared import (
    ACCEPTED,
    DONE,
    OPERATION_ROUTE,
    AuditDetails,
    Cursor,
    Tenant,
    accepted,
    path_of,
    path_to,
    started_or_executed,
    with_links,
)
from platform_gateway.views_client import ViewsClient
from platform_gateway.workflow_gateway import WorkflowGateway

ListingId = Annotated[ClientId, Path(alias="listingId")]
SubmissionId = Annotated[ClientId, Path(alias="submissionId")]


def listings_router(workflows: WorkflowGateway, views: ViewsClient, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of `/v1/listings`."""
    router = APIRouter(prefix="/v1/listings", tags=["listings"], route_class=guarded_route(authenticate))
    _add_reads(router, views)

    @router.post(
        "",
        operation_id="draftListing",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": ListingDone, "description": "Done within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
        summary="Draft a listing",
    )
    async def draft(
        request: Request,
        tenant: Tenant,
        body: ListingRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 - checked; the listing's id is the key
    ) -> Response:
        """Save a new listing as a draft, once by `listingId`; the same id with another body is refused."""
        command = draft_listing(body, tenant=tenant)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=ListingState)

    @router.post(
        "/{listingId}/submissions",
        operation_id="submitListing",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": PublicationDone, "description": "Decided within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Submit a listing to review",
    )
    async def submit(
        request: Request,
        tenant: Tenant,
        listing_id: ListingId,
        body: SubmissionRequest,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Have the draft checked and reviewed, once by `submissionId`, or by the `Idempotency-Key` that names it."""
        command = submit_listing(body, tenant=tenant, listing_id=listing_id, idempotency_key=idempotency_key)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=PublicationResult)

    @router.post(
        "/{listingId}/submissions/{submissionId}/review",
        operation_id="reviewSubmission",
        response_model=PublicationResult,
        responses={
            200: {"description": "What came of the decision.", "headers": PREFERENCE_APPLIED},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
        summary="Decide on a submission",
    )
    async def review(
        request: Request,
        tenant: Tenant,
        listing_id: ListingId,
        submission_id: SubmissionId,
        body: ReviewRequest,
        audit_details: AuditDetails,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Take the decision and return what came of it; the same decision again gets the same answer.

        It counts once a worker has accepted it: without one the answer is a 503 that tells what is waited for. A 202
        says that it counts, and is still being carried out; `Prefer: wait` says how long to wait for that.
        """
        audit_details |= {"approved": body.approved, "reviewerId": body.reviewer_id}
        decision = Review(tenant, listing_id, submission_id, body, idempotency_key)
        decided = await workflows.review(decision, wait_seconds=prefer, gone=partial(client_gone, request))
        if decided.result is None:
            location = path_to(request, OPERATION_ROUTE)
            return accepted(decided.workflow_id, decided.run_id, "RUNNING", location=location, waited_seconds=prefer)
        result = PublicationResult.model_validate(decided.result.model_dump())
        return JSONResponse(result.model_dump(mode="json"), headers=preference_applied(prefer))

    @router.post(
        "/{listingId}/archive",
        operation_id="archiveListing",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": ListingDone, "description": "Done within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 409, 413, 422, 500, 503),
        },
        summary="Archive a listing",
    )
    async def archive(
        request: Request,
        tenant: Tenant,
        listing_id: ListingId,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,  # noqa: ARG001 - checked; the listing's id is the key
    ) -> Response:
        """Take the listing off the market; purchases that hold stock of it go on."""
        command = archive_listing(tenant=tenant, listing_id=listing_id)
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=ListingState)

    return router


def _add_reads(router: APIRouter, views: ViewsClient) -> None:
    @router.get(
        "",
        operation_id="listListings",
        response_model=ListingsPage,
        responses=documented(401, 403, 422, 500, 503),
        summary="List listings",
    )
    async def listings(
        request: Request,
        tenant: Tenant,
        status: ListingStatus | None = None,
        limit: Annotated[PageSize, Query()] = 50,
        cursor: Cursor = None,
    ) -> ListingsPage:
        """Return a page of the account's listings, by id."""
        page = await views.read(LISTINGS, ListingsQuery(status=status, limit=limit, cursor=cursor), tenant=tenant)
        shown = tuple(_shown(request, tenant, listing) for listing in page.listings)
        return ListingsPage(listings=shown, next_cursor=page.next_cursor)

    @router.get(
        "/{listingId}",
        operation_id="getListing",
        name=LISTING_ROUTE,
        response_model=Listing,
        responses=documented(401, 403, 404, 422, 500, 503),
        summary="Read a listing",
    )
    async def listing(request: Request, tenant: Tenant, listing_id: ListingId) -> Listing:
        """Return a listing of the account, with its stock."""
        answer = await views.read(LISTING, ListingQuery(listing_id=listing_id), tenant=tenant)
        if answer.listing is None:
            raise Problem(Kind.UNKNOWN_LISTING)
        return _shown(request, tenant, answer.listing)


def _shown(request: Request, tenant: str, listing: ListingView) -> Listing:
    listing_id = listing.listing_id
    links = {
        "self": path_of(request, LISTING_ROUTE, listingId=listing_id),
        "operation": path_to(request, OPERATION_ROUTE)(listing_draft_workflow_id(tenant=tenant, listing_id=listing_id)),
    }
    return Listing.model_validate(with_links(listing, **links))
