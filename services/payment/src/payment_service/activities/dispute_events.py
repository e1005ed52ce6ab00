"""The activity that looks up a dispute at its provider, because an event hints that something has become of it."""

from collections.abc import Mapping
from typing import Final

from temporalio import activity

from payment_service.activities.provider_events import EventFact, Verdict
from payment_service.domain.disputes import DisputeName, agrees
from payment_service.domain.disputes import DisputeStatus as Status
from payment_service.domain.provider import FactKind
from payment_service.domain.provider_events import EventReason, EventStatus
from payment_service.ports import DisputeProvider
from platform_contracts.message import ContractModel
from platform_contracts.payment.dispute import DisputeInput, DisputeStatus

_SAYS: Final[Mapping[FactKind, Status]] = {
    FactKind.DISPUTE_OPENED: Status.OPENED,
    FactKind.DISPUTE_WON: Status.WON,
    FactKind.DISPUTE_LOST: Status.LOST,
}


class DisputeLookedUp(ContractModel):
    """What an event about a dispute is worth."""

    verdict: Verdict
    dispute: DisputeInput | None = None
    """The dispute as it stands at the provider; None where there is nothing to apply."""


class DisputeEventActivities:
    """What an event about a dispute gives rise to."""

    def __init__(self, *, providers: Mapping[str, DisputeProvider]) -> None:
        """Ask these providers, by name."""
        self._providers = providers

    @activity.defn(name="payment.look_up_dispute")
    async def look_up_dispute(self, fact: EventFact) -> DisputeLookedUp:
        """Ask the provider how the dispute stands, whatever the event says; return what is to be applied.

        It changes nothing, so it may be repeated. What was opened may have ended by the time that it is looked up: then
        the end is what is applied.

        Raises:
            NoAnswerError: when the provider gave no answer; Temporal tries again.
        """
        if fact.tenant is None or fact.subject is None or fact.charge_id is None:
            return DisputeLookedUp(verdict=Verdict(status=EventStatus.QUARANTINED, reason=EventReason.UNKNOWN_MOVEMENT))
        said = await self._providers[fact.provider].find_dispute(
            DisputeName(tenant=fact.tenant, charge_id=fact.charge_id, dispute_id=fact.subject)
        )
        if said is None or not agrees(_SAYS[fact.kind], at_provider=said.status):
            return DisputeLookedUp(
                verdict=Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)
            )
        return DisputeLookedUp(
            verdict=Verdict(status=EventStatus.APPLIED),
            dispute=DisputeInput(
                tenant=fact.tenant,
                dispute_id=fact.subject,
                charge_id=fact.charge_id,
                status=DisputeStatus(said.status),
                amount=said.amount,
            ),
        )
