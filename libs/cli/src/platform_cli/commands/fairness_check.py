"""Whether Temporal lets tenants take turns, found out on a queue that nobody else uses."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, PollWorkflowTaskQueueRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority

_LONG_BACKLOG: Final = 20
_SHORT_BACKLOG: Final = 2
_WITHIN_SECONDS: Final = 20.0
_POLL: Final = timedelta(seconds=5)

REMEDY: Final = (
    "set matching.useNewMatcher and matching.enableFairness to true in the server's dynamic configuration "
    "(deploy/temporal/dynamic-config.yaml has them; a server of partner up gets them at its next start), on Temporal "
    "Cloud turn fairness on for the namespace"
)


async def fairness_problem(client: Client) -> str | None:
    """Return how a tenant would suffer from another one's backlog, None when they take turns.

    Two tenants put workflows on a queue without workers, the first of them many; then the tasks are taken one by one.
    The workflows are deleted afterwards, and would end by themselves within a minute.

    Raises:
        RPCError: Temporal cannot tell.
        TimeoutError: it did not tell in time.
    """
    probe = f"platform:doctor:fairness-probe:{uuid4().hex[:12]}"
    started: list[WorkflowHandle[object, object]] = []
    async with asyncio.timeout(_WITHIN_SECONDS):
        try:
            for tenant, count in (("first", _LONG_BACKLOG), ("second", _SHORT_BACKLOG)):
                for number in range(count):
                    started.append(  # noqa: PERF401 - what has been started is deleted even if the next start fails
                        await client.start_workflow(
                            "platform.FairnessProbe",
                            id=f"{probe}:{tenant}:{number}",
                            task_queue=probe,
                            run_timeout=timedelta(minutes=1),
                            priority=Priority(fairness_key=tenant),
                        )
                    )
            return turns_problem([await _next(client, probe) for _ in started])
        finally:
            await asyncio.gather(*(_delete(client, handle) for handle in started), return_exceptions=True)


def turns_problem(order: Sequence[str]) -> str | None:
    """Return what is wrong with the order in which workflows of two tenants had their turn, None when it is fair.

    Args:
        order: their ids. With several partitions the turns are taken in each of them, so not every second one is the
            other tenant's; but the short backlog is through before half of the long one is.
    """
    last = max(place for place, workflow_id in enumerate(order, start=1) if ":second:" in workflow_id)
    if last <= len(order) // 2:
        return None
    return f"fairness keys are ignored: a tenant with {_SHORT_BACKLOG} tasks was served {last}th of {len(order)}"


async def _next(client: Client, queue: str) -> str:
    task = await client.workflow_service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="partner doctor"
        ),
        timeout=_POLL,
    )
    return task.workflow_execution.workflow_id


async def _delete(client: Client, handle: WorkflowHandle[object, object]) -> None:
    execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id or "")
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    )
