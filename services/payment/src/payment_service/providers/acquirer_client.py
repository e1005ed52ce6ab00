"""Calls on the acquirer's HTTP API: each bounded, each a span, and silence told from an answer."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx
from opentelemetry import trace

from payment_service.ports import NoAnswerError

_tracer = trace.get_tracer(__name__)


class UnexpectedAnswerError(Exception):
    """The acquirer said something that its API does not have, or refused us as a client."""


class AcquirerClient:
    """One acquirer to call."""

    def __init__(self, http: httpx.AsyncClient, *, url: str, timeout_seconds: float) -> None:
        """Talk to the acquirer at the URL; the timeout bounds a whole call, connecting included."""
        self._http = http
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def write(self, call: str, path: str, *, key: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask for something to be done, once for the key; return the answer, a refusal too.

        Raises:
            NoAnswerError: when it may have been done or not.
        """
        return await self._call(call, "POST", path, headers={"Idempotency-Key": key}, json=body)

    async def read(self, call: str, path: str, *, query: Mapping[str, str] | None = None) -> httpx.Response:
        """Ask how something stands.

        Raises:
            NoAnswerError: when there is no answer.
        """
        return await self._call(call, "GET", path, params=query)

    async def _call(self, call: str, method: str, path: str, **request: Any) -> httpx.Response:
        url = f"{self._url}{path}"
        with _tracer.start_as_current_span(
            f"acquirer.{call}",
            kind=trace.SpanKind.CLIENT,
            attributes={"http.request.method": method, "url.full": url},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await self._http.request(method, url, timeout=self._timeout_seconds, **request)
            except (httpx.TransportError, TimeoutError) as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.Status(trace.StatusCode.ERROR))
                raise NoAnswerError(type(error).__name__) from None
            span.set_attribute("http.response.status_code", answer.status_code)
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.set_attribute("error.type", str(answer.status_code))
                span.set_status(trace.Status(trace.StatusCode.ERROR))
                raise NoAnswerError(f"status {answer.status_code}")
            return answer


def said(answer: httpx.Response) -> tuple[str | None, str]:
    """Return the status that a success names and an empty code, or None and the code of a refusal.

    Raises:
        UnexpectedAnswerError: when it is no answer of this API.
    """
    try:
        body: dict[str, Any] = answer.json()
        return (str(body["status"]), "") if answer.is_success else (None, str(body["code"]))
    except (ValueError, KeyError, TypeError):
        raise UnexpectedAnswerError(f"status {answer.status_code}, unreadable") from None
