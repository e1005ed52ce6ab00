"""What the tests of the publication ask for again and again."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ActivityError, ApplicationError

from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts import memo
from platform_contracts.listing.publication import (
    Publication,
    PublicationInput,
    PublicationResult,
    ReviewDecision,
    publication_workflow_id,
)
from platform_contracts.memo import Progress
from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
from tests.fakes.listing import ListingPorts
from tests.support.waiting import eventually

WAIT_SECONDS = 30

APPROVED = ReviewDecision(reviewer_id="r-1", approved=True)
REJECTED = ReviewDecision(reviewer_id="r-1", approved=False, reason="No picture.")


class Submission:
    """One submission of the teapot, and what is asked about it."""

    def __init__(self, client: Client, task_queue: str, ports: ListingPorts) -> None:
        """Prepare it; a submission id is never used twice."""
        self.submission_id = f"s-{uuid4().hex[:12]}"
        self._client = client
        self._task_queue = task_queue
        self.ports = ports

    @property
    def handle(self) -> WorkflowHandle[Publication, PublicationResult]:
        """The workflow."""
        return self._client.get_workflow_handle_for(
            Publication.run, publication_workflow_id(tenant="acme", submission_id=self.submission_id)
        )

    async def start(self) -> "Submission":
        """Submit it, by u-1."""
        await self._client.start_workflow(
            Publication.run,
            PublicationInput(tenant="acme", listing_id="teapot", submission_id=self.submission_id, submitter_id="u-1"),
            id=self.handle.id,
            task_queue=self._task_queue,
        )
        return self

    async def review(self, decision: ReviewDecision) -> PublicationResult:
        """Decide, and return the answer."""
        updating = self.handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
            Publication.review, decision
        )
        return await asyncio.wait_for(updating, WAIT_SECONDS)

    async def refusal(self, decision: ReviewDecision) -> str | None:
        """Decide, and return the type of the refusal."""
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await self.review(decision)
        assert isinstance(raised.value.cause, ApplicationError)
        return raised.value.cause.type

    async def result(self) -> PublicationResult:
        """Return what became of it."""
        return await asyncio.wait_for(self.handle.result(), WAIT_SECONDS)

    async def end(self) -> WorkflowExecutionStatus | None:
        """Wait for its end, and return the status."""
        with suppress(WorkflowFailureError):
            await self.result()
        return (await self.handle.describe()).status

    async def failure_type(self) -> str | None:
        """Return what it failed with."""
        with pytest.raises(WorkflowFailureError) as raised:
            await self.result()
        cause = raised.value.cause
        if isinstance(cause, ActivityError):
            cause = cause.cause
        assert isinstance(cause, ApplicationError)
        return cause.type

    async def progress(self) -> Progress:
        """Return where it stands."""
        return await (await self.handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)

    async def reaches(self, step: str) -> None:
        """Wait until it is at this step."""

        async def is_there() -> bool:
            return (await self.progress()).step == step

        await eventually(is_there, within_seconds=WAIT_SECONDS)

    async def tries(self, method: str, times: int = 2) -> None:
        """Wait until it has called the database so often."""

        async def has_tried() -> bool:
            return self.ports.listings.calls[method] >= times

        await eventually(has_tried, within_seconds=WAIT_SECONDS)

    async def notification(self, kind: str) -> NotificationInput:
        """Return what somebody is notified of; the notification itself waits for a worker."""
        handle = self._client.get_workflow_handle_for(
            Notification.run,
            notification_workflow_id(tenant="acme", notification_id=f"{kind}-{self.submission_id}"),
        )
        async for event in handle.fetch_history_events():
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            return (await self._client.data_converter.decode(payloads, [NotificationInput]))[0]
        raise AssertionError("a workflow without a first event")


def listing_status(ports: ListingPorts) -> StoredStatus:
    """Return where the teapot stands."""
    return ports.listings.listings["acme", "teapot"].status
