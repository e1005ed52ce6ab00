"""What the requests about escalations start."""

from platform_contracts.payment.escalation_resolution import (
    EscalationResolution,
    EscalationResolutionInput,
    escalation_resolution_workflow_id,
)
from platform_contracts.payment.views import EscalationView
from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command, Repeat
from platform_gateway.fingerprint import fingerprint
from platform_gateway.market.escalation_models import ResolutionRequest


def resolve_escalation(
    body: ResolutionRequest, *, escalation_id: str, resolved_by: str
) -> Command[EscalationResolutionInput, EscalationView]:
    """Return the command that resolves an escalation; its id is its key, so that it is resolved once."""
    return Command(
        workflow=EscalationResolution.run,
        request=EscalationResolutionInput(
            escalation_id=escalation_id, resolved_by=resolved_by, resolution=body.resolution
        ),
        workflow_id=escalation_resolution_workflow_id(escalation_id=escalation_id),
        task_queue=TaskQueue.PAYMENT,
        fingerprint=fingerprint(body, resolvedBy=resolved_by),
        repeat=Repeat.AGAIN_AFTER_FAILURE,
        resource_id=escalation_id,
    )
