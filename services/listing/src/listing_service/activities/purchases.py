"""Activities that move stock for purchases."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from listing_service.activities.failures import translated
from listing_service.domain.purchases import OrderLine, PurchaseState, shares
from listing_service.ports import Purchases
from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.listing.close_purchase import (
    CLOSE_PURCHASE,
    ClosePurchaseRequest,
    ClosePurchaseResult,
    PurchaseEnd,
)
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.purchase import PurchaseLine, purchase_workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeShare


class ReserveStock(ContractModel):
    """What to hold, and for whom."""

    tenant: Tenant
    purchase_id: ClientId
    buyer_id: ClientId
    lines: Annotated[tuple[PurchaseLine, ...], Field(min_length=1, max_length=50)]


class MovePurchase(ContractModel):
    """Which purchase."""

    tenant: Tenant
    purchase_id: ClientId
    failure: str | None = None
    """The type of the failure that it is released for; None while it goes on."""


class Reservation(ContractModel):
    """What is held, and what it costs."""

    total: Money
    shares: tuple[ChargeShare, ...]
    """What of it belongs to each seller; they add up to the total."""
    held_until: datetime
    """From then on it cannot be confirmed any more."""
    is_sold: bool = False
    """Whether it has been paid and sold before: there is nothing left to do."""

    @property
    def sellers(self) -> tuple[Tenant, ...]:
        """Who sells, each once."""
        return tuple(share.seller for share in self.shares)


class PurchaseActivities:
    """What is done to the stock of a purchase."""

    def __init__(self, purchases: Purchases, hold: timedelta) -> None:
        """Move the stock of the purchases; a reservation holds for so long."""
        self._purchases = purchases
        self._hold = hold

    @activity.defn(name="listing.reserve")
    async def reserve(self, request: ReserveStock) -> Reservation:
        """Hold every line or none, at the prices of now.

        A repeat finds its own reservation and returns it as it was, also when prices have changed since; the hold is
        not extended. After a release nothing is held any more: the repeat fails as the purchase did.

        Raises:
            ApplicationError: of type `UNKNOWN_LISTING`, `NOT_FOR_SALE`, `SOLD_OUT`, `MIXED_CURRENCIES`,
                `PURCHASE_DIFFERS`, or what this purchase has failed with before.
        """
        now = datetime.now(UTC)
        with translated():
            held = await self._purchases.reserve(
                tenant=request.tenant,
                purchase_id=request.purchase_id,
                buyer_id=request.buyer_id,
                lines=[
                    OrderLine(seller=line.seller, listing_id=line.listing_id, quantity=line.quantity)
                    for line in request.lines
                ],
                now=now,
                held_until=now + self._hold,
            )
        return Reservation(
            total=held.total,
            shares=tuple(ChargeShare(seller=seller, amount=amount) for seller, amount in shares(held.lines).items()),
            held_until=held.held_until,
            is_sold=held.state is PurchaseState.SOLD,
        )

    @activity.defn(name="listing.confirm")
    async def confirm(self, request: MovePurchase) -> None:
        """Let the reservation be sold, if it has not lapsed; from then on it does not lapse.

        A repeat finds it confirmed and changes nothing.

        Raises:
            ApplicationError: of type `RESERVATION_EXPIRED`.
        """
        with translated():
            await self._purchases.confirm(tenant=request.tenant, purchase_id=request.purchase_id, now=datetime.now(UTC))

    @activity.defn(name="listing.unconfirm")
    async def unconfirm(self, request: MovePurchase) -> None:
        """Take the confirmation back; the stock stays held until it is released.

        A repeat, and one for a purchase that is not confirmed, changes nothing.
        """
        await self._purchases.unconfirm(tenant=request.tenant, purchase_id=request.purchase_id)

    @activity.defn(name="listing.sell")
    async def sell(self, request: MovePurchase) -> None:
        """Turn what is held into sold units; a repeat finds it sold and changes nothing.

        Raises:
            ApplicationError: of type `RESERVATION_EXPIRED`, when the purchase is not confirmed.
        """
        with translated():
            await self._purchases.sell(tenant=request.tenant, purchase_id=request.purchase_id, now=datetime.now(UTC))

    @activity.defn(name="listing.release")
    async def release(self, request: MovePurchase) -> None:
        """Give back what the purchase holds, whether or not it was reserved or confirmed; what was sold stays sold.

        The stock goes back once: a repeat finds the purchase released. One that was never reserved is marked, so that
        a reservation that is still on its way holds nothing when it arrives.
        """
        await self._purchases.release(tenant=request.tenant, purchase_id=request.purchase_id, failure=request.failure)

    @activity.defn(name=CLOSE_PURCHASE.name)
    async def close_purchase(self, request: ClosePurchaseRequest) -> ClosePurchaseResult:
        """Release what the purchase holds, unless its workflow runs or it is sold; return how it stands.

        Only Temporal knows whether anybody still works on it, so it is asked first; one that it has forgotten has
        ended. Who released it first is kept, and a repeat finds it released.
        """
        end = PurchaseEnd.OPEN
        if not await _is_running(request):
            state = await self._purchases.release(
                tenant=request.tenant, purchase_id=request.purchase_id, failure=ListingFailure.PURCHASE_ABANDONED
            )
            end = PurchaseEnd.SOLD if state is PurchaseState.SOLD else PurchaseEnd.RELEASED
        return ClosePurchaseResult(purchase_id=request.purchase_id, end=end)


async def _is_running(request: ClosePurchaseRequest) -> bool:
    workflow_id = purchase_workflow_id(tenant=request.tenant, purchase_id=request.purchase_id)
    try:
        description = await activity.client().get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return description.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
