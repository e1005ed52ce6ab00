"""Start a workflow and return, or execute it and wait: typed, or by name."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from platform_contracts.message import ContractModel

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT")


async def start_workflow(
    client: Client,
    workflow: Callable[[Any, RequestT], Awaitable[ResultT]] | str,
    request: RequestT,
    *,
    task_queue: str,
    id: str | None = None,  # noqa: A002 - the SDK's own word
    result_type: type[ResultT] | None = None,
    memo: Mapping[str, object] | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE,
    id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.FAIL,
    priority: Priority = Priority.default,
    rpc_timeout: timedelta | None = None,
) -> WorkflowHandle[Any, ResultT]:
    """Start a workflow and return its handle without waiting for it.

    Args:
        client: the connection to Temporal.
        workflow: the `run` method of a contract, which types the result, or the workflow type's name.
        request: the workflow's one argument.
        task_queue: the queue of the workflow's domain.
        id: the workflow id; a business id makes a repeat safe. None: a new random one, so a repeat is a second start.
        result_type: what to decode the result to, when started by name.
        memo: what `describe` shows from the start on.
        id_reuse_policy: what a closed workflow of this id means; by default that it is not run again.
        id_conflict_policy: what a running workflow of this id means; by default a failure that names its run.
        priority: whose turn it is where workers are short; what the workflow starts inherits it.
        rpc_timeout: the bound of one attempt to reach Temporal.

    Raises:
        WorkflowAlreadyStartedError: when the policies do not allow the start.
        RPCError: when Temporal refuses or cannot be reached.
    """
    workflow_id = id or str(uuid4())
    if isinstance(workflow, str):
        return await client.start_workflow(
            workflow,
            request,
            id=workflow_id,
            task_queue=task_queue,
            result_type=result_type,
            memo=memo,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            priority=priority,
            rpc_timeout=rpc_timeout,
        )
    return await client.start_workflow(
        workflow,
        request,
        id=workflow_id,
        task_queue=task_queue,
        memo=memo,
        id_reuse_policy=id_reuse_policy,
        id_conflict_policy=id_conflict_policy,
        priority=priority,
        rpc_timeout=rpc_timeout,
    )


async def execute_workflow(
    client: Client,
    workflow: Callable[[Any, RequestT], Awaitable[ResultT]] | str,
    request: RequestT,
    *,
    task_queue: str,
    wait: timedelta,
    id: str | None = None,  # noqa: A002 - the SDK's own word
    result_type: type[ResultT] | None = None,
    memo: Mapping[str, object] | None = None,
) -> ResultT:
    """Start a workflow and return its result.

    Raises:
        TimeoutError: when the result was not there within `wait`; the workflow goes on.
        WorkflowFailureError: when the workflow failed or was cancelled.
        WorkflowAlreadyStartedError: when a workflow of this id runs or has run.
        RPCError: when Temporal refuses or cannot be reached.
    """
    async with asyncio.timeout(wait.total_seconds()):
        handle = await start_workflow(
            client, workflow, request, task_queue=task_queue, id=id, result_type=result_type, memo=memo
        )
        return await handle.result()
