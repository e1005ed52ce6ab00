"""Sell: reserve, authorise, confirm, capture, or undo all of it."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import PaymentToken

WORKFLOW_TYPE: Final = "listing.Purchase"


class PurchaseStep(StrEnum):
    """What `progress.step` can say."""

    RESERVING = "reserving"
    AUTHORISING = "authorising"
    RESOLVING_CHARGE = "resolving_charge"
    """The acquirer gave no answer and is being asked."""
    CONFIRMING = "confirming"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    UNDOING = "undoing"


class PurchaseStatus(StrEnum):
    """What became of a purchase that did not fail."""

    CAPTURED = "captured"


PURCHASE_CANCELLED: Final = "listing.PurchaseCancelled"
"""The failure type of `outcome` for a purchase that was cancelled; the workflow itself ends CANCELED."""


class PurchaseLine(ContractModel):
    """So many units of a listing. The price is the listing's; a request has no amount."""

    seller: Tenant
    listing_id: ClientId
    quantity: Annotated[int, Field(ge=1, le=1_000)]


class PurchaseInput(ContractModel):
    """What is bought, for whom, and with which card. The purchase id names it: the same id is never sold twice."""

    tenant: Tenant
    purchase_id: ClientId
    buyer_id: ClientId
    lines: Annotated[tuple[PurchaseLine, ...], Field(min_length=1, max_length=50)]
    payment_token: PaymentToken


class PurchaseResult(ContractModel):
    """What was sold."""

    purchase_id: ClientId
    status: PurchaseStatus
    total: Money


class CompensationResolution(ContractModel):
    """An operator's word that a stuck compensation has been seen to by hand."""

    operator_id: ClientId
    note: str


class CompensationResolved(ContractModel):
    """Which step's compensation was taken as done; None when none was stuck, and then nothing has changed."""

    step: PurchaseStep | None


def purchase_workflow_id(*, tenant: str, purchase_id: str) -> str:
    """Return the workflow id of one purchase."""
    return workflow_id(tenant=tenant, domain="listing", kind="purchase", key=purchase_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Purchase:
    """The saga across listing, payment, user and analytics. Its pivot is confirm."""

    @workflow.run
    async def run(self, purchase: PurchaseInput) -> PurchaseResult:
        """Sell, or leave nothing behind: no charge, no hold.

        A cancel is read between steps and honoured up to the pivot; after it the purchase goes on to its end.

        Raises:
            ApplicationError: of type `ListingFailure.UNKNOWN_LISTING`, `NOT_FOR_SALE`, `MIXED_CURRENCIES`, `SOLD_OUT`,
                `PURCHASE_DIFFERS`, `RESERVATION_EXPIRED` or `PAYMENT_UNAVAILABLE`; `PaymentFailure.DECLINED` or
                `CAPTURE_REFUSED`.
        """
        raise NotImplementedError

    # `self: Any` because the update descriptor is invariant in the type of self.
    @workflow.update
    async def outcome(self: Any) -> PurchaseResult:
        """Return the result as soon as it is captured, before buyer and sellers are told.

        Raises:
            ApplicationError: as `run`, when the purchase failed; of type `PURCHASE_CANCELLED` when it was cancelled.
                Both only once everything is undone.
        """
        raise NotImplementedError

    @workflow.update
    async def resolve_compensation(self: Any, resolution: CompensationResolution) -> CompensationResolved:
        """Go on without the compensation that is stuck; the others are still carried out."""
        raise NotImplementedError
