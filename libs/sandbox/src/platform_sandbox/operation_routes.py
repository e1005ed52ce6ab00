"""The routes of operations: authorise, capture, void, expire, and look up."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_sandbox.bodies import Authorisation, Capture
from platform_sandbox.exchange import guarded, key_of, played_out, problem, read_body, response_of
from platform_sandbox.misbehaviour import Misbehaviour, Plan
from platform_sandbox.operation_book import OperationBook, OperationRequest
from platform_sandbox.operations import Details, Verb, described

_NO_PLAN = Plan()
"""What an operator of the acquirer does never goes wrong."""


def operation_routes(operations: OperationBook, misbehaviour: Misbehaviour) -> Sequence[BaseRoute]:
    """Return the routes of operations."""
    of_operations = _Operations(operations, misbehaviour)
    return [
        *(
            Route(
                f"/v1/operations/{{operation}}/{verb}",
                guarded(of_operations.perform(verb)),
                methods=["POST"],
                name=verb,
            )
            for verb in Verb
        ),
        Route("/v1/operations/{operation}", of_operations.find, methods=["GET"]),
    ]


class _Operations:
    def __init__(self, operations: OperationBook, misbehaviour: Misbehaviour) -> None:
        self._operations = operations
        self._misbehaviour = misbehaviour

    def perform(self, verb: Verb) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a verb."""

        async def endpoint(request: Request) -> Response:
            wanted = await self._wanted(verb, request)
            if verb is Verb.EXPIRE:
                plan = _NO_PLAN
            else:
                token = wanted.details and wanted.details.token
                plan = self._misbehaviour.next_attempt(wanted.operation, verb, token=token)
            return await played_out(plan, request, lambda: self._performed(wanted))

        return endpoint

    async def _wanted(self, verb: Verb, request: Request) -> OperationRequest:
        operation, key = request.path_params["operation"], key_of(request)
        match verb:
            case Verb.AUTHORISE:
                asked = await read_body(request, Authorisation)
                details = Details(token=asked.token, amount_minor=asked.amount_minor, currency=asked.currency)
                return OperationRequest(verb=verb, operation=operation, key=key, details=details)
            case Verb.CAPTURE:
                amount_minor = (await read_body(request, Capture)).amount_minor
                return OperationRequest(verb=verb, operation=operation, key=key, amount_minor=amount_minor)
            case _:
                return OperationRequest(verb=verb, operation=operation, key=key)

    async def _performed(self, wanted: OperationRequest) -> Response:
        return response_of(await self._operations.perform(wanted))

    async def find(self, request: Request) -> Response:
        operation: str = request.path_params["operation"]
        plan = self._misbehaviour.next_attempt(operation, "find", token=None)

        async def found() -> Response:
            known = await self._operations.find(operation)
            if known is None:
                return problem(HTTPStatus.NOT_FOUND, "unknown", "There is no such operation")
            return JSONResponse(described(known))

        return await played_out(plan, request, found)
