"""What the tests of payouts ask for again and again."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from payment_service.domain.payouts import PayoutPlan
from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PartnerPayoutInput,
    PartnerPayoutResult,
    PayoutDecision,
    PayoutReview,
    partner_payout_workflow_id,
)
from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id
from tests.fakes.payment_payouts import CUT, FakePayouts, PayoutPorts
from tests.support.waiting import eventually

WAIT_SECONDS = 30

GRACE = "user:grace"
"""Who asks for payouts."""
ADA = PayoutDecision(reviewer_id="user:ada", approved=True)
BARBARA = PayoutDecision(reviewer_id="user:barbara", approved=True, comment="Fine.")
EDSGER_REJECTS = PayoutDecision(reviewer_id="user:edsger", approved=False, comment="Who is that?")

OWED = 5_000


class Payout:
    """One payout to acme, and what is asked about it."""

    def __init__(self, client: Client, task_queue: str, *, payout_id: str | None = None) -> None:
        """Prepare it; a payout id is never used twice."""
        self.payout_id = payout_id or f"po-{uuid4().hex[:12]}"
        self._client = client
        self._task_queue = task_queue

    @property
    def handle(self) -> WorkflowHandle[PartnerPayout, PartnerPayoutResult]:
        """The workflow."""
        return self._client.get_workflow_handle_for(
            PartnerPayout.run, partner_payout_workflow_id(tenant="acme", payout_id=self.payout_id)
        )

    async def start(self, *, requested_by: str | None = GRACE) -> "Payout":
        """Start it."""
        await self._client.start_workflow(
            PartnerPayout.run,
            PartnerPayoutInput(
                tenant="acme", payout_id=self.payout_id, currency="EUR", cut=CUT, requested_by=requested_by
            ),
            id=self.handle.id,
            task_queue=self._task_queue,
        )
        return self

    async def decide(self, decision: PayoutDecision, *, update_id: str | None = None) -> PayoutReview:
        """Decide, and return the answer."""
        updating = self.handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
            PartnerPayout.decide, decision, id=update_id
        )
        return await asyncio.wait_for(updating, WAIT_SECONDS)

    async def refusal(self, decision: PayoutDecision) -> str | None:
        """Decide, and return the type of the refusal."""
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await self.decide(decision)
        assert isinstance(raised.value.cause, ApplicationError)
        return raised.value.cause.type

    async def result(self) -> PartnerPayoutResult:
        """Return what became of it."""
        return await asyncio.wait_for(self.handle.result(), WAIT_SECONDS)

    async def progress(self) -> Progress:
        """Return where it stands."""
        return await (await self.handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)

    async def reaches(self, step: str) -> Progress:
        """Wait until it is at this step, and waits there."""

        async def is_there() -> Progress | None:
            progress = await self.progress()
            return progress if progress.step == step and progress.waiting_for is not None else None

        found = await eventually(is_there, within_seconds=WAIT_SECONDS)
        assert found is not None
        return found

    async def notification(self, notification_id: str, *, tenant: str = "acme") -> NotificationInput:
        """Return what somebody is notified of; the notification itself waits for a worker."""
        handle = self._client.get_workflow_handle_for(
            Notification.run, notification_workflow_id(tenant=tenant, notification_id=notification_id)
        )
        async for event in handle.fetch_history_events():
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            return (await self._client.data_converter.decode(payloads, [NotificationInput]))[0]
        raise AssertionError("a workflow without a first event")


def owing(minor_units: int = OWED, **plan: Any) -> PayoutPorts:
    """Return ports that owe acme so much, under a plan like this."""
    return PayoutPorts(payouts=FakePayouts(plan=PayoutPlan(**plan), acme=minor_units))
