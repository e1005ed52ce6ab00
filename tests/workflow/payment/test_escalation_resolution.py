import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from platform_contracts.payment.escalation_resolution import EscalationResolution, EscalationResolutionInput
from platform_contracts.payment.failures import PaymentFailure
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment_escalations import FakeEscalations, escalated, escalation_worker


async def test_escalation_is_resolved(client: Client, task_queue: str) -> None:
    escalations = FakeEscalations(escalated())
    resolution = EscalationResolutionInput(
        escalation_id=escalated().escalation_id, resolved_by="user:grace", resolution="They were called."
    )

    async with escalation_worker(client, escalations, task_queue=task_queue):
        handle = await start_workflow(client, EscalationResolution.run, resolution, task_queue=task_queue)
        resolved = await handle.result()

    assert resolved.resolution == "They were called."
    assert escalations.rows[escalated().escalation_id].resolved_by == "user:grace"


async def test_unknown_escalation_fails_by_name(client: Client, task_queue: str) -> None:
    resolution = EscalationResolutionInput(
        escalation_id="mismatched-0123456789abcdef", resolved_by="user:grace", resolution="They were called."
    )

    async with escalation_worker(client, FakeEscalations(), task_queue=task_queue):
        handle = await start_workflow(client, EscalationResolution.run, resolution, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    cause = failed.value.cause.__cause__
    assert isinstance(cause, ApplicationError)
    assert cause.type == PaymentFailure.UNKNOWN_ESCALATION
