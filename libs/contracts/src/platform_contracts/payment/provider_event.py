"""Take in what a payment provider tells without being asked: once by its event id, in whatever order it comes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field, StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import PLATFORM_TENANT, idempotency_key_id, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "payment.ProviderEvent"

MAX_EVENT_BYTES: Final = 64 * 1024
"""What the gateway takes of one request; far below the 2 MB of a payload."""

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
EventId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,128}$")]


class ProviderEventStatus(StrEnum):
    """Where an event stands; the values are stored, so they never change."""

    RECEIVED = "received"
    """It is written down; what it says is still to be looked up at the provider."""
    APPLIED = "applied"
    """The provider was asked, and what it said stands in our books."""
    IGNORED = "ignored"
    """Nobody here has to know of it."""
    CONTRADICTED = "contradicted"
    """The provider itself, asked, does not say what the event says; a person has been told."""
    QUARANTINED = "quarantined"
    """It cannot be read, or not be applied; a person has been told, and can have it tried again."""


class ProviderEventStep(StrEnum):
    """What `progress.step` can say."""

    RECORDING = "recording"
    ASKING_PROVIDER = "asking_provider"
    SETTLED = "settled"


class Redrive(ContractModel):
    """A person's order to try an event again."""

    operator_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """Who ordered it, as the audit log names them."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ProviderEventInput(ContractModel):
    """One event, whose signature was checked on exactly these bytes."""

    # The bytes are what was signed; as text they would not come back as they were.
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    provider: ProviderName
    event_id: EventId
    """The provider's own id of the event, or what stands for it where there is none that can be read."""
    body: Annotated[bytes, Field(max_length=MAX_EVENT_BYTES)] | None = None
    """None: it was received before, and is to be taken from where it was written down."""
    received_at: datetime
    redrive: Redrive | None = None
    """None: it comes from the provider."""


class ProviderEventResult(ContractModel):
    """What became of the event."""

    provider: ProviderName
    event_id: EventId
    status: ProviderEventStatus
    reason: str | None = None
    """A word for why it is so; None where the status says all."""


def provider_event_workflow_id(*, provider: str, event_id: str, redrive_id: str | None = None) -> str:
    """Return the workflow id that takes in one event; each redrive of it has an id of its own."""
    key = f"{provider}-{idempotency_key_id(event_id)}"
    if redrive_id is not None:
        key = f"{key}-{redrive_id}"
    return workflow_id(tenant=PLATFORM_TENANT, domain="payment", kind="provider-event", key=key)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ProviderEvent:
    """Write the event down once, then ask the provider how what it is about stands, and apply that.

    An event is a hint to look, never the truth: it may come twice, late, or before our own activity has an answer.
    """

    @workflow.run
    async def run(self, event: ProviderEventInput) -> ProviderEventResult:
        """Take the event in; tried until it is settled. It cannot be cancelled."""
        raise NotImplementedError
