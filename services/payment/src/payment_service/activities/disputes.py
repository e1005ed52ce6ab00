"""The activity that applies what a provider says of a dispute."""

from datetime import UTC, datetime

from temporalio import activity

from payment_service.activities.failures import translated
from payment_service.domain.disputes import DisputeNotice, StoredDispute
from payment_service.domain.disputes import DisputeStatus as Status
from payment_service.ports import Disputes
from platform_contracts.payment.dispute import DisputeInput, DisputeResult, DisputeStatus


class DisputeActivities:
    """What is done to disputes."""

    def __init__(self, disputes: Disputes) -> None:
        """Keep what is told of them."""
        self._disputes = disputes

    @activity.defn(name="payment.apply_dispute")
    async def apply_dispute(self, dispute: DisputeInput) -> DisputeResult:
        """Post what the bank takes, or that it gives it back; return how the dispute stands after that.

        The dispute's row moves once from each status, with its postings, so a repeat and what comes late change
        nothing. It takes no more than refunds have left.

        Raises:
            ApplicationError: of type `UNKNOWN_CHARGE`; a person hears of it as well.
            DisputeNotCapturedError: when our book has not captured the charge yet. A person hears of it; Temporal tries
                again.
        """
        notice = DisputeNotice(
            tenant=dispute.tenant,
            dispute_id=dispute.dispute_id,
            charge_id=dispute.charge_id,
            status=Status(dispute.status),
            amount=dispute.amount,
        )
        with translated():
            return _shown(await self._disputes.apply(notice, now=datetime.now(UTC)))


def _shown(dispute: StoredDispute) -> DisputeResult:
    taken = 0 if dispute.status is Status.WON else sum(part.minor_units for part in dispute.parts)
    return DisputeResult(
        dispute_id=dispute.dispute_id,
        status=DisputeStatus(dispute.status),
        taken=dispute.amount.model_copy(update={"minor_units": taken}),
    )
