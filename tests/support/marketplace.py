"""A marketplace in one process: the real services listing and payment on a real server, a real acquirer beside it."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic import AnyHttpUrl
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner

import listing_service.worker
import payment_service.worker
from listing_service.domain.listings import ListingDetails
from listing_service.persistence.listings import SqlListings
from listing_service.settings import ListingSettings
from payment_service.settings import PaymentSettings
from platform_contracts.analytics.record_events import RECORD_EVENTS, RecordEventsRequest, RecordEventsResult
from platform_contracts.listing.purchase import Purchase, PurchaseInput, PurchaseLine, purchase_workflow_id
from platform_contracts.money import Money
from platform_contracts.payment.reconciliation import Reconciliation, ReconciliationInput, ReconciliationResult
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database, driver_url
from platform_runtime.migrations import migrate
from platform_runtime.sandbox import workflow_runner
from platform_runtime.service_process import Resources
from tests.support.gates import Gates
from tests.support.money_check import Books, differences
from tests.support.namespaces import new_namespace
from tests.support.platform import free_ports
from tests.support.waiting import eventually
from tests.support.workflow_gates import SlowHandlers, TaskGates, child_name

TENANT = "acme"
LISTING = "lamp"
PRICE = Money(minor_units=1250, currency="EUR")

_ENDED_WITHIN_SECONDS = 60


@dataclass
class Marketplace:
    """Purchases can be made on it, held up, cancelled; and its books can be read."""

    client: Client
    gates: Gates
    tasks: TaskGates
    """Of the workflows of listing."""
    books: Books
    acquirer: httpx.AsyncClient
    payment: "_PaymentWorker"
    purchases: dict[str, WorkflowHandle[Any, Any]] = field(default_factory=dict[str, WorkflowHandle[Any, Any]])

    async def buy(self, *, token: str = "tok_ok", purchase_id: str | None = None) -> str:
        """Start to buy one lamp and return the purchase's id."""
        purchase_id = purchase_id or f"p-{uuid4().hex[:10]}"
        self.purchases[purchase_id] = await self.client.start_workflow(
            Purchase.run,
            PurchaseInput(
                tenant=TENANT,
                purchase_id=purchase_id,
                buyer_id="ada",
                lines=(PurchaseLine(seller=TENANT, listing_id=LISTING, quantity=1),),
                payment_token=token,
            ),
            id=workflow_id_of(purchase_id),
            task_queue=TaskQueue.LISTING,
        )
        return purchase_id

    async def cancel(self, purchase_id: str) -> None:
        """Cancel a purchase, as an operator can: without asking whether it may be."""
        await self.purchases[purchase_id].cancel()

    async def status(self, purchase_id: str) -> str:
        """Return how a purchase is."""
        status = (await self.purchases[purchase_id].describe()).status
        return "NONE" if status is None else status.name

    async def ended(self, purchase_id: str, *, within_seconds: float = _ENDED_WITHIN_SECONDS) -> str:
        """Wait for a purchase to end, and return how."""
        with suppress(WorkflowFailureError, TimeoutError):
            await asyncio.wait_for(self.purchases[purchase_id].result(), within_seconds)
        return await self.status(purchase_id)

    async def story(self, purchase_id: str) -> list[str]:
        """Return the names of the events in a purchase's history; a child's have its name behind them."""
        story: list[str] = []
        async for event in self.purchases[purchase_id].fetch_history_events():
            about = getattr(event, event.WhichOneof("attributes") or "")
            kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
            if "CHILD_WORKFLOW" in kind:
                child_id = getattr(about, "workflow_id", "") or about.workflow_execution.workflow_id
                kind += f" {child_name(about.workflow_type.name, child_id, parent_id=workflow_id_of(purchase_id))}"
            story.append(kind)
        return story

    async def differences(self, *, within_seconds: float = _ENDED_WITHIN_SECONDS) -> list[str]:
        """Return what does not fit in the books, once every purchase has had the time to end."""
        ended = (self.ended(each, within_seconds=within_seconds) for each in self.purchases)
        statuses = dict(zip(self.purchases, await asyncio.gather(*ended), strict=True))
        return await asyncio.to_thread(differences, self.books, tenant=TENANT, statuses=statuses)

    async def reconcile(self) -> ReconciliationResult:
        """Run a reconciliation, as its schedule does, and return what it found."""
        return await self.client.execute_workflow(
            Reconciliation.run,
            ReconciliationInput(),
            id=f"platform:payment:reconciliation:{uuid4().hex}",
            task_queue=TaskQueue.PAYMENT,
        )

    @asynccontextmanager
    async def without_payment(self) -> AsyncGenerator[None]:
        """Have no payment worker in the block."""
        await self.payment.stop()
        try:
            yield
        finally:
            await self.payment.start()

    async def fault(self, **faults: object) -> None:
        """Let the acquirer misbehave; without arguments it behaves."""
        if faults:
            (await self.acquirer.put("/v1/faults", json=faults)).raise_for_status()
        else:
            (await self.acquirer.delete("/v1/faults")).raise_for_status()


class _PaymentWorker:
    """A worker that can be stopped and started again."""

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        await self._stack.enter_async_context(self._make())

    async def stop(self) -> None:
        await self._stack.aclose()


def workflow_id_of(purchase_id: str) -> str:
    """Return a purchase's workflow id."""
    return purchase_workflow_id(tenant=TENANT, purchase_id=purchase_id)


@asynccontextmanager
async def marketplace(
    server: WorkflowEnvironment,
    home: Path,
    *,
    stock: int = 1000,
    hold_seconds: float = 900,
    orphan_after_seconds: float = 3_600,
    settling_seconds: float = 120,
    sandboxed: bool = True,
) -> AsyncGenerator[Marketplace]:
    """Open a marketplace with one listing.

    Args:
        server: where its workflows run, in a namespace of their own.
        home: for the databases.
        stock: how many lamps there are.
        hold_seconds: how long a purchase may take.
        orphan_after_seconds: how old a charge is when reconciliation asks for its purchase.
        settling_seconds: how old a movement is when reconciliation compares it.
        sandboxed: whether workflows run in the sandbox; without it a test can put something else into their modules.
    """
    async with AsyncExitStack() as stack:
        acquirer = await stack.enter_async_context(_acquirer(home))
        urls = {name: f"sqlite:///{home / name}.sqlite3" for name in ("payment", "listing")}
        for name, url in urls.items():
            await asyncio.to_thread(migrate, url, f"{name}_service.persistence.migrations")
        payment_database = await stack.enter_async_context(Database.opened(urls["payment"]))
        listing_database = await stack.enter_async_context(Database.opened(urls["listing"]))
        await _publish(listing_database, stock=stock)
        client = await new_namespace(server)
        gates = Gates()
        payment = await payment_service.worker.build(
            Resources(
                settings=PaymentSettings(
                    acquirer_url=AnyHttpUrl(str(acquirer.base_url)),
                    orphan_after_seconds=orphan_after_seconds,
                    reconciliation_settling_seconds=settling_seconds,
                ),
                database=payment_database,
                service_token=None,
                stack=stack,
            )
        )
        listing = await listing_service.worker.build(
            Resources(
                settings=ListingSettings(hold_seconds=hold_seconds),
                database=listing_database,
                service_token=None,
                stack=stack,
            )
        )
        runner: WorkflowRunner = workflow_runner() if sandboxed else UnsandboxedWorkflowRunner()
        tasks = TaskGates(runner)

        def payment_worker() -> Worker:
            return Worker(
                client,
                task_queue=TaskQueue.PAYMENT,
                workflows=payment.workflows,
                activities=payment.activities,
                workflow_runner=runner,
                interceptors=[gates],
            )

        selling = Worker(
            client,
            task_queue=TaskQueue.LISTING,
            workflows=listing.workflows,
            activities=listing.activities,
            workflow_runner=tasks,
            interceptors=[gates, SlowHandlers()],
        )
        paying = _PaymentWorker(payment_worker)
        stack.push_async_callback(paying.stop)
        await paying.start()
        await stack.enter_async_context(selling)
        counted = Worker(client, task_queue=TaskQueue.ANALYTICS, activities=[_record_events], interceptors=[gates])
        await stack.enter_async_context(counted)
        yield Marketplace(
            client=client,
            gates=gates,
            tasks=tasks,
            books=Books(
                acquirer=f"sqlite:///{home / 'acquirer.sqlite3'}",
                **{name: str(driver_url(url, is_async=False)) for name, url in urls.items()},
            ),
            acquirer=acquirer,
            payment=paying,
        )


@activity.defn(name=RECORD_EVENTS.name)
async def _record_events(request: RecordEventsRequest) -> RecordEventsResult:
    return RecordEventsResult(recorded=len(request.events), duplicates=0)


async def _publish(database: Database, *, stock: int) -> None:
    listings = SqlListings(database)
    now = datetime.now(UTC)
    await listings.save_draft(
        tenant=TENANT,
        listing_id=LISTING,
        details=ListingDetails(title="A lamp", description="", price=PRICE, stock=stock),
        now=now,
    )
    await listings.take_into_review(tenant=TENANT, listing_id=LISTING, submission_id="s-1")
    await listings.publish(tenant=TENANT, listing_id=LISTING, submission_id="s-1", now=now)


@asynccontextmanager
async def _acquirer(home: Path) -> AsyncGenerator[httpx.AsyncClient]:
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "platform_sandbox"),
        env=dict(os.environ)
        | {
            "ACQUIRER_PORT": str(port),
            "ACQUIRER_DATABASE_URL": f"sqlite:///{home / 'acquirer.sqlite3'}",
            "ACQUIRER_SLOW_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
        },
        cwd=home,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).is_success

            await eventually(ready, within_seconds=30)
            yield client
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)
