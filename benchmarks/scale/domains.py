"""One short workflow of each domain, from its start to its result."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from temporalio.client import Client

from benchmarks.private_stack import LISTING
from benchmarks.rounds import Call
from platform_contracts.analytics.event_intake import EventIntake, EventIntakeInput, event_intake_workflow_id
from platform_contracts.analytics.events import event_of
from platform_contracts.listing.listing_draft import (
    ListingDetails,
    ListingDraft,
    ListingDraftInput,
    listing_draft_workflow_id,
)
from platform_contracts.listing.purchase import Purchase, PurchaseInput, PurchaseLine, purchase_workflow_id
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeRequest
from platform_contracts.payment.charge_void import ChargeVoid, charge_void_workflow_id
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id

_TENANT: Final = "demo"


def notified(client: Client) -> Call:
    """Return what has the user domain deliver a notification."""

    async def call() -> None:
        name = f"n-{uuid4().hex}"
        await client.execute_workflow(
            Notification.run,
            NotificationInput(
                tenant=_TENANT, notification_id=name, user_id="buyer-1", type="info", message="It is on its way."
            ),
            id=notification_workflow_id(tenant=_TENANT, notification_id=name),
            task_queue=TaskQueue.USER,
        )

    return call


def drafted(client: Client) -> Call:
    """Return what has the listing domain draft a listing."""

    async def call() -> None:
        name = f"l-{uuid4().hex}"
        details = ListingDetails(title="A lamp", price=Money(minor_units=1250, currency="EUR"), stock=1)
        await client.execute_workflow(
            ListingDraft.run,
            ListingDraftInput(tenant=_TENANT, listing_id=name, details=details),
            id=listing_draft_workflow_id(tenant=_TENANT, listing_id=name),
            task_queue=TaskQueue.LISTING,
        )

    return call


def counted(client: Client) -> Call:
    """Return what has the analytics domain take in an event."""

    async def call() -> None:
        event = event_of(
            tenant=_TENANT, event_type="benchmark.called", subject_id=uuid4().hex, occurred_at=datetime.now(UTC)
        )
        await client.execute_workflow(
            EventIntake.run,
            EventIntakeInput(tenant=_TENANT, events=(event,)),
            id=event_intake_workflow_id(tenant=_TENANT, events=[event]),
            task_queue=TaskQueue.ANALYTICS,
        )

    return call


def voided(client: Client) -> Call:
    """Return what has the payment domain void a charge that nobody has made: one call of the acquirer."""

    async def call() -> None:
        name = f"c-{uuid4().hex}"
        await client.execute_workflow(
            ChargeVoid.run,
            ChargeRequest(tenant=_TENANT, operation_id=name),
            id=charge_void_workflow_id(tenant=_TENANT, operation_id=name),
            task_queue=TaskQueue.PAYMENT,
        )

    return call


async def buy(client: Client) -> None:
    """Start a purchase, and do not wait for it."""
    name = f"p-{uuid4().hex}"
    await client.start_workflow(
        Purchase.run,
        PurchaseInput(
            tenant=_TENANT,
            purchase_id=name,
            buyer_id="buyer-1",
            lines=(PurchaseLine(seller=_TENANT, listing_id=LISTING, quantity=1),),
            payment_token="tok_ok",  # noqa: S106 - the sandbox's word for a card that works
        ),
        id=purchase_workflow_id(tenant=_TENANT, purchase_id=name),
        task_queue=TaskQueue.LISTING,
    )
