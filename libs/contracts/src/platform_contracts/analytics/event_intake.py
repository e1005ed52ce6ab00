"""Take events for as long as it needs: the way that is always open."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.analytics.events import Event
from platform_contracts.analytics.record_events import EventBatch
from platform_contracts.identifiers import Tenant, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "analytics.EventIntake"


class EventIntakeStep(StrEnum):
    """What `progress.step` can say."""

    RECORDING = "recording"
    RECORDED = "recorded"


class EventIntakeInput(ContractModel):
    """A batch of events that could not be recorded in time."""

    tenant: Tenant
    events: EventBatch


class EventIntakeResult(ContractModel):
    """How many events were new, and how many had been recorded before."""

    recorded: int
    duplicates: int


def event_intake_workflow_id(*, tenant: str, events: Iterable[Event]) -> str:
    """Return the workflow id of one batch: the same events make the same id."""
    digest = hashlib.sha256("\n".join(event.event_id for event in events).encode()).hexdigest()[:32]
    return workflow_id(tenant=tenant, domain="analytics", kind="event-intake", key=digest)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class EventIntake:
    """Record a batch of events, however long analytics is away."""

    @workflow.run
    async def run(self, intake: EventIntakeInput) -> EventIntakeResult:
        """Record the events, each once by its id.

        Raises:
            ApplicationError: of type `AnalyticsFailure.INVALID_EVENT`.
        """
        raise NotImplementedError
