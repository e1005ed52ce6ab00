"""A purchase on fake ports, for workflow tests and histories."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from listing_service.domain.listings import ListingStatus
from platform_contracts.failures import TIMED_OUT
from platform_contracts.listing.purchase import Purchase, PurchaseInput, PurchaseLine, purchase_workflow_id
from platform_contracts.memo import PROGRESS, Progress
from tests.fakes.listing import ListingPorts, listing_worker
from tests.fakes.payment_contract import FakePayment, payment_worker
from tests.support.waiting import eventually

WAIT_SECONDS = 40


@dataclass
class Order:
    """One purchase of a teapot, and the world around it."""

    handle: WorkflowHandle[Any, Any]
    ports: ListingPorts
    payment: FakePayment
    place: Callable[[], Awaitable[WorkflowHandle[Any, Any]]]
    """Starts the same purchase, also another time."""

    @property
    def stock(self) -> tuple[int, int, int]:
        """Available, held and sold teapots."""
        teapot = self.ports.listings.listings["acme", "teapot"]
        return teapot.available, teapot.held, teapot.sold

    async def again(self) -> "Order":
        """Return the same purchase in a second run, as if Temporal had forgotten the first."""
        return replace(self, handle=await self.place())

    async def ended(self) -> str:
        """Wait for its end, and return the status."""
        with suppress(WorkflowFailureError):
            await asyncio.wait_for(self.handle.result(), WAIT_SECONDS)
        status = (await self.handle.describe()).status
        return "NONE" if status is None else status.name

    async def failure_type(self) -> str | None:
        """Return the type of what it failed with."""
        try:
            await asyncio.wait_for(self.handle.result(), WAIT_SECONDS)
        except WorkflowFailureError as error:
            return type_of(error.cause)
        return None

    async def progress(self) -> Progress:
        """Return where it says that it stands."""
        return await (await self.handle.describe()).memo_value(PROGRESS, type_hint=Progress)

    async def reaches(self, verb: str) -> None:
        """Wait until payment was asked for something."""

        async def asked() -> bool:
            return verb in self.payment.done

        await eventually(asked, within_seconds=WAIT_SECONDS, every_seconds=0.02)


def type_of(error: BaseException | None) -> str | None:
    """Return the type of the failure at the bottom of it, as the gateway tells it."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    if isinstance(error, TemporalTimeoutError):
        return TIMED_OUT
    return error.type if isinstance(error, ApplicationError) else None


@asynccontextmanager
async def ordered(
    client: Client,
    task_queue: str,
    *,
    token: str = "tok_ok",
    quantity: int = 1,
    name: str = "p",
    hold: timedelta = timedelta(minutes=15),
    status: ListingStatus = ListingStatus.PUBLISHED,
    reserve_away_for: int = 0,
    payment_away_for: dict[str, int] | None = None,
    is_payment_away: bool = False,
    is_analytics_away: bool = False,
    is_cancelled_first: bool = False,
    cached_workflows: int = 1000,
) -> AsyncGenerator[Order]:
    """Yield a purchase that has been started; the client's namespace has to be the test's own.

    One that `is_cancelled_first` is cancelled before any worker is there.
    """
    ports = ListingPorts(hold=hold, purchases_away_for={"reserve": reserve_away_for})
    ports.listings.add("teapot", status=status)
    if is_analytics_away:
        ports.analytics = None
    payment = FakePayment()
    payment.away_for.update(payment_away_for or {})
    purchase_id = f"{name}-{uuid4().hex[:10]}"

    async def place() -> WorkflowHandle[Any, Any]:
        return await client.start_workflow(
            Purchase.run,
            PurchaseInput(
                tenant="acme",
                purchase_id=purchase_id,
                buyer_id="ada",
                lines=(PurchaseLine(seller="acme", listing_id="teapot", quantity=quantity),),
                payment_token=token,
            ),
            id=purchase_workflow_id(tenant="acme", purchase_id=purchase_id),
            task_queue=task_queue,
        )

    early = await place() if is_cancelled_first else None
    if early is not None:
        await early.cancel()
    async with AsyncExitStack() as stack:
        if not is_payment_away:
            await stack.enter_async_context(payment_worker(client, payment))
        await stack.enter_async_context(
            listing_worker(client, ports, task_queue=task_queue, max_cached_workflows=cached_workflows)
        )

        yield Order(early or await place(), ports, payment, place)
