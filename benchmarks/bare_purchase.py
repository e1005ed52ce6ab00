"""The purchase as a bare program of the SDK: the events of ours, and nothing of our runtime, contracts, saga or traces.

It is what one would write in an afternoon: dataclasses, strings, no undo, no cancel, no outcome to wait for. So it is
no way to sell anything; it says what the server and the SDK cost when there is nothing else.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.workflow import ParentClosePolicy

QUEUE_PREFIX = "bare-"


class _Options(TypedDict):
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    schedule_to_start_timeout: timedelta | None
    retry_policy: RetryPolicy


def _options(days: int, pick_up_seconds: int | None = None) -> _Options:
    # Each time-out is a timer of the server, so there are as many of them as ours has.
    return {
        "start_to_close_timeout": timedelta(seconds=10),
        "schedule_to_close_timeout": timedelta(days=days),
        "schedule_to_start_timeout": None if pick_up_seconds is None else timedelta(seconds=pick_up_seconds),
        "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200)),
    }


@dataclass(frozen=True)
class Order:
    """What is bought."""

    tenant: str
    purchase_id: str
    buyer_id: str
    seller: str
    listing_id: str
    quantity: int
    payment_token: str


@dataclass(frozen=True)
class Hold:
    """What is held, and what it costs."""

    minor_units: int
    currency: str
    held_until: str


@dataclass(frozen=True)
class Charge:
    """What is to be charged."""

    tenant: str
    operation_id: str
    payment_token: str
    minor_units: int
    currency: str
    seller: str


@dataclass(frozen=True)
class Sold:
    """What was sold."""

    purchase_id: str
    minor_units: int
    currency: str


@dataclass(frozen=True)
class Message:
    """What a user is told."""

    tenant: str
    notification_id: str
    user_id: str
    type: str
    text: str


@dataclass(frozen=True)
class Happened:
    """What is counted."""

    tenant: str
    type: str
    subject_id: str
    occurred_at: str


@workflow.defn(name="BarePurchase")
class BarePurchase:
    """Reserve, authorise, confirm, capture, sell; tell two users; count it."""

    @workflow.run
    async def run(self, order: Order) -> Sold:
        """Sell, if all goes well."""
        _show("reserving")
        hold = await workflow.execute_activity("reserve", order, result_type=Hold, **_options(days=1))
        _show("authorising")
        charge = Charge(
            order.tenant, order.purchase_id, order.payment_token, hold.minor_units, hold.currency, order.seller
        )
        await _remote("payment", "authorise", charge)
        _show("confirming")
        await workflow.execute_activity("confirm", order, **_options(days=30))
        _show("capturing")
        await _remote("payment", "capture", charge)
        _show("captured")
        await workflow.execute_activity("sell", order, **_options(days=30))

        price = f"{hold.minor_units / 100:.2f} {hold.currency}"
        await _tell(order.tenant, order.buyer_id, "buyer", order, f"Your purchase {order.purchase_id} is paid: {price}")
        await _tell(order.seller, order.seller, "seller", order, f"You sold {order.quantity} of {order.purchase_id}.")
        await _count(order.tenant, "listing.purchased", order.purchase_id)
        return Sold(order.purchase_id, hold.minor_units, hold.currency)


@workflow.defn(name="BareNotification")
class BareNotification:
    """Put a message into an inbox, send it by e-mail, count it."""

    @workflow.run
    async def run(self, message: Message) -> str:
        """Deliver, if all goes well."""
        _show("delivering_in_app")
        await workflow.execute_activity("deliver_in_app", message, **_options(days=1))
        _show("sending_email")
        outcome = await workflow.execute_activity("send_email", message, result_type=str, **_options(days=1))
        _show("notified")
        await _count(message.tenant, "user.notified", message.notification_id)
        return outcome


def _show(step: str) -> None:
    workflow.upsert_memo({"progress": {"step": step}})


async def _remote(domain: str, activity: str, argument: Any) -> None:
    await workflow.execute_activity(activity, argument, task_queue=f"{QUEUE_PREFIX}{domain}", **_options(days=30))


async def _tell(tenant: str, user_id: str, role: str, order: Order, text: str) -> None:
    notification_id = f"{order.purchase_id}-{role}"
    await workflow.start_child_workflow(
        BareNotification.run,
        Message(tenant, notification_id, user_id, "info", text),
        id=f"{tenant}:bare:notification:{notification_id}",
        task_queue=f"{QUEUE_PREFIX}user",
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        parent_close_policy=ParentClosePolicy.ABANDON,
    )


async def _count(tenant: str, kind: str, subject_id: str) -> None:
    await workflow.execute_activity(
        "record_events",
        Happened(tenant, kind, subject_id, workflow.now().isoformat()),
        task_queue=f"{QUEUE_PREFIX}analytics",
        **_options(days=1, pick_up_seconds=3),
    )
