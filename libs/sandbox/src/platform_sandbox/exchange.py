"""How requests to the acquirer are read and answered."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from platform_runtime.problem import PROBLEM_MEDIA_TYPE, problem_response
from platform_sandbox.book import Answer, KeyReusedError
from platform_sandbox.misbehaviour import Lost, Plan

_LONGEST_HANG_SECONDS: Final = 120.0
"""Longer than any client waits, and not for ever: a client may vanish without a trace."""

_MAX_KEY_CHARACTERS: Final = 255

BodyT = TypeVar("BodyT", bound=BaseModel)


class RefusedError(Exception):
    """The request is none; the response says why."""

    def __init__(self, response: Response) -> None:
        """Keep what the client is told."""
        super().__init__(response.status_code)
        self.response = response


async def read_body(request: Request, model: type[BodyT]) -> BodyT:
    """Return the body of a request; one without a body has no members.

    Raises:
        RefusedError: when it is not like the model.
    """
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise RefusedError(
            problem_response(
                status=HTTPStatus.BAD_REQUEST,
                type="bad_request",
                title="This cannot be read",
                code="bad_request",
                errors=problems,
            )
        ) from None


def key_of(request: Request) -> str:
    """Return the idempotency key of a write.

    Raises:
        RefusedError: when there is none.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= _MAX_KEY_CHARACTERS:
        raise RefusedError(problem(HTTPStatus.BAD_REQUEST, "no_key", "Every write needs an Idempotency-Key"))
    return key


def guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint, which then answers what it raises as RefusedError or KeyReusedError."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refused:
            return refused.response
        except KeyReusedError:
            return problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", "This Idempotency-Key came with another request"
            )

    return answer


async def played_out(plan: Plan, request: Request, do: Callable[[], Awaitable[Response]]) -> Response:
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
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failure", "Something went wrong")


def response_of(answer: Answer) -> Response:
    """Return an answer of the book as a response."""
    headers = {"Idempotent-Replayed": "true"} if answer.is_replayed else None
    media_type = PROBLEM_MEDIA_TYPE if answer.is_refusal else None
    return JSONResponse(dict(answer.body), status_code=answer.http_status, headers=headers, media_type=media_type)


def problem(status: HTTPStatus, code: str, title: str) -> Response:
    """Return an error with a code to decide by."""
    return problem_response(status=status, type=code, title=title, code=code)
