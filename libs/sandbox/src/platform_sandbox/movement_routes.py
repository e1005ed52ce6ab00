"""The routes of refunds, payouts and disputes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_sandbox.bodies import DisputeOutcome, Part, Payout, PayoutOutcome, RefundOutcome
from platform_sandbox.exchange import guarded, key_of, played_out, problem, read_body, response_of
from platform_sandbox.misbehaviour import Misbehaviour
from platform_sandbox.movement_book import MovementBook, MovementName, MovementRequest, OutcomeRequest
from platform_sandbox.movements import Kind, described

_PATHS: Final[Mapping[Kind, str]] = {
    Kind.REFUND: "/v1/operations/{operation}/refunds/{name}",
    Kind.PAYOUT: "/v1/payouts/{name}",
    Kind.DISPUTE: "/v1/operations/{operation}/disputes/{name}",
}

_OUTCOMES: Final = {Kind.REFUND: RefundOutcome, Kind.PAYOUT: PayoutOutcome, Kind.DISPUTE: DisputeOutcome}


def movement_routes(movements: MovementBook, misbehaviour: Misbehaviour) -> Sequence[BaseRoute]:
    """Return the routes of movements."""
    of_movements = _Movements(movements, misbehaviour)
    return [
        route
        for kind, path in _PATHS.items()
        for route in (
            Route(path, guarded(of_movements.perform(kind)), methods=["POST"]),
            Route(path, of_movements.find(kind), methods=["GET"]),
            Route(f"{path}/outcome", guarded(of_movements.end(kind)), methods=["POST"]),
        )
    ]


class _Movements:
    def __init__(self, movements: MovementBook, misbehaviour: Misbehaviour) -> None:
        self._movements = movements
        self._misbehaviour = misbehaviour

    def perform(self, kind: Kind) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that refunds, pays out or disputes."""

        async def endpoint(request: Request) -> Response:
            wanted = await _wanted(kind, request)
            if kind is Kind.DISPUTE:
                # That is the buyer's bank: what comes from there never goes wrong.
                return await self._performed(wanted)
            plan = self._misbehaviour.next_attempt(_subject(wanted.of), kind, token=None)
            return await played_out(plan, request, lambda: self._performed(wanted))

        return endpoint

    def end(self, kind: Kind) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint by which an operator of the acquirer says how it ends."""

        async def endpoint(request: Request) -> Response:
            outcome = await read_body(request, _OUTCOMES[kind])
            return await self._performed(
                OutcomeRequest(of=_name(kind, request), key=key_of(request), to=outcome.status)
            )

        return endpoint

    def find(self, kind: Kind) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that says how one stands."""

        async def endpoint(request: Request) -> Response:
            of = _name(kind, request)
            plan = self._misbehaviour.next_attempt(_subject(of), f"find_{kind}", token=None)

            async def found() -> Response:
                known = await self._movements.find(of)
                if known is None:
                    return problem(HTTPStatus.NOT_FOUND, "unknown", f"There is no such {kind}")
                return JSONResponse(described(known))

            return await played_out(plan, request, found)

        return endpoint

    async def _performed(self, wanted: MovementRequest | OutcomeRequest) -> Response:
        return response_of(await self._movements.perform(wanted))


async def _wanted(kind: Kind, request: Request) -> MovementRequest:
    of, key = _name(kind, request), key_of(request)
    if kind is Kind.PAYOUT:
        payout = await read_body(request, Payout)
        return MovementRequest(
            of=of, key=key, amount_minor=payout.amount_minor, currency=payout.currency, partner=payout.partner
        )
    return MovementRequest(of=of, key=key, amount_minor=(await read_body(request, Part)).amount_minor)


def _name(kind: Kind, request: Request) -> MovementName:
    path = request.path_params
    return MovementName(kind=kind, operation=path.get("operation", ""), name=path["name"])


def _subject(of: MovementName) -> str:
    return "/".join(filter(None, (of.operation, of.name)))
