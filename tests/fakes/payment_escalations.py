"""Escalations in memory, and a worker that resolves them."""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from payment_service.activities.escalations import EscalationActivities
from payment_service.domain.escalations import Escalation, EscalationPosition, EscalationReason, escalation
from payment_service.workflows.escalation_resolution import EscalationResolutionWorkflow
from platform_runtime.sandbox import workflow_runner

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class FakeEscalations:
    """Keeps escalations in a dictionary."""

    def __init__(self, *escalations: Escalation) -> None:
        """Begin with these."""
        self.rows = {each.escalation_id: each for each in escalations}

    async def open(self, escalation: Escalation) -> None:
        waiting = next(
            (
                row
                for row in self.rows.values()
                if (row.reason, row.subject, row.resolved_at) == (escalation.reason, escalation.subject, None)
            ),
            None,
        )
        if escalation.escalation_id not in self.rows and waiting is None:
            self.rows[escalation.escalation_id] = escalation
        elif waiting is not None:
            merged = replace(waiting, details={**escalation.details, **waiting.details})
            self.rows[waiting.escalation_id] = merged

    async def close_unless(
        self, reason: EscalationReason, *, subjects: Collection[str], resolution: str, now: datetime
    ) -> None:
        for row in [*self.rows.values()]:
            if row.reason is reason and row.subject not in subjects:
                await self.resolve(row.escalation_id, by="platform", resolution=resolution, now=now)

    async def resolve(self, escalation_id: str, *, by: str, resolution: str, now: datetime) -> Escalation | None:
        found = self.rows.get(escalation_id)
        if found is not None and found.resolved_at is None:
            self.rows[escalation_id] = replace(found, resolved_at=now, resolved_by=by, resolution=resolution)
        return self.rows.get(escalation_id)

    async def find(self, escalation_id: str) -> Escalation | None:
        return self.rows.get(escalation_id)

    async def page(
        self, *, tenant: str | None, is_open: bool | None, limit: int, after: EscalationPosition | None
    ) -> Sequence[Escalation]:
        newest_first = sorted(self.rows.values(), key=lambda row: (row.opened_at, row.escalation_id), reverse=True)
        return [
            row
            for row in newest_first
            if tenant in (None, row.tenant)
            and is_open in (None, row.resolved_at is None)
            and (after is None or (row.opened_at, row.escalation_id) < (after.opened_at, after.escalation_id))
        ][:limit]

    async def count_open(self) -> Mapping[EscalationReason, int]:
        return Counter(row.reason for row in self.rows.values() if row.resolved_at is None)


def escalated(number: int = 1, *, tenant: str = "buyers", reason: EscalationReason | None = None) -> Escalation:
    """Return an escalation of a charge; one with a higher number was opened later."""
    return escalation(
        reason or EscalationReason.CHARGE_UNRESOLVED,
        tenant=tenant,
        subject=f"charge:{tenant}:p-{number}",
        now=NOW + timedelta(minutes=number),
        details={"provider": "acquirer"},
    )


@asynccontextmanager
async def escalation_worker(client: Client, escalations: FakeEscalations, *, task_queue: str) -> AsyncGenerator[None]:
    """Run the real workflow and activity on fake escalations."""
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[EscalationResolutionWorkflow],
        activities=[EscalationActivities(escalations).resolve_escalation],
        workflow_runner=workflow_runner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        yield
