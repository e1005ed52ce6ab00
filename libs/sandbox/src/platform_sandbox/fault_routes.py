"""The routes by which the acquirer, and the webhook's way to the receiver, are made to misbehave."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_sandbox.exchange import guarded, read_body
from platform_sandbox.misbehaviour import NO_FAULTS, NO_WEBHOOK_FAULTS, Faults, Misbehaviour, WebhookFaults


def fault_routes(misbehaviour: Misbehaviour) -> Sequence[BaseRoute]:
    """Return the routes of faults."""

    async def show(_request: Request) -> Response:
        return JSONResponse(misbehaviour.faults.model_dump(mode="json", by_alias=True))

    async def put(request: Request) -> Response:
        misbehaviour.faults = await read_body(request, Faults)
        return await show(request)

    async def end(request: Request) -> Response:
        misbehaviour.faults = NO_FAULTS
        return await show(request)

    async def show_of_webhooks(_request: Request) -> Response:
        return JSONResponse(misbehaviour.webhook_faults.model_dump(mode="json", by_alias=True))

    async def put_of_webhooks(request: Request) -> Response:
        misbehaviour.webhook_faults = await read_body(request, WebhookFaults)
        return await show_of_webhooks(request)

    async def end_of_webhooks(request: Request) -> Response:
        misbehaviour.webhook_faults = NO_WEBHOOK_FAULTS
        return await show_of_webhooks(request)

    return [
        Route("/v1/faults", show, methods=["GET"]),
        Route("/v1/faults", guarded(put), methods=["PUT"]),
        Route("/v1/faults", end, methods=["DELETE"]),
        Route("/v1/webhook-faults", show_of_webhooks, methods=["GET"]),
        Route("/v1/webhook-faults", guarded(put_of_webhooks), methods=["PUT"]),
        Route("/v1/webhook-faults", end_of_webhooks, methods=["DELETE"]),
    ]
