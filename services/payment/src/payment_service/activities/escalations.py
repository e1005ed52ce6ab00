"""Activities that a person's decision on an escalation needs."""

from datetime import UTC, datetime

from temporalio import activity

from payment_service.activities.failures import translated
from payment_service.domain.escalations import Escalation, EscalationResolvedError, UnknownEscalationError
from payment_service.ports import Escalations
from platform_contracts.payment.escalation_resolution import EscalationResolutionInput
from platform_contracts.payment.views import EscalationDetail, EscalationView


class EscalationActivities:
    """What is done to escalations."""

    def __init__(self, escalations: Escalations) -> None:
        """Work on these escalations."""
        self._escalations = escalations

    @activity.defn(name="payment.resolve_escalation")
    async def resolve_escalation(self, resolution: EscalationResolutionInput) -> EscalationView:
        """Write down who resolved it and how; return it as it stands.

        The first resolution stays. A repeat finds it, and is told so when it is another one's.

        Raises:
            ApplicationError: of type `UNKNOWN_ESCALATION` or `ESCALATION_RESOLVED`.
        """
        with translated():
            found = await self._escalations.resolve(
                resolution.escalation_id,
                by=resolution.resolved_by,
                resolution=resolution.resolution,
                now=datetime.now(UTC),
            )
            if found is None:
                raise UnknownEscalationError(f"there is no escalation {resolution.escalation_id}")
            if (found.resolved_by, found.resolution) != (resolution.resolved_by, resolution.resolution):
                raise EscalationResolvedError(f"escalation {resolution.escalation_id} was resolved before")
            return shown(found)


def shown(escalation: Escalation) -> EscalationView:
    """Return an escalation as others see it."""
    return EscalationView(
        escalation_id=escalation.escalation_id,
        account=escalation.tenant,
        reason=escalation.reason,
        subject=escalation.subject,
        details=tuple(EscalationDetail(name=name, value=value) for name, value in sorted(escalation.details.items())),
        opened_at=escalation.opened_at,
        resolved_at=escalation.resolved_at,
        resolved_by=escalation.resolved_by,
        resolution=escalation.resolution,
    )
