"""Who may send events, how many, and what of one is handed to the payment domain."""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from platform_contracts.identifiers import idempotency_key_id
from platform_contracts.payment.provider_event import (
    ProviderEvent,
    ProviderEventInput,
    ProviderEventResult,
    Redrive,
    provider_event_workflow_id,
)
from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command, Repeat
from platform_gateway.problems import Kind, Problem
from platform_gateway.protection.provider_event_settings import ProviderEventSettings
from platform_gateway.protection.tenant_limits import Admission, TenantLimits
from platform_gateway.provider_events.signatures import Scheme, StandardWebhooks, StripeSignature

_SCHEMES: Final[Mapping[str, type[StandardWebhooks] | type[StripeSignature]]] = {
    "acquirer": StandardWebhooks,
    "stripe": StripeSignature,
}
"""How each provider signs."""

_EVENT_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class _Identified(BaseModel):
    """What is read of a body here: the payment domain reads the rest."""

    model_config = ConfigDict(strict=True)

    id: Annotated[str, Field(min_length=1)]


class ProviderDoor:
    """The way in for events: no key opens it, only a signature.

    Whoever comes takes a place while the body is read and checked, so that nobody fills the process. Only what is
    signed counts for the provider's rate, so that nobody uses that up for the provider.
    """

    def __init__(self, settings: ProviderEventSettings) -> None:
        """Take in events of each provider that has a secret."""
        self._schemes: dict[str, Scheme] = {
            provider: _SCHEMES[provider](secrets, tolerance_seconds=settings.provider_event_tolerance_seconds)
            for provider, secrets in settings.webhook_secrets().items()
        }
        self._places = TenantLimits(in_flight=settings.provider_events_in_flight)
        self._rate = TenantLimits(rate=settings.event_rate())

    def enter(self, provider: str) -> Admission:
        """Take a place, before anything of the body is read.

        Raises:
            Problem: `NOT_FOUND` for a provider that there is not, or that has no secret; `TOO_MANY_IN_FLIGHT`.
        """
        if provider not in self._schemes:
            raise Problem(Kind.NOT_FOUND)
        return self._places.admit(provider)

    def verified(self, provider: str, headers: Mapping[str, str], body: bytes) -> ProviderEventInput:
        """Return the event once it is known that the provider has signed these bytes just now.

        Raises:
            UnverifiedError: when it has not.
            Problem: `RATE_LIMITED`.
        """
        now = time.time()
        signed_id = self._schemes[provider].verify(headers, body, now=now)
        self._rate.admit(provider).leave()
        return ProviderEventInput(
            provider=provider,
            event_id=_event_id(signed_id, body),
            body=body,
            received_at=datetime.fromtimestamp(now, UTC),
        )


def take_in(event: ProviderEventInput) -> Command[ProviderEventInput, ProviderEventResult]:
    """Return the command that takes an event in; the provider's own id of the event is its key."""
    return Command(
        workflow=ProviderEvent.run,
        request=event,
        workflow_id=provider_event_workflow_id(provider=event.provider, event_id=event.event_id),
        task_queue=TaskQueue.PAYMENT,
        # Of the id alone: a provider may send the same event with another byte in its body, and it is the same event.
        fingerprint=idempotency_key_id(f"{event.provider} {event.event_id}"),
        repeat=Repeat.ONCE_BY_ID,
        resource_id=event.event_id,
    )


def redrive(
    provider: str, event_id: str, *, operator_id: str, reason: str, idempotency_key: str | None
) -> Command[ProviderEventInput, ProviderEventResult]:
    """Return the command that tries an event again; without an Idempotency-Key each order is a new one."""
    redrive_id = uuid4().hex if idempotency_key is None else idempotency_key_id(f"{operator_id} {idempotency_key}")
    return Command(
        workflow=ProviderEvent.run,
        request=ProviderEventInput(
            provider=provider,
            event_id=event_id,
            received_at=datetime.now(UTC),
            redrive=Redrive(operator_id=operator_id, reason=reason),
        ),
        workflow_id=provider_event_workflow_id(provider=provider, event_id=event_id, redrive_id=redrive_id),
        task_queue=TaskQueue.PAYMENT,
        fingerprint=idempotency_key_id(f"{provider} {event_id} {reason}"),
        repeat=Repeat.ONCE,
        resource_id=event_id,
    )


def _event_id(signed_id: str | None, body: bytes) -> str:
    """Return the provider's id of the event, or what stands for it: always the same for the same event."""
    event_id = signed_id if signed_id is not None else _id_in(body)
    if event_id is None:
        # It is signed, so it is kept, for somebody to see what it is.
        return f"body-{hashlib.sha256(body).hexdigest()}"
    if _EVENT_ID.fullmatch(event_id) is None:
        return f"id-{hashlib.sha256(event_id.encode()).hexdigest()}"
    return event_id


def _id_in(body: bytes) -> str | None:
    try:
        return _Identified.model_validate(json.loads(body)).id
    except (ValueError, RecursionError):
        return None
