"""What the tests of the notification ask for again and again."""

import asyncio
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.user.notification import (
    Channel,
    Delivery,
    DeliveryReason,
    DeliveryStatus,
    Notification,
    NotificationInput,
    NotificationResult,
)
from tests.fakes.user import FakeMailer, UserPorts

WAIT_SECONDS = 30

Handle = WorkflowHandle[Any, NotificationResult]


def ports_with_account(
    mailer: FakeMailer | None = None, *, email_enabled: bool = True, analytics: bool = True
) -> UserPorts:
    """Return ports with an account of the user u-1."""
    ports = UserPorts(mailer=mailer or FakeMailer())
    ports.accounts.add_active("u-1", email="ada@example.com", email_enabled=email_enabled)
    if not analytics:
        ports.analytics = None
    return ports


async def start(
    client: Client,
    task_queue: str,
    *,
    notification_type: str = "info",
    user_id: str = "u-1",
    notification_id: str | None = None,
) -> Handle:
    """Start a notification; one that has ended can be started again, as if Temporal had forgotten it."""
    notification_id = notification_id or f"n-{uuid4().hex[:12]}"
    notification = NotificationInput(
        tenant="acme", notification_id=notification_id, user_id=user_id, type=notification_type, message="Hello"
    )
    return await client.start_workflow(
        Notification.run, notification, id=f"acme:test:{notification_id}", task_queue=task_queue
    )


async def result_of(handle: Handle) -> NotificationResult:
    """Return what became of it."""
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


async def by_email_of(handle: Handle) -> Delivery:
    """Return what became of it by e-mail; it has to be in the inbox."""
    in_app, by_email = (await result_of(handle)).deliveries
    assert in_app == Delivery(channel=Channel.IN_APP, status=DeliveryStatus.SENT)
    return by_email


async def progress_of(handle: Handle) -> Progress:
    """Return where it says that it stands."""
    return await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)


def email(status: DeliveryStatus, reason: DeliveryReason | None = None) -> Delivery:
    """Return the line of a result about e-mail."""
    return Delivery(channel=Channel.EMAIL, status=status, reason=reason)
