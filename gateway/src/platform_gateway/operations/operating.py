"""What an operator does to one operation: cancel, retry now, reset, terminate, pause, resume."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    PauseWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetActivityRequest,
    TerminateWorkflowExecutionRequest,
    UnpauseActivityRequest,
    UnpauseWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from platform_gateway.identity.callers import Caller
from platform_gateway.operations.describing import Description
from platform_gateway.operations.finding import closed, ids, require_open
from platform_gateway.operations.status import awaited_children
from platform_gateway.operations.temporal_calls import ATTEMPT, is_missing_workflow
from platform_gateway.problems import Kind, Problem


@dataclass(frozen=True)
class Order:
    """Who wants something done to an operation, and why; both are kept in its history."""

    identity: str
    reason: str = ""

    @classmethod
    def of(cls, caller: Caller, reason: str) -> "Order":
        """Return the order of a caller."""
        return cls(identity=f"gateway {caller.subject}", reason=reason)


async def cancel(client: Client, found: Description, order: Order) -> None:
    """Ask the operation to stop and to undo what it did; asking twice is asking once.

    Raises:
        Problem: `OPERATION_CLOSED`, `PAST_THE_PIVOT`.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    progress = await found.progress()
    if progress is not None and not progress.cancellable:
        raise Problem(Kind.PAST_THE_PIVOT, f"It has come to the step {progress.step}.", **ids(found))
    async with _which_may_have_ended(found):
        await client.workflow_service.request_cancel_workflow_execution(
            RequestCancelWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=_execution(found),
                identity=order.identity,
                reason=order.reason,
                # The server remembers it for the run: a second one of ours is the same request.
                request_id=f"cancel-{found.run_id}",
            ),
            retry=True,
            timeout=ATTEMPT,
        )


async def retry(client: Client, found: Description, order: Order) -> tuple[str, ...]:
    """Let every activity that waits for its next attempt have it now; return their types.

    Activities of children that the operation waits for are among them. Their attempts are counted from one again, so a
    repeat gives them no more than another attempt, which is safe by their own ids.

    Raises:
        Problem: `OPERATION_CLOSED`; `NOTHING_TO_RETRY`; `NOT_SUPPORTED` by this server.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    if found.status == "PAUSED":
        raise Problem(Kind.NOTHING_TO_RETRY, "It is paused.", **ids(found))
    retried = await _retry(client, found, order)
    async for child in awaited_children(client, found):
        if child.is_open:
            retried += await _retry(client, child, order)
    if not retried:
        raise Problem(Kind.NOTHING_TO_RETRY, **ids(found))
    return tuple(retried)


async def terminate(client: Client, found: Description, order: Order) -> None:
    """End the operation at once; none of its code runs, so nothing is undone.

    Raises:
        Problem: `OPERATION_CLOSED`.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    async with _which_may_have_ended(found):
        await client.workflow_service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=_execution(found),
                identity=order.identity,
                reason=order.reason,
            ),
            retry=True,
            timeout=ATTEMPT,
        )


async def pause(client: Client, found: Description, order: Order) -> tuple[str, ...]:
    """Hold the operation, or on a server that cannot do that, the activities that it waits for; return their types.

    A running attempt comes to its end. Where activities are held, the operation goes on once one of them has succeeded
    in the attempt that was running. Pausing twice is pausing once.

    Raises:
        Problem: `OPERATION_CLOSED`; `NOT_SUPPORTED` when this server can do neither.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    if found.status == "PAUSED" or await _pause_whole(client, found, order):
        return ()
    paused = await _done_to(
        found.raw.pending_activities,
        "pause an activity",
        lambda activity: client.workflow_service.pause_activity(
            PauseActivityRequest(
                namespace=client.namespace,
                execution=_execution(found),
                identity=order.identity,
                id=activity.activity_id,
                reason=order.reason,
            ),
            retry=True,
            timeout=ATTEMPT,
        ),
    )
    if not paused:
        raise Problem(
            Kind.NOT_SUPPORTED,
            "This Temporal server cannot pause a workflow, and the operation has no activity that could be paused.",
            **ids(found),
        )
    return tuple(paused)


async def resume(client: Client, found: Description, order: Order) -> tuple[str, ...]:
    """Let a paused operation go on; return which activities were held.

    Raises:
        Problem: `OPERATION_CLOSED`; `NOT_PAUSED`; `NOT_SUPPORTED` by this server.
        RPCError: when Temporal does not answer.
    """
    require_open(found)
    is_whole = found.status == "PAUSED"
    if is_whole:
        await _resume_whole(client, found, order)
    resumed = await _done_to(
        [activity for activity in found.raw.pending_activities if activity.paused],
        "resume an activity",
        lambda activity: client.workflow_service.unpause_activity(
            UnpauseActivityRequest(
                namespace=client.namespace,
                execution=_execution(found),
                identity=order.identity,
                id=activity.activity_id,
            ),
            retry=True,
            timeout=ATTEMPT,
        ),
    )
    if not resumed and not is_whole:
        raise Problem(Kind.NOT_PAUSED, **ids(found))
    return tuple(resumed)


async def _retry(client: Client, found: Description, order: Order) -> list[str]:
    return await _done_to(
        [activity for activity in found.raw.pending_activities if _waits_for_its_next_attempt(activity)],
        "retry an activity now",
        # By their ids: server 1.29 does not know `match_all` here.
        lambda activity: client.workflow_service.reset_activity(
            ResetActivityRequest(
                namespace=client.namespace,
                execution=_execution(found),
                identity=order.identity,
                id=activity.activity_id,
            ),
            retry=True,
            timeout=ATTEMPT,
        ),
    )


async def _done_to(
    activities: Iterable[PendingActivityInfo], what: str, call: Callable[[PendingActivityInfo], Awaitable[object]]
) -> list[str]:
    """Make the call about one activity after the other; return the types of those that had not ended meanwhile."""
    done: list[str] = []
    for activity in activities:
        try:
            async with _supported(what):
                await call(activity)
        except RPCError as error:
            if not is_missing_workflow(error):
                raise
        else:
            done.append(activity.activity_type.name)
    return done


def _waits_for_its_next_attempt(activity: PendingActivityInfo) -> bool:
    is_scheduled = activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return is_scheduled and activity.attempt > 1 and not activity.paused


async def _pause_whole(client: Client, found: Description, order: Order) -> bool:
    """Pause the workflow itself; False on a server that cannot."""
    request = PauseWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id=found.workflow_id,
        run_id=found.run_id,
        identity=order.identity,
        reason=order.reason,
        request_id=str(uuid4()),
    )
    try:
        async with _which_may_have_ended(found):
            await client.workflow_service.pause_workflow_execution(request, retry=True, timeout=ATTEMPT)
    except RPCError as error:
        # Servers before 1.30 do not know the call, later ones may have it switched off.
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return False
        raise
    return True


async def _resume_whole(client: Client, found: Description, order: Order) -> None:
    request = UnpauseWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id=found.workflow_id,
        run_id=found.run_id,
        identity=order.identity,
        reason=order.reason,
        request_id=str(uuid4()),
    )
    async with _supported("resume a workflow"), _which_may_have_ended(found):
        await client.workflow_service.unpause_workflow_execution(request, retry=True, timeout=ATTEMPT)


def _execution(found: Description) -> WorkflowExecution:
    return WorkflowExecution(workflow_id=found.workflow_id, run_id=found.run_id)


@asynccontextmanager
async def _which_may_have_ended(found: Description) -> AsyncGenerator[None]:
    try:
        yield
    except RPCError as error:
        if not is_missing_workflow(error):
            raise
        # It was there a moment ago, so it has closed meanwhile.
        raise closed(found, "It ended before that could be done.") from None


@asynccontextmanager
async def _supported(what: str) -> AsyncGenerator[None]:
    try:
        yield
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:
            raise
        raise Problem(Kind.NOT_SUPPORTED, f"This Temporal server cannot {what}.") from None
