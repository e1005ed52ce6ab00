"""Schedules for the tests, and the API as somebody in particular sees them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
)

from platform_contracts.task_queues import TaskQueue
from platform_contracts.user import notification
from platform_contracts.user.notification import NotificationInput
from platform_gateway.identity.audit import entry
from platform_gateway.identity.auditing import ASKED
from platform_gateway.identity.auth import Authentication
from platform_gateway.identity.callers import SCOPES_OF, Caller, Role
from platform_gateway.routes.operations import operations_router
from platform_gateway.routes.schedules import schedules_router
from platform_gateway.workflow_gateway import WorkflowGateway
from tests.gateway.api import LINKS, asked_until, documented_by

# Half a day from now, so that no run takes place by itself while a test goes on.
_NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LAST_RUN: Final = _NOW - timedelta(hours=12)
"""When the schedules of the tests ran last; they run once a day."""


@dataclass
class RecordedAudit:
    """What was kept of decisions."""

    entries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def record(
        self, caller: Caller | None, action: str, target: str, *, outcome: str = "done", **details: Any
    ) -> None:
        """Keep an entry."""
        self.entries.append(entry(caller, action, target, outcome, details))

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """What was decided and what came of it."""
        return [(each["action"], each["outcome"]) for each in self.entries if each["outcome"] != ASKED]


def new_tenant() -> str:
    """Return an account that no other test uses."""
    return f"acme-{uuid4().hex[:8]}"


def partner(tenant: str, *, role: Role = Role.ADMIN) -> Caller:
    """Return somebody of an account; with every scope, unless the role has fewer."""
    return Caller(tenant=tenant, subject="key:1", scopes=SCOPES_OF[role])


def staff(tenant: str) -> Caller:
    """Return one of those who run the marketplace, acting for an account."""
    return Caller(tenant=tenant, subject="key:2", scopes=SCOPES_OF[Role.OPERATOR], is_staff=True)


async def new_schedule(client: Client, *, tenant: str) -> str:
    """Make a schedule that notifies somebody once a day, and return its id; while one run goes on, others are skipped.

    The notification waits for a worker.
    """
    schedule_id = f"{tenant}:user:reminder:{uuid4().hex[:8]}"
    reminder = NotificationInput(tenant=tenant, notification_id="n-1", user_id="u-1", type="info", message="Hello")
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            notification.WORKFLOW_TYPE, reminder, id=schedule_id, task_queue=TaskQueue.USER
        ),
        spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(LAST_RUN.hour),))]),
    )
    await client.create_schedule(schedule_id, schedule)
    return schedule_id


class _AlwaysAs(Authentication):
    """Lets everybody in as this caller."""

    def __init__(self, caller: Caller, audit: RecordedAudit) -> None:
        super().__init__(audit)
        self._caller = caller

    async def __call__(self, request: Request) -> Caller:
        """Return the caller."""
        return self._caller


@asynccontextmanager
async def scheduling_api(
    client: Client, caller: Caller, *, audit: RecordedAudit | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """Yield a client of the API that everybody calls as this caller."""
    authenticate = _AlwaysAs(caller, audit or RecordedAudit())
    workflows = WorkflowGateway(client, links=LINKS)
    app = FastAPI()
    app.include_router(operations_router(workflows, authenticate=authenticate))
    app.include_router(schedules_router(workflows, authenticate=authenticate))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://gateway.test",
        event_hooks={"response": [documented_by(app)]},
        timeout=30,
    ) as api:
        yield api


async def schedule_when(api: httpx.AsyncClient, schedule_id: str, member: str, value: Any) -> dict[str, Any]:
    """Return a schedule once a member of it has this value."""
    answer = await asked_until(
        lambda: api.get(f"/v1/schedules/{schedule_id}"),
        lambda answer: answer.status_code == 200 and answer.json()[member] == value,
    )
    return answer.json()


def past(first: datetime, last: datetime, **members: Any) -> dict[str, Any]:
    """Return the body of a backfill of this time."""
    return {"startAt": first.isoformat(), "endAt": last.isoformat(), **members}
