"""Close a purchase that nobody works on any more: its workflow was terminated, or ended without undoing its steps."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from temporalio.common import RetryPolicy

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.published_activity import PublishedActivity
from platform_contracts.task_queues import TaskQueue


class PurchaseEnd(StrEnum):
    """How a purchase stands, once it was asked to be closed."""

    OPEN = "open"
    """Its workflow still runs, and brings it to an end itself; nothing was done."""
    SOLD = "sold"
    """The units are the buyer's: what was captured stays captured."""
    RELEASED = "released"
    """Nothing is held for it, now or later: whatever was taken from its buyer has to be given back."""


class ClosePurchaseRequest(ContractModel):
    """Which purchase."""

    tenant: Tenant
    purchase_id: ClientId


class ClosePurchaseResult(ContractModel):
    """How it stands after that."""

    purchase_id: ClientId
    end: PurchaseEnd


CLOSE_PURCHASE: Final = PublishedActivity(
    name="listing.close_purchase",
    task_queue=TaskQueue.LISTING,
    request_type=ClosePurchaseRequest,
    result_type=ClosePurchaseResult,
    start_to_close=timedelta(seconds=10),
    schedule_to_close=timedelta(hours=1),
    schedule_to_start=None,
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)),
)
"""Release what a purchase still holds, unless its workflow runs or it is sold; say how it stands.

A purchase that was never reserved is released too, so that nothing can be reserved for it later. A repeat finds it
closed and says the same.
"""
