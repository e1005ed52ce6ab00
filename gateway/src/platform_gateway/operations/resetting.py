"""Let an operation go on from an earlier point, as a new run."""

from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ResetWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from platform_gateway.bulk_contract import ResetPoint
from platform_gateway.operations.describing import Description
from platform_gateway.operations.finding import closed, ids, require_open
from platform_gateway.operations.operating import Order
from platform_gateway.operations.temporal_calls import ATTEMPT, is_missing_workflow
from platform_gateway.problems import Kind, Problem, invalid_field

_ENDS: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
    }
)
"""The events that a workflow can be reset to: where a workflow task ended."""

_MOST_EVENTS: Final = 1_000
"""How far a point is looked for; one request must not read a long history."""


async def reset(
    client: Client, found: Description, order: Order, *, to: ResetPoint | int, request_id: str | None = None
) -> str:
    """End this run and start a new one that goes on from the point; return the new run's id.

    What came after the point is forgotten and decided again: its activities are run again, which is safe by their
    business ids, also past a pivot. Updates and signals that came after it are handed to the new run.

    Args:
        client: the connection to Temporal.
        found: the run.
        order: who wants it, and why.
        to: the point, or the id of the event at which a workflow task ended.
        request_id: what makes a repeat the same reset; None: each one is a new one.

    Raises:
        Problem: `OPERATION_CLOSED`; `NOTHING_TO_RESET` when it has not begun; `INVALID_REQUEST` for an event that it
            cannot be reset to.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    event_id = to if isinstance(to, int) else await _event_of(client, found, to)
    if event_id is None:
        raise Problem(Kind.NOTHING_TO_RESET, **ids(found))
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=found.workflow_id, run_id=found.run_id),
        reason=order.reason,
        identity=order.identity,
        workflow_task_finish_event_id=event_id,
        request_id=request_id or str(uuid4()),
        reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
    )
    try:
        answer = await client.workflow_service.reset_workflow_execution(request, retry=True, timeout=ATTEMPT)
    except RPCError as error:
        if is_missing_workflow(error):
            raise closed(found, "It ended before it could be reset.") from None
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            unfit: Problem = invalid_field("body", "to", "not the id of an event at which a workflow task ended")
            raise unfit from None
        raise
    return answer.run_id


async def _event_of(client: Client, found: Description, point: ResetPoint) -> int | None:
    execution = WorkflowExecution(workflow_id=found.workflow_id, run_id=found.run_id)
    events: list[HistoryEvent] = []
    if point is ResetPoint.FIRST_WORKFLOW_TASK:
        first = await client.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace, execution=execution, maximum_page_size=_MOST_EVENTS
            ),
            retry=True,
            timeout=ATTEMPT,
        )
        events.extend(first.history.events)
    else:
        last = await client.workflow_service.get_workflow_execution_history_reverse(
            GetWorkflowExecutionHistoryReverseRequest(
                namespace=client.namespace, execution=execution, maximum_page_size=_MOST_EVENTS
            ),
            retry=True,
            timeout=ATTEMPT,
        )
        events.extend(last.history.events)
        completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        # Attempts that failed after it came to no decision: it is the last decision that is taken again.
        last_decision = next((event.event_id for event in events if event.event_type == completed), None)
        if last_decision is not None:
            return last_decision
    return next((event.event_id for event in events if event.event_type in _ENDS), None)
