"""The activity that looks up a charge at its provider, because an event hints that something has become of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from temporalio import activity

from payment_service.activities.provider_events import EventFact, Verdict
from payment_service.domain.charges import BooksDifferError, ChargeStatus, StoredCharge
from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.provider_events import AGREES_WITH, MAY_BE_CAPTURED, EventReason, EventStatus
from payment_service.ports import ChargeProvider, Charges, Escalations

_NO_RECORD = Verdict(status=EventStatus.IGNORED, reason=EventReason.NO_RECORD)
_BOOKS_DIFFER = Verdict(status=EventStatus.QUARANTINED, reason=EventReason.BOOKS_DIFFER)
_DISAGREES = Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)
_APPLIED = Verdict(status=EventStatus.APPLIED)


class Outcomes(Protocol):
    """What records what a provider says of a charge, for whoever asked it."""

    async def recorded(self, charge: StoredCharge, said: ChargeStatus) -> StoredCharge:
        """Record it, as far as our row allows it; return the charge as it stands after that.

        Raises:
            BooksDifferError: when it is said to be captured, and our charge cannot be.
        """
        ...


class ChargeEventActivities:
    """What an event about a charge gives rise to."""

    def __init__(
        self,
        charges: Charges,
        escalations: Escalations,
        *,
        providers: Mapping[str, ChargeProvider],
        outcomes: Outcomes,
    ) -> None:
        """Ask the providers, by name, and apply what they say as the charge's own activities do."""
        self._charges = charges
        self._escalations = escalations
        self._providers = providers
        self._outcomes = outcomes

    @activity.defn(name="payment.apply_charge_event")
    async def apply_charge_event(self, fact: EventFact) -> Verdict:
        """Ask the provider how the charge stands and apply that, whatever the event says; return what that makes of it.

        Our row moves only from where it may come from and the postings have the operation's key, so a repeat, an older
        event that comes late, and one that overtakes the answer to our own call change nothing twice.

        Raises:
            NoAnswerError: when the provider gave no answer; Temporal tries again.
        """
        tenant, operation_id = fact.tenant, fact.subject
        if tenant is None or operation_id is None:
            # The provider has charged something that does not have our name on it.
            return _NO_RECORD
        # Our row first: what the provider says after that is as new, or newer.
        known = await self._charges.find(tenant=tenant, operation_id=operation_id)
        charge = known if known is not None and known.provider == fact.provider else None
        said = await self._providers[fact.provider].find(
            tenant=tenant, operation_id=operation_id, reference=None if charge is None else charge.reference
        )
        if said is None:
            return _DISAGREES
        difference = await self._applied(fact, charge, said)
        if difference is not None:
            return difference
        return _APPLIED if said in AGREES_WITH[fact.kind] else _DISAGREES

    async def _applied(self, fact: EventFact, charge: StoredCharge | None, said: ChargeStatus) -> Verdict | None:
        """Apply what the provider says; return what keeps our book from following, None when it does."""
        if charge is None:
            if said is ChargeStatus.CAPTURED:
                await self._tell(EscalationReason.EXTRA_AT_PROVIDER, fact, ours="no record", theirs=said)
            return _NO_RECORD
        is_captured = said is ChargeStatus.CAPTURED
        has_lost_it = charge.status is ChargeStatus.CAPTURED and not is_captured
        has_gained_it = is_captured and (charge.status not in MAY_BE_CAPTURED or charge.details is None)
        if not has_lost_it and not has_gained_it:
            try:
                await self._outcomes.recorded(charge, said)
            except BooksDifferError:
                # It was voided or declined between our look at it and this.
                has_gained_it = True
        if has_lost_it or has_gained_it:
            await self._tell(EscalationReason.MISMATCHED, fact, ours=charge.status, theirs=said)
            return _BOOKS_DIFFER
        return None

    async def _tell(self, reason: EscalationReason, fact: EventFact, *, ours: str, theirs: ChargeStatus) -> None:
        assert fact.tenant is not None
        await self._escalations.open(
            escalation(
                reason,
                tenant=fact.tenant,
                subject=f"charge:{fact.tenant}:{fact.subject}",
                now=datetime.now(UTC),
                details={"provider": fact.provider, "eventId": fact.event_id, "ours": str(ours), "theirs": str(theirs)},
            )
        )
