"""Charges cards, gives back and pays out through an acquirer's HTTP API."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from payment_service.domain.charges import BooksDifferError, ChargeStatus, DifferentChargeError, StoredCharge
from payment_service.domain.disputes import DisputeAtProvider, DisputeName
from payment_service.domain.provider import MovementStatus, PayoutOrder, ProviderFact, ProviderRecord, RefundOrder
from payment_service.providers.acquirer_client import AcquirerClient, UnexpectedAnswerError, said
from payment_service.providers.acquirer_messages import MOVEMENT_STATUSES, read_dispute, read_event, read_page

_REFUSALS: Final[Mapping[str, ChargeStatus]] = {
    "declined": ChargeStatus.DECLINED,
    "refused": ChargeStatus.CAPTURE_REFUSED,
    "above_authorised": ChargeStatus.CAPTURE_REFUSED,
    "voided": ChargeStatus.VOIDED,
    "captured": ChargeStatus.CAPTURED,
    "expired": ChargeStatus.EXPIRED,
}
"""What a refusal says of the charge, by its code."""

_CHARGE_STATUSES: Final = frozenset({"authorised", "declined", "captured", "voided", "expired"})
"""Our words and the acquirer's are the same."""

_BOOKS_DIFFER: Final = frozenset({"not_authorised", "captured_differently", "not_captured"})
"""The codes that say: what we ask for does not fit what the acquirer knows."""


class HttpCardAcquirer:
    """The port `PaymentProvider` over HTTP."""

    name = "acquirer"

    def __init__(self, http: httpx.AsyncClient, *, url: str, timeout_seconds: float) -> None:
        """Talk to the acquirer at the URL; the timeout bounds a whole call, connecting included."""
        self._client = AcquirerClient(http, url=url, timeout_seconds=timeout_seconds)

    async def prepare(self, charge: StoredCharge) -> str | None:  # noqa: ARG002 - the port names it
        """Do nothing: the acquirer knows operations by our names."""
        return None

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Reserve the amount, at most once for an operation: AUTHORISED, DECLINED or VOIDED.

        EXPIRED when it was reserved long ago, and nobody has captured it.

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
        # A key is made of the operation alone: that it came with another request says that the details were others.
        if said(answer) == (None, "key_reused"):
            raise DifferentChargeError(charge.operation_id)
        return _charge_status(answer, charge.operation_id)

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved, or `capture_amount` of it, at most once: CAPTURED, CAPTURE_REFUSED, VOIDED or EXPIRED.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the acquirer knows of nothing that is reserved, or has captured another amount.
        """
        part = charge.capture_amount
        body = None if part is None else {"amountMinor": part.minor_units}
        answer = await self._write("capture", charge.tenant, charge.operation_id, body)
        return _charge_status(answer, charge.operation_id)

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
        return _charge_status(await self._write("void", tenant, operation_id), operation_id)

    async def find(
        self,
        *,
        tenant: str,
        operation_id: str,
        reference: str | None,  # noqa: ARG002 - it has no name of its own
    ) -> ChargeStatus | None:
        """Return AUTHORISED, DECLINED, CAPTURED, VOIDED or EXPIRED; None when it has never seen the operation.

        Raises:
            NoAnswerError: when there is no answer.
        """
        answer = await self._client.read("find", operation_path(tenant, operation_id))
        return None if _is_unknown(answer) else _charge_status(answer, operation_id)

    async def refund(self, order: RefundOrder) -> MovementStatus:
        """Give back a part of what was captured, at most once for a refund id; FAILED where it never will be.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the charge is not captured, or the refund is known with another amount.
        """
        answer = await self._client.write(
            "refund",
            _refund_path(order),
            key=idempotency_key(f"refund:{order.refund_id}", tenant=order.tenant, operation_id=order.charge_id),
            body={"amountMinor": order.amount.minor_units},
        )
        return _movement_status(answer, order.refund_id)

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        """Return how the refund stands; None when the acquirer has never seen it.

        Raises:
            NoAnswerError: when there is no answer.
        """
        answer = await self._client.read("find_refund", _refund_path(order))
        return None if _is_unknown(answer) else _movement_status(answer, order.refund_id)

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        """Send money to a partner, at most once for a payout id; PENDING until it has arrived.

        Raises:
            NoAnswerError: when it may have happened or not.
            BooksDifferError: when the payout is known with another amount.
        """
        answer = await self._client.write(
            "pay_out",
            _payout_path(order),
            key=idempotency_key("payout", tenant=order.partner, operation_id=order.payout_id),
            body={
                "partner": order.partner,
                "amountMinor": order.amount.minor_units,
                "currency": order.amount.currency,
            },
        )
        return _movement_status(answer, order.payout_id)

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        """Return how the payout stands; None when the acquirer has never seen it.

        Raises:
            NoAnswerError: when there is no answer.
        """
        answer = await self._client.read("find_payout", _payout_path(order))
        return None if _is_unknown(answer) else _movement_status(answer, order.payout_id)

    async def find_dispute(self, name: DisputeName) -> DisputeAtProvider | None:
        """Return how the dispute stands; None when the acquirer knows none of this name about this charge.

        Raises:
            NoAnswerError: when there is no answer.
        """
        path = f"{operation_path(name.tenant, name.charge_id)}/disputes/{name.dispute_id}"
        answer = await self._client.read("find_dispute", path)
        return None if _is_unknown(answer) else read_dispute(answer.content)

    async def records(self, *, since: datetime, until: datetime) -> AsyncIterator[ProviderRecord]:
        """Yield every capture, refund, payout and dispute made from `since` up to, not at, `until`, as it stands now.

        Raises:
            NoAnswerError: when there is no answer to a page; what was yielded before is right, and not all.
        """
        query = {"since": since.isoformat(), "until": until.isoformat()}
        cursor: str | None = ""
        while cursor is not None:
            answer = await self._client.read("records", "/v1/records", query=query)
            page, cursor = read_page(answer.content)
            for record in page:
                yield record
            query["cursor"] = cursor or ""

    def read_event(self, body: bytes) -> ProviderFact:
        """Return what an event of the acquirer, whose signature was checked, says.

        Raises:
            UnreadableEventError: when it is none.
        """
        return read_event(body)

    async def named(self, fact: ProviderFact) -> ProviderFact:
        """Return it as it is: the acquirer knows everything by our names."""
        return fact

    async def _write(
        self, verb: str, tenant: str, operation_id: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        return await self._client.write(
            verb,
            f"{operation_path(tenant, operation_id)}/{verb}",
            key=idempotency_key(verb, tenant=tenant, operation_id=operation_id),
            body=body,
        )


def operation_path(tenant: str, operation_id: str) -> str:
    """Return the path of an operation; a tenant has no dot, so no two operations share one."""
    return f"/v1/operations/{tenant}.{operation_id}"


def idempotency_key(verb: str, *, tenant: str, operation_id: str) -> str:
    """Return the key of a write: the same for every attempt, in every process, for ever."""
    return f"{tenant}.{operation_id}:{verb}"


def _refund_path(order: RefundOrder) -> str:
    return f"{operation_path(order.tenant, order.charge_id)}/refunds/{order.refund_id}"


def _payout_path(order: PayoutOrder) -> str:
    return f"/v1/payouts/{order.partner}.{order.payout_id}"


def _is_unknown(answer: httpx.Response) -> bool:
    """Say whether the acquirer has never seen it; a page that is not there says nothing of that."""
    return answer.status_code == HTTPStatus.NOT_FOUND and said(answer) == (None, "unknown")


def _charge_status(answer: httpx.Response, operation_id: str) -> ChargeStatus:
    """Return what an answer says of the charge."""
    status, code = said(answer)
    if code in _REFUSALS:
        return _REFUSALS[code]
    if code == "different":
        raise DifferentChargeError(operation_id)
    if status in _CHARGE_STATUSES:
        return ChargeStatus(status)
    raise _problem(answer, code, operation_id)


def _movement_status(answer: httpx.Response, name: str) -> MovementStatus:
    """Return what an answer says of a refund or payout."""
    status, code = said(answer)
    if code == "above_captured":
        return MovementStatus.FAILED
    # A key is made of the name alone: that it came with another request says that the amount was another.
    if code in {"different", "key_reused"}:
        raise BooksDifferError(name)
    if status is not None and status in MOVEMENT_STATUSES:
        return MOVEMENT_STATUSES[status]
    raise _problem(answer, code, name)


def _problem(answer: httpx.Response, code: str, name: str) -> Exception:
    if code in _BOOKS_DIFFER:
        return BooksDifferError(name)
    return UnexpectedAnswerError(f"status {answer.status_code}, code {code}")
