"""Provider events: taken in from providers, who prove themselves by their signature alone; tried again by staff."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from platform_contracts.payment.provider_event import EventId, ProviderName
from platform_gateway.operations.operation_models import ReasonedRequest
from platform_gateway.problem_route import Authenticate, ProblemRoute, guarded_route
from platform_gateway.problems import Kind, Problem, documented
from platform_gateway.provider_events.event_models import ProviderEventDone, ProviderEventReceived, ProviderEventResult
from platform_gateway.provider_events.receiving import ProviderDoor, redrive, take_in
from platform_gateway.provider_events.signatures import UnverifiedError
from platform_gateway.rest_models import Accepted
from platform_gateway.routes.headers import IdempotencyKey, Prefer
from platform_gateway.routes.shared import ACCEPTED, DONE, AuditDetails, Who, started_or_executed
from platform_gateway.telemetry.refusals import count_unverified_event
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.logs import get_logger

BODY_WITHIN_SECONDS: Final = 10
"""How long a body may take: whoever sends it slowly holds one of the provider's places."""

_PROVIDER_EVENT: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "provider",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "`acquirer` or `stripe`.",
        }
    ],
    "requestBody": {
        "required": True,
        "description": "What the provider has signed, to the byte.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": "evt_1", "type": "charge.captured", "data": {"operation": "acme.p-1"}},
            }
        },
    },
}

_log = get_logger(__name__)


def provider_events_router(workflows: WorkflowGateway, door: ProviderDoor) -> APIRouter:
    """Return the router of the way in, which needs no key."""

    class ProviderRoute(ProblemRoute):
        async def admit(self, request: Request) -> None:
            request.state.admission = door.enter(request.path_params["provider"])
            try:
                async with asyncio.timeout(BODY_WITHIN_SECONDS):
                    await request.body()
            except TimeoutError:
                raise Problem(Kind.TOO_SLOW, headers={"Connection": "close"}) from None

    router = APIRouter(prefix="/v1/provider-events", tags=["provider events"], route_class=ProviderRoute)

    @router.post(
        "/{provider}",
        operation_id="receiveProviderEvent",
        status_code=202,
        response_model=ProviderEventReceived,
        responses=documented(400, 404, 408, 413, 429, 500, 503),
        summary="Take in what a payment provider tells",
        openapi_extra=_PROVIDER_EVENT,
    )
    async def receive(request: Request) -> ProviderEventReceived:
        """Take an event in, once by the provider's id of it. No key is asked for: the provider signs what it sends.

        The acquirer signs as standardwebhooks.com has it, Stripe in `Stripe-Signature`. 202 means that it will not be
        lost, also for one that was sent before; after 429 and 503 the provider sends it again.
        """
        provider: str = request.path_params["provider"]
        try:
            event = door.verified(provider, request.headers, await request.body())
        except UnverifiedError as error:
            count_unverified_event(provider, error.reason)
            _log.warning("provider_event.unverified", provider=provider, reason=error.reason)
            # The same answer whatever was wrong: a forger learns nothing from it.
            raise Problem(Kind.UNVERIFIED_EVENT) from None
        started = await workflows.start(take_in(event))
        _log.info("provider_event.received", provider=provider, event_id=event.event_id, is_duplicate=started.replayed)
        return ProviderEventReceived(event_id=event.event_id)

    return router


def provider_event_redrives_router(workflows: WorkflowGateway, *, authenticate: Authenticate) -> APIRouter:
    """Return the router of what staff do about provider events."""
    router = APIRouter(prefix="/v1/provider-events", tags=["provider events"], route_class=guarded_route(authenticate))

    @router.post(
        "/{provider}/{eventId}/redrive",
        operation_id="redriveProviderEvent",
        status_code=202,
        response_model=Accepted,
        responses={
            200: {"model": ProviderEventDone, "description": "Done within `Prefer: wait`.", **DONE},
            **ACCEPTED,
            **documented(400, 401, 403, 404, 413, 415, 422, 500, 503),
        },
        summary="Try a provider event again",
    )
    async def redrive_event(
        request: Request,
        caller: Who,
        provider: Annotated[ProviderName, Path()],
        event_id: Annotated[EventId, Path(alias="eventId")],
        body: ReasonedRequest,
        audit_details: AuditDetails,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Try an event again that was quarantined, contradicted or ignored; what was applied stays as it is.

        What it is about is asked of the provider anew, so nothing is done twice. For staff alone.
        """
        if not caller.is_staff:
            raise Problem(Kind.UNKNOWN_PROVIDER_EVENT)
        audit_details |= {"provider": provider, "eventId": event_id, "reason": body.reason}
        command = redrive(
            provider, event_id, operator_id=caller.subject[:64], reason=body.reason, idempotency_key=idempotency_key
        )
        return await started_or_executed(request, workflows, command, prefer=prefer, result_type=ProviderEventResult)

    return router
