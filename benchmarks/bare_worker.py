"""A worker of the bare program, one process for each domain: `python -m benchmarks.bare_worker payment`.

Its activities make the same calls on the same repositories, databases and acquirer as those of the services: what they
do costs the same, and what is around them differs.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from analytics_service.persistence.event_log import SqlEventLog
from benchmarks.bare_purchase import (
    QUEUE_PREFIX,
    BareNotification,
    BarePurchase,
    Charge,
    Happened,
    Hold,
    Message,
    Order,
)
from listing_service.domain.purchases import OrderLine
from listing_service.persistence.purchases import SqlPurchases
from payment_service.domain.charges import ChargeDetails, ChargeStatus, Share
from payment_service.domain.ledger import capture_transaction
from payment_service.persistence.charges import SqlCharges
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_contracts.analytics.events import Event
from platform_contracts.money import Money
from platform_runtime.database import Database
from platform_runtime.process import run_process, stop_event
from user_service.domain import templates
from user_service.domain.notifications import InboxEntry, MailOutcome
from user_service.persistence.accounts import SqlAccounts
from user_service.persistence.notifications import SqlInboxes, SqlSentMails

_HOLD = timedelta(minutes=15)
_FEE_BASIS_POINTS = 1_000


class ListingActivities:
    """What is done to stock."""

    def __init__(self, database: Database) -> None:
        """Move the stock in this database."""
        self._purchases = SqlPurchases(database)

    @activity.defn(name="reserve")
    async def reserve(self, order: Order) -> Hold:
        """Hold the stock."""
        now = datetime.now(UTC)
        held = await self._purchases.reserve(
            tenant=order.tenant,
            purchase_id=order.purchase_id,
            buyer_id=order.buyer_id,
            lines=[OrderLine(seller=order.seller, listing_id=order.listing_id, quantity=order.quantity)],
            now=now,
            held_until=now + _HOLD,
        )
        return Hold(held.total.minor_units, held.total.currency, held.held_until.isoformat())

    @activity.defn(name="confirm")
    async def confirm(self, order: Order) -> None:
        """Confirm the hold."""
        await self._purchases.confirm(tenant=order.tenant, purchase_id=order.purchase_id, now=datetime.now(UTC))

    @activity.defn(name="sell")
    async def sell(self, order: Order) -> None:
        """Turn what is held into sold units."""
        await self._purchases.sell(tenant=order.tenant, purchase_id=order.purchase_id, now=datetime.now(UTC))


class PaymentActivities:
    """What is done to charges."""

    def __init__(self, database: Database, acquirer: HttpCardAcquirer) -> None:
        """Charge through the acquirer."""
        self._charges = SqlCharges(database)
        self._acquirer = acquirer

    @activity.defn(name="authorise")
    async def authorise(self, charge: Charge) -> str:
        """Reserve the amount."""
        amount = Money(minor_units=charge.minor_units, currency=charge.currency)
        stored, _ = await self._charges.begin(
            tenant=charge.tenant,
            operation_id=charge.operation_id,
            details=ChargeDetails(
                payment_token=charge.payment_token, amount=amount, shares=(Share(seller=charge.seller, amount=amount),)
            ),
            provider=self._acquirer.name,
            now=datetime.now(UTC),
        )
        said = await self._acquirer.authorise(stored)
        return (await self._charges.move(stored, to=said, now=datetime.now(UTC))).status

    @activity.defn(name="capture")
    async def capture(self, charge: Charge) -> str:
        """Take what is reserved, and post it.

        Raises:
            LookupError: when nothing is reserved.
        """
        stored = await self._charges.find(tenant=charge.tenant, operation_id=charge.operation_id)
        if (
            stored is None
            or stored.details is None
            or await self._acquirer.capture(stored) is not ChargeStatus.CAPTURED
        ):
            raise LookupError(charge.operation_id)
        transaction = capture_transaction(
            tenant=charge.tenant,
            operation_id=charge.operation_id,
            provider=stored.provider,
            details=stored.details,
            fee_basis_points=_FEE_BASIS_POINTS,
            now=datetime.now(UTC),
        )
        return (await self._charges.capture(stored, transaction=transaction)).status


class UserActivities:
    """What is done to reach a user."""

    def __init__(self, database: Database) -> None:
        """Deliver into this database."""
        self._inboxes = SqlInboxes(database)
        self._sent_mails = SqlSentMails(database)
        self._accounts = SqlAccounts(database)

    @activity.defn(name="deliver_in_app")
    async def deliver_in_app(self, message: Message) -> None:
        """Put the message into the inbox."""
        text = templates.render(message.type, message.text)
        await self._inboxes.deliver(
            tenant=message.tenant,
            user_id=message.user_id,
            entry=InboxEntry(
                notification_id=message.notification_id,
                type=message.type,
                subject=text.subject,
                body=text.body,
                delivered_at=datetime.now(UTC),
            ),
        )

    @activity.defn(name="send_email")
    async def send_email(self, message: Message) -> str:
        """Find out that nobody has an address: in the benchmark users have no accounts, here and in ours.

        Raises:
            NotImplementedError: when one has.
        """
        known = await self._sent_mails.outcome(tenant=message.tenant, notification_id=message.notification_id)
        if known is not None:
            return known.reason or known.status
        templates.render(message.type, message.text)
        if await self._accounts.recipient(tenant=message.tenant, user_id=message.user_id) is not None:
            raise NotImplementedError("the benchmark sends no mail")
        await self._sent_mails.record(
            tenant=message.tenant,
            notification_id=message.notification_id,
            outcome=MailOutcome(status="skipped", reason="no_address"),
            now=datetime.now(UTC),
        )
        return "no_address"


class AnalyticsActivities:
    """What is counted."""

    def __init__(self, database: Database) -> None:
        """Keep the events in this database."""
        self._event_log = SqlEventLog(database)

    @activity.defn(name="record_events")
    async def record_events(self, happened: Happened) -> int:
        """Record the event."""
        event = Event(
            event_id=f"{happened.tenant}:{happened.type}:{happened.subject_id}",
            tenant=happened.tenant,
            type=happened.type,
            subject_id=happened.subject_id,
            occurred_at=datetime.fromisoformat(happened.occurred_at),
        )
        return await self._event_log.record([event], received_at=datetime.now(UTC))


@dataclass(frozen=True)
class BareRegistrations:
    """What the worker of a domain runs."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]


def registrations(domain: str, database: Database, acquirer: HttpCardAcquirer) -> BareRegistrations:
    """Return what the worker of this domain runs.

    Raises:
        ValueError: when there is no such domain.
    """
    match domain:
        case "listing":
            listing = ListingActivities(database)
            return BareRegistrations([BarePurchase], [listing.reserve, listing.confirm, listing.sell])
        case "payment":
            payment = PaymentActivities(database, acquirer)
            return BareRegistrations([], [payment.authorise, payment.capture])
        case "user":
            user = UserActivities(database)
            return BareRegistrations([BareNotification], [user.deliver_in_app, user.send_email])
        case "analytics":
            return BareRegistrations([], [AnalyticsActivities(database).record_events])
        case _:
            raise ValueError(f"there is no domain {domain!r}")


async def main() -> int:
    """Work until SIGTERM; the places of database, acquirer and Temporal are in the environment, as for the services."""
    domain = sys.argv[1]
    stop = stop_event()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.opened(os.environ[f"{domain.upper()}_DATABASE_URL"]))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        acquirer = HttpCardAcquirer(http, url=os.environ["PAYMENT_ACQUIRER_URL"], timeout_seconds=2)
        runs = registrations(domain, database, acquirer)
        client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
        worker = Worker(
            client,
            task_queue=f"{QUEUE_PREFIX}{domain}",
            workflows=runs.workflows,
            activities=runs.activities,
        )
        await stack.enter_async_context(worker)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stop.wait()
    return 0


if __name__ == "__main__":
    # The same event loop as the services': a faster loop is no part of the comparison.
    run_process(main)
