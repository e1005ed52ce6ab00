"""Charges cards through an acquirer's HTTP API."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx
from opentelemetry import trace

from payment_service.domain.charges import BooksDifferError, ChargeStatus, DifferentChargeError, StoredCharge
from payment_service.ports import NoAnswerError

_tracer = trace.get_tracer(__name__)

_REFUSALS: Final[Mapping[str, ChargeStatus]] = {
    "declined": ChargeStatus.DECLINED,
    "refused": ChargeStatus.CAPTURE_REFUSED,
    "voided": ChargeStatus.VOIDED,
    "captured": ChargeStatus.CAPTURED,
}
"""What a refusal says of the charge, by its code."""


class UnexpectedAnswerError(Exception):
    """The acquirer said something that its API does not have, or refused us as a client."""


class HttpCardAcquirer:
    """The port `ChargeProvider` over HTTP."""

    name = "acquirer"

    def __init__(self, http: httpx.AsyncClient, *, url: str, timeout_seconds: float) -> None:
        """Talk to the acquirer at the URL; the timeout bounds a whole call, connecting included."""
        self._http = http
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def prepare(self, charge: StoredCharge) -> str | None:  # noqa: ARG002 - the port names it
        """Do nothing: the acquirer knows operations by our names."""
        return None

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Reserve the amount, at most once for an operation: AUTHORISED, DECLINED or VOIDED.

        Raises:
            NoAnswerError: when it may have happened or not.
            DifferentChargeError: when the operation is known with another amount or token.
        """
        details = charge.details
        assert details is not None, "a charge without details was voided, and is never sent"
        body = {
            "token": details.payment_token,
            "amountMinor": details.amount.minor_units,
            "currency": details.amount.currency,
        }
        answer = await self._write("authorise", charge.tenant, charge.operation_id, body)
        return _status(answer, charge.operation_id)

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved, at most once: CAPTURED, CAPTURE_REFUSED or VOIDED.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the acquirer knows of nothing that is reserved.
        """
        return _status(await self._write("capture", charge.tenant, charge.operation_id), charge.operation_id)

    async def void(
        self,
        *,
        tenant: str,
        operation_id: str,
        reference: str | None,  # noqa: ARG002 - it has no name of its own
    ) -> ChargeStatus:
        """Give back what is reserved, and bar an authorisation that arrives later: VOIDED, or CAPTURED if it is so.

        Raises:
            NoAnswerError: when it may have happened or not.
        """
        return _status(await self._write("void", tenant, operation_id), operation_id)

    async def find(
        self,
        *,
        tenant: str,
        operation_id: str,
        reference: str | None,  # noqa: ARG002 - it has no name of its own
    ) -> ChargeStatus | None:
        """Return AUTHORISED, DECLINED, CAPTURED or VOIDED; None when the acquirer has never seen the operation.

        Raises:
            NoAnswerError: when there is no answer.
        """
        answer = await self._call("find", "GET", operation_path(tenant, operation_id))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return _status(answer, operation_id)

    async def _write(
        self, verb: str, tenant: str, operation_id: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        return await self._call(
            verb,
            "POST",
            f"{operation_path(tenant, operation_id)}/{verb}",
            headers={"Idempotency-Key": idempotency_key(verb, tenant=tenant, operation_id=operation_id)},
            body=body,
        )

    async def _call(
        self,
        verb: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        with _tracer.start_as_current_span(
            f"acquirer.{verb}",
            kind=trace.SpanKind.CLIENT,
            attributes={"http.request.method": method, "url.full": f"{self._url}{path}"},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await self._http.request(
                        method, f"{self._url}{path}", headers=headers, json=body, timeout=self._timeout_seconds
                    )
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


def operation_path(tenant: str, operation_id: str) -> str:
    """Return the path of an operation; a tenant has no dot, so no two operations share one."""
    return f"/v1/operations/{tenant}.{operation_id}"


def idempotency_key(verb: str, *, tenant: str, operation_id: str) -> str:
    """Return the key of a write: the same for every attempt, in every process, for ever."""
    return f"{tenant}.{operation_id}:{verb}"


def _status(answer: httpx.Response, operation_id: str) -> ChargeStatus:
    """Return what an answer says of the charge."""
    try:
        said: dict[str, Any] = answer.json()
        if answer.is_success:
            return ChargeStatus(said["status"])
        code = str(said["code"])
    except (ValueError, KeyError, TypeError):
        raise UnexpectedAnswerError(f"status {answer.status_code}, unreadable") from None
    if code == "different":
        raise DifferentChargeError(operation_id)
    if code == "not_authorised":
        raise BooksDifferError(operation_id)
    if code not in _REFUSALS:
        raise UnexpectedAnswerError(f"status {answer.status_code}, code {code}")
    return _REFUSALS[code]
