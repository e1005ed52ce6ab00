"""The acquirer's HTTP API."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from platform_runtime.problem import PROBLEM_MEDIA_TYPE, problem_response
from platform_sandbox import book as books
from platform_sandbox.book import Answer, Book, KeyReusedError, Verb, described, is_refusal
from platform_sandbox.misbehaviour import NO_FAULTS, Faults, Lost, Misbehaviour, Plan
from platform_sandbox.rules import Details

_LONGEST_HANG_SECONDS: Final = 120.0
"""Longer than any client waits, and not for ever: a client may vanish without a trace."""

_MAX_KEY_CHARACTERS: Final = 255


class Authorisation(BaseModel):
    """The body of an authorisation."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    token: Annotated[str, StringConstraints(pattern=r"^tok_[A-Za-z0-9_]{1,60}$")]
    amount_minor: Annotated[int, Field(strict=True, gt=0, le=10**15)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def routes(book: Book, misbehaviour: Misbehaviour) -> Sequence[BaseRoute]:
    """Return all routes."""
    acquirer = _Acquirer(book, misbehaviour)
    return [
        *(
            Route(f"/v1/operations/{{operation}}/{verb}", acquirer.perform(verb), methods=["POST"], name=verb)
            for verb in Verb
        ),
        Route("/v1/operations/{operation}", acquirer.find, methods=["GET"]),
        Route("/v1/book", acquirer.whole_book, methods=["GET"]),
        Route("/v1/faults", acquirer.show_faults, methods=["GET"]),
        Route("/v1/faults", acquirer.set_faults, methods=["PUT"]),
        Route("/v1/faults", acquirer.end_faults, methods=["DELETE"]),
    ]


class _Acquirer:
    def __init__(self, book: Book, misbehaviour: Misbehaviour) -> None:
        self._book = book
        self._misbehaviour = misbehaviour

    def perform(self, verb: Verb) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint of a verb."""

        async def endpoint(request: Request) -> Response:
            operation: str = request.path_params["operation"]
            key = request.headers.get("Idempotency-Key", "")
            if not 1 <= len(key) <= _MAX_KEY_CHARACTERS:
                return _problem(HTTPStatus.BAD_REQUEST, "no_key", "Every write needs an Idempotency-Key")
            details = None
            if verb is Verb.AUTHORISE:
                try:
                    asked = Authorisation.model_validate_json(await request.body())
                except ValidationError:
                    return _problem(HTTPStatus.BAD_REQUEST, "bad_request", "This is no authorisation")
                details = Details(token=asked.token, amount_minor=asked.amount_minor, currency=asked.currency)
            plan = self._misbehaviour.next_attempt(operation, verb, token=details and details.token)
            wanted = books.Request(verb=verb, operation=operation, key=key, details=details)
            return await _played_out(plan, request, lambda: self._performed(wanted))

        return endpoint

    async def _performed(self, wanted: books.Request) -> Response:
        try:
            return _response(await self._book.perform(wanted, now=datetime.now(UTC)))
        except KeyReusedError:
            return _problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", "This Idempotency-Key came with another request"
            )

    async def find(self, request: Request) -> Response:
        operation: str = request.path_params["operation"]
        plan = self._misbehaviour.next_attempt(operation, "find", token=None)

        async def found() -> Response:
            known = await self._book.find(operation)
            if known is None:
                return _problem(HTTPStatus.NOT_FOUND, "unknown", "There is no such operation")
            return JSONResponse(described(known))

        return await _played_out(plan, request, found)

    async def whole_book(self, request: Request) -> Response:
        tenant = request.query_params.get("tenant")
        return JSONResponse({"operations": await self._book.everything(tenant=tenant)})

    async def show_faults(self, _request: Request) -> Response:
        return JSONResponse(self._misbehaviour.faults.model_dump(mode="json", by_alias=True))

    async def set_faults(self, request: Request) -> Response:
        try:
            self._misbehaviour.faults = Faults.model_validate_json(await request.body())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            return problem_response(
                status=HTTPStatus.BAD_REQUEST, type="bad_request", title="These are no faults", errors=problems
            )
        return await self.show_faults(request)

    async def end_faults(self, request: Request) -> Response:
        self._misbehaviour.faults = NO_FAULTS
        return await self.show_faults(request)


async def _played_out(plan: Plan, request: Request, do: Callable[[], Awaitable[Response]]) -> Response:
    """Do what the plan leaves of the request."""
    await asyncio.sleep(plan.delay_seconds)
    if plan.fails_before:
        return _failure()
    response = await do()
    await asyncio.sleep(plan.answers_after_seconds)
    if plan.lost is Lost.HANG:
        await _until_client_gives_up(request)
    return response if plan.lost is None else _failure()


async def _until_client_gives_up(request: Request) -> None:
    try:
        async with asyncio.timeout(_LONGEST_HANG_SECONDS):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except (TimeoutError, ClientDisconnect):
        return


def _failure() -> Response:
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failure", "Something went wrong")


def _response(answer: Answer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.is_replayed else None
    media_type = PROBLEM_MEDIA_TYPE if is_refusal(answer) else None
    return JSONResponse(dict(answer.body), status_code=answer.http_status, headers=headers, media_type=media_type)


def _problem(status: HTTPStatus, code: str, title: str) -> Response:
    return problem_response(status=status, type=code, title=title, code=code)
