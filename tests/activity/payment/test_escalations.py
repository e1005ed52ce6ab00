"""The first resolution of an escalation stays, and whoever comes second is told."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.escalations import EscalationActivities
from platform_contracts.payment.escalation_resolution import EscalationResolutionInput
from platform_contracts.payment.failures import PaymentFailure
from tests.fakes.payment_escalations import FakeEscalations, escalated

OPEN = escalated()


def _resolution(
    text: str = "They were called.", *, escalation_id: str = OPEN.escalation_id
) -> EscalationResolutionInput:
    return EscalationResolutionInput(escalation_id=escalation_id, resolved_by="user:grace", resolution=text)


async def test_who_resolved_it_and_how_is_written_down() -> None:
    escalations = FakeEscalations(OPEN)

    resolved = await ActivityEnvironment().run(EscalationActivities(escalations).resolve_escalation, _resolution())

    assert (resolved.resolved_by, resolved.resolution) == ("user:grace", "They were called.")
    assert resolved.resolved_at is not None


async def test_repeat_changes_nothing() -> None:
    activities = EscalationActivities(FakeEscalations(OPEN))
    first = await ActivityEnvironment().run(activities.resolve_escalation, _resolution())

    second = await ActivityEnvironment().run(activities.resolve_escalation, _resolution())

    assert second == first


@pytest.mark.parametrize(
    ("second", "failure"),
    [
        (_resolution("They were never called."), PaymentFailure.ESCALATION_RESOLVED),
        (_resolution(escalation_id="mismatched-0123456789abcdef"), PaymentFailure.UNKNOWN_ESCALATION),
    ],
    ids=["another resolution", "unknown"],
)
async def test_what_cannot_be_resolved_is_refused(second: EscalationResolutionInput, failure: PaymentFailure) -> None:
    escalations = FakeEscalations(OPEN)
    activities = EscalationActivities(escalations)
    await ActivityEnvironment().run(activities.resolve_escalation, _resolution())

    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(activities.resolve_escalation, second)

    assert (refused.value.type, refused.value.non_retryable) == (failure, True)
    assert escalations.rows[OPEN.escalation_id].resolution == "They were called."
