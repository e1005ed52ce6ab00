"""Activities that give back what was captured: it is kept back from the sellers before anybody is asked to pay it."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from payment_service.activities.charges import ESCALATE_AFTER
from payment_service.activities.failures import translated
from payment_service.domain.provider import MovementStatus
from payment_service.domain.refunds import (
    OPEN,
    STATUS_OF,
    InvalidRefundError,
    RefundRequest,
    RefundUnresolvedError,
    StoredRefund,
    UnknownRefundError,
)
from payment_service.domain.refunds import RefundStatus as Status
from payment_service.ports import NoAnswerError, RefundProvider, Refunds
from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.payment.refund import RefundInput, RefundResult, RefundStatus


class SettleRefund(ContractModel):
    """Which refund."""

    tenant: Tenant
    refund_id: ClientId


class RefundActivities:
    """What is done to refunds."""

    def __init__(
        self, refunds: Refunds, provider: RefundProvider, *, escalate_after: timedelta = ESCALATE_AFTER
    ) -> None:
        """Refund through the provider.

        Args:
            refunds: where they are kept.
            provider: who gives the money back.
            escalate_after: how long a refund may be on its way before a person hears of it.
        """
        self._refunds = refunds
        self._provider = provider
        self._escalate_after = escalate_after

    @activity.defn(name="payment.request_refund")
    async def request_refund(self, refund: RefundInput) -> RefundResult:
        """Write down what is to be given back, and post it pending: neither refund nor payout can take it again.

        The refund id makes a repeat safe: it finds what the first one wrote, and other details are refused.

        Raises:
            ApplicationError: of type `UNKNOWN_CHARGE`, `NOT_CAPTURED`, `REFUND_EXCEEDS`, `INVALID_REFUND` or
                `DIFFERENT_REFUND`.
            ConcurrentReversalError: when too many refund the same charge at once; Temporal tries again.
        """
        with translated():
            return _shown(await self._refunds.request(_request(refund), now=_now()))

    @activity.defn(name="payment.settle_refund")
    async def settle_refund(self, request: SettleRefund) -> RefundResult:
        """Have the provider pay the refund back, and post it; return it once it SUCCEEDED or FAILED.

        The provider is asked first, and told only of what it has never seen; it pays back once for the refund id. Our
        row and the postings change together, once. So a repeat, and one beside it, changes nothing that is settled.

        Raises:
            RefundUnresolvedError: while it is on its way, or nobody answers; Temporal asks again, and a person hears of
                it when that goes on for too long.
        """
        refund = await self._refunds.find(tenant=request.tenant, refund_id=request.refund_id)
        if refund is None:
            raise UnknownRefundError(request.refund_id)
        if refund.status in OPEN:
            refund = await self._asked(refund)
        if refund.status in OPEN:
            if _now() - refund.requested_at >= self._escalate_after:
                await self._refunds.escalate(refund, now=_now())
            raise RefundUnresolvedError(refund.refund_id)
        return _shown(refund)

    async def _asked(self, refund: StoredRefund) -> StoredRefund:
        try:
            said = await self._provider.find_refund(refund.order)
            if said is None:
                said = await self._provider.refund(refund.order)
        except NoAnswerError as silence:
            activity.logger.warning("refund.unknown", extra={"refund_id": refund.refund_id, "reason": silence.reason})
            return refund
        if said is MovementStatus.PENDING and refund.status is Status.PENDING:
            return refund
        return await self._refunds.settle(refund, to=STATUS_OF[said], now=_now())


def _now() -> datetime:
    return datetime.now(UTC)


def _request(refund: RefundInput) -> RefundRequest:
    shares: dict[str, int] = {}
    currencies = {(share.amount.currency, share.amount.exponent) for share in refund.shares}
    for share in refund.shares:
        shares[share.seller] = shares.get(share.seller, 0) + share.amount.minor_units
    amount = refund.amount
    if refund.shares:
        first = refund.shares[0].amount
        amount = amount or first.model_copy(update={"minor_units": sum(shares.values())})
        if currencies != {(amount.currency, amount.exponent)}:
            raise InvalidRefundError(refund.refund_id, why="every share has to be in the currency of the whole")
    return RefundRequest(
        tenant=refund.tenant,
        refund_id=refund.refund_id,
        charge_id=refund.charge_id,
        amount=amount,
        shares=shares or None,
        reason=refund.reason,
    )


def _shown(refund: StoredRefund) -> RefundResult:
    return RefundResult(
        refund_id=refund.refund_id,
        charge_id=refund.charge_id,
        status=RefundStatus(refund.status),
        amount=refund.amount,
    )
