"""A route whose errors are problems, wherever it is mounted."""

import email.message
import inspect
import json
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from platform_gateway.access import AUDITED, REQUIRED
from platform_gateway.identity.audit import AuditLog, LoggedAudit
from platform_gateway.identity.auditing import DENIED, READ, audited, keep, keep_if_possible
from platform_gateway.identity.auth import Authentication
from platform_gateway.identity.callers import Caller, caller_with_every_scope
from platform_gateway.problems import Kind, Problem, documented, http_problem, invalid_request
from platform_gateway.protection.tenant_limits import Admission
from platform_gateway.telemetry.refusals import count_refusal
from platform_runtime.logs import get_logger

MAX_BODY_BYTES: Final = 64 * 1024
"""Far below the 2 MB that Temporal takes in one payload, and enough for the longest message."""

Authenticate = Callable[[Request], Caller | str | Awaitable[Caller | str]]
"""Returns who calls, or the tenant of one who may do everything; or raises a `Problem` or an `HTTPException`."""

Handle = Callable[[Request], Coroutine[Any, Any, Response]]

_log = get_logger(__name__)


class ProblemRoute(APIRoute):
    """Answers every error as a problem, reads a bounded body, and does not depend on the application around it."""

    def get_route_handler(self) -> Handle:
        """Return FastAPI's own handler with ours around it."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            # Its place is free again once the answer begins: streams last, and have a limit of their own.
            try:
                response = await self._answer(_BoundedRequest(request.scope, request.receive), handle)
            finally:
                admission: Admission | None = getattr(request.state, "admission", None)
                if admission is not None:
                    admission.leave()
            if admission is not None:
                response.headers.update(admission.headers)
            return response

        return answer

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, also one by a method that the route does not have: no application would say a problem."""
        try:
            await super().handle(scope, receive, send)
        except HTTPException as error:
            if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                # Starlette names the methods of the first route of that path alone.
                error.headers = {"Allow": ", ".join(sorted(_methods_at(scope)))}
            await http_problem(error).response()(scope, receive, send)

    async def _answer(self, bounded: "_BoundedRequest", handle: Handle) -> Response:
        try:
            # Who may not come in learns nothing about what would have been a valid request.
            await self.admit(bounded)
            if bounded.method != "GET":
                _require_json(bounded, await bounded.body(), is_wanted=self.body_field is not None)
            return await self.handled(bounded, handle)
        except Problem as problem:
            return _problem(bounded, problem)
        except RequestValidationError as error:
            return _problem(bounded, invalid_request(error))
        except HTTPException as error:
            return _problem(bounded, http_problem(error))
        except ClientDisconnect:
            # Nobody is left to read it.
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except Exception:  # noqa: BLE001 - the outermost frame: a bug is logged and answered without its text
            _log.exception("request.failed", route=self.path)
            return Problem(Kind.INTERNAL, "It was logged under the trace id.").response()

    async def admit(self, request: Request) -> None:
        """Let everybody in; a guarded route asks for more."""

    async def handled(self, request: Request, handle: Handle) -> Response:
        """Return the answer to a request that was let in; a guarded route keeps who has decided what."""
        return await handle(request)


def guarded_route(authenticate: Authenticate) -> type[ProblemRoute]:
    """Return the class of routes that ask who calls and what they may do, before they read the body.

    `caller_of` and `tenant_of` give the answer. A route that `access.REQUIRED` does not name cannot be made.

    Denials and decisions are kept where `audit_of` says.
    """
    audit = audit_of(authenticate)

    class GuardedRoute(ProblemRoute):
        def __init__(self, *args: Any, **options: Any) -> None:
            # Whatever it does, its caller may have asked for too much.
            options["responses"] = {**documented(HTTPStatus.TOO_MANY_REQUESTS), **(options.get("responses") or {})}
            super().__init__(*args, **options)
            self._operation = self.operation_id or self.name
            self._needs = REQUIRED[self._operation]

        async def admit(self, request: Request) -> None:
            said = authenticate(request)
            who = await said if inspect.isawaitable(said) else said
            caller = caller_with_every_scope(who, subject="application") if isinstance(who, str) else who
            if self._needs not in caller.scopes:
                path = request.url.path
                await keep_if_possible(audit, caller, self._operation, path, outcome=DENIED, scope=self._needs)
                raise Problem(Kind.INSUFFICIENT_SCOPE, f"It needs the scope {self._needs}.", scope=self._needs)
            request.state.caller = caller
            request.state.audit_details = {}

        async def handled(self, request: Request, handle: Handle) -> Response:
            caller: Caller = request.state.caller
            if self._operation not in AUDITED and not caller.acts_for_another:
                return await handle(request)
            path = request.url.path
            if request.method == "GET":
                await keep(audit, caller, self._operation, path, outcome=READ)
                return await handle(request)
            details: dict[str, Any] = request.state.audit_details
            async with audited(audit, caller, self._operation, path, details):
                return await handle(request)

    return GuardedRoute


def audit_of(authenticate: Authenticate) -> AuditLog:
    """Return the audit log of the gateway's own `Authentication`; for any other, the process's log."""
    return authenticate.audit if isinstance(authenticate, Authentication) else LoggedAudit()


async def caller_of(request: Request) -> Caller:
    """Return who a guarded route acts for.

    Async although it waits for nothing: FastAPI would run it in a thread on every request.
    """
    caller: Caller = request.state.caller
    return caller


async def tenant_of(request: Request) -> str:
    """Return the tenant that a guarded route acts for; async as `caller_of` is."""
    caller: Caller = request.state.caller
    return caller.tenant


async def audit_details_of(request: Request) -> dict[str, Any]:
    """Return what a guarded route adds to its entry in the audit log: never a secret, never a body."""
    details: dict[str, Any] = request.state.audit_details
    return details


def _methods_at(scope: Scope) -> set[str]:
    there = (route for route in iter_route_contexts(scope["app"].routes) if route.matches(scope)[0] is not Match.NONE)
    return {method for route in there for method in route.methods or ()}


def _problem(request: Request, problem: Problem) -> Response:
    count_refusal(request, problem.kind)
    return problem.response()


class _BoundedRequest(Request):
    """Reads no more than it may, with or without a Content-Length.

    FastAPI's own `max_body_size` answers `text/plain` over whatever its application would say, so it cannot be used.
    """

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            announced = self.headers.get("content-length", "")
            if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
                raise _too_large()
            read = bytearray()
            async for chunk in self.stream():
                read += chunk
                if len(read) > MAX_BODY_BYTES:
                    raise _too_large()
            self._body = bytes(read)
        return self._body

    async def json(self) -> Any:
        return json.loads(await self.body(), parse_float=_number)


def _number(text: str) -> int | float:
    # JSON has one kind of number: 3.0 is the integer that our document asks for. Beyond 2^53 a float is no exact one.
    number = float(text)
    return int(number) if number.is_integer() and abs(number) <= 2**53 else number


def _too_large() -> Problem:
    # The rest of the body is not read, so the connection cannot carry another request.
    return Problem(Kind.TOO_LARGE, f"A body has at most {MAX_BODY_BYTES} bytes.", headers={"Connection": "close"})


def _require_json(request: Request, body: bytes, *, is_wanted: bool) -> None:
    if not body or not is_wanted:
        return
    message = email.message.Message()
    message["content-type"] = request.headers.get("content-type", "")
    subtype = message.get_content_subtype()
    if message.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise Problem(Kind.UNSUPPORTED_MEDIA_TYPE, "Send `Content-Type: application/json`.")
