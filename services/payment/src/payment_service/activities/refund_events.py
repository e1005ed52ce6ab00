"""The activity that looks up a refund at its provider, because an event hints that something has become of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from temporalio import activity

from payment_service.activities.provider_events import EventFact, Verdict
from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.provider import FactKind, MovementStatus
from payment_service.domain.provider_events import EventReason, EventStatus
from payment_service.domain.refunds import STATUS_OF
from payment_service.ports import Escalations, RefundProvider, Refunds

_SAYS: Final[Mapping[FactKind, MovementStatus]] = {
    FactKind.REFUND_SUCCEEDED: MovementStatus.SUCCEEDED,
    FactKind.REFUND_FAILED: MovementStatus.FAILED,
}


class RefundEventActivities:
    """What an event about a refund gives rise to."""

    def __init__(self, refunds: Refunds, escalations: Escalations, *, providers: Mapping[str, RefundProvider]) -> None:
        """Ask the providers, by name, and apply what they say as the refund's own activities do."""
        self._refunds = refunds
        self._escalations = escalations
        self._providers = providers

    @activity.defn(name="payment.apply_refund_event")
    async def apply_refund_event(self, fact: EventFact) -> Verdict:
        """Ask the provider how the refund stands and apply that, whatever the event says; return what that makes of it.

        The refund's row moves once with its postings, so a repeat, and the refund's own workflow beside it, change
        nothing that is settled. Nothing is sent to the provider.

        Raises:
            NoAnswerError: when the provider gave no answer; Temporal tries again.
        """
        refund = None
        if fact.tenant is not None and fact.subject is not None:
            refund = await self._refunds.find(tenant=fact.tenant, refund_id=fact.subject)
        if refund is None:
            # What failed has moved nothing, and what succeeded has moved money that nobody here asked for.
            is_moved = _SAYS[fact.kind] is MovementStatus.SUCCEEDED
            return (
                Verdict(status=EventStatus.QUARANTINED, reason=EventReason.UNKNOWN_MOVEMENT)
                if is_moved
                else Verdict(status=EventStatus.IGNORED, reason=EventReason.NO_RECORD)
            )
        said = await self._providers[fact.provider].find_refund(refund.order)
        if said is None:
            return Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)
        if refund.status is not STATUS_OF[said]:
            refund = await self._refunds.settle(refund, to=STATUS_OF[said], now=datetime.now(UTC))
        if refund.status is not STATUS_OF[said]:
            await self._escalations.open(
                escalation(
                    EscalationReason.MISMATCHED,
                    tenant=refund.tenant,
                    subject=f"refund:{refund.tenant}:{refund.refund_id}",
                    now=datetime.now(UTC),
                    details={
                        "provider": fact.provider,
                        "eventId": fact.event_id,
                        "ours": str(refund.status),
                        "theirs": str(said),
                    },
                )
            )
            return Verdict(status=EventStatus.QUARANTINED, reason=EventReason.BOOKS_DIFFER)
        if said is not _SAYS[fact.kind]:
            return Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)
        return Verdict(status=EventStatus.APPLIED)
