"""The ways of a purchase that lead to the start of another workflow."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from platform_contracts.payment.charge_void import charge_void_workflow_id
from tests.support.gates import Moment
from tests.support.marketplace import TENANT, Marketplace, workflow_id_of

_WITHIN_SECONDS = 20

CHARGE_VOID = "payment.ChargeVoid"
RESOLUTION = "payment.ChargeResolution"
EVENT_INTAKE = "analytics.EventIntake"


@dataclass(frozen=True)
class Way:
    """A way of a purchase that leads to the start of another workflow, and how it ends when cancelled there."""

    status: str
    token: str = "tok_ok"
    refused: str | None = None
    """The step that fails for good on the way."""
    without_payment_after: str | None = None
    """The step after which there is no payment worker any more."""


STARTS: Final = {
    "user.Notification buyer": Way("COMPLETED"),
    f"user.Notification seller-{TENANT}": Way("COMPLETED"),
    EVENT_INTAKE: Way("COMPLETED", refused="analytics.record_events"),
    RESOLUTION: Way("CANCELED", token="tok_500_after"),
    CHARGE_VOID: Way("FAILED", token="tok_capture_refused", without_payment_after="listing.unconfirm"),
}


@asynccontextmanager
async def bought(market: Marketplace, purchase_id: str, way: Way) -> AsyncGenerator[None]:
    """Send a purchase on its way; for the block payment is away from it, where the way wants that."""
    workflow_id = workflow_id_of(purchase_id)
    if way.refused is not None:
        market.gates.hold(way.refused, Moment.REFUSED, workflow_id=workflow_id)
    async with AsyncExitStack() as stack:
        if way.without_payment_after is None:
            await market.buy(token=way.token, purchase_id=purchase_id)
        else:
            gate = market.gates.hold(way.without_payment_after, Moment.AFTER, workflow_id=workflow_id)
            await market.buy(token=way.token, purchase_id=purchase_id)
            await asyncio.wait_for(gate.reached.wait(), _WITHIN_SECONDS)
            await stack.enter_async_context(market.without_payment())
            gate.opened.set()
        yield


async def voided(market: Marketplace, purchase_id: str) -> None:
    """Wait for the workflow that was left with the void."""
    workflow_id = charge_void_workflow_id(tenant=TENANT, operation_id=purchase_id)
    await asyncio.wait_for(market.client.get_workflow_handle(workflow_id).result(), _WITHIN_SECONDS)


async def moment_of_cancel(market: Marketplace, purchase_id: str, *, child: str) -> Moment:
    """Return where the history has the cancel: before the start was asked for, until it was done, or after."""
    story = await market.story(purchase_id)
    cancelled = story.index("WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    if cancelled < story.index(f"START_CHILD_WORKFLOW_EXECUTION_INITIATED {child}"):
        return Moment.BEFORE
    return Moment.DURING if cancelled < story.index(f"CHILD_WORKFLOW_EXECUTION_STARTED {child}") else Moment.AFTER
