"""Start a workflow so that a repeated request is the same request."""

import asyncio
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from platform_contracts import memo
from platform_contracts.identifiers import tenant_of
from platform_contracts.message import ContractModel
from platform_gateway.commands import Command, Repeat
from platform_gateway.operations.describing import describe
from platform_gateway.operations.temporal_calls import ATTEMPT, NO_ANSWER, calling_temporal
from platform_gateway.problems import Problem
from platform_runtime.problem import current_trace_id
from platform_runtime.workflow_calls import start_workflow

RequestT = TypeVar("RequestT", bound=ContractModel)
ResultT = TypeVar("ResultT", bound=ContractModel)

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Started(Generic[ResultT]):
    """An operation that has been started, now or by the same request before."""

    handle: WorkflowHandle[Any, ResultT]
    workflow_id: str
    run_id: str
    status: str
    replayed: bool


async def start(client: Client, command: Command[RequestT, ResultT]) -> Started[ResultT]:
    """Start the workflow, or find the one that the same request has started.

    The workflow id is the request's key and the start the only write, so there is nothing that could be half done. A
    start without an answer is tried again with the same id until the deadline: then it is found to have taken place, or
    takes place now. The token in the memo tells whose start took place, so that only what another request started is
    `replayed`, and not what this one did without hearing of it.

    Raises:
        Problem: `TEMPORAL_AWAY` with the workflow id when it is not known in time whether it started; the command's
            `other_body` when the id stands for another request.
    """
    token = uuid4().hex
    async with calling_temporal(command.workflow_id):
        while True:
            try:
                handle = await _start(client, command, token)
            except WorkflowAlreadyStartedError as error:
                return await _same(client, command, error.run_id, token)
            except RPCError as error:
                if error.status not in NO_ANSWER:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                run_id = handle.result_run_id or ""
                return Started(handle, command.workflow_id, run_id, status="RUNNING", replayed=False)


async def _start(client: Client, command: Command[RequestT, ResultT], token: str) -> WorkflowHandle[Any, ResultT]:
    known = {
        memo.START: token,
        memo.FINGERPRINT: command.fingerprint,
        memo.TRACE_ID: current_trace_id(),
        memo.RESOURCE_ID: command.resource_id,
    }
    return await start_workflow(
        client,
        command.workflow,
        command.request,
        task_queue=command.task_queue,
        id=command.workflow_id,
        memo={**{key: value for key, value in known.items() if value is not None}, **command.memo},
        id_reuse_policy=command.repeat.reuse_policy,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        # Where workers are short the tenants take turns; what the workflow starts inherits it.
        priority=Priority(fairness_key=tenant_of(command.workflow_id)),
        rpc_timeout=ATTEMPT,
    )


async def _same(
    client: Client, command: Command[RequestT, ResultT], run_id: str | None, token: str
) -> Started[ResultT]:
    """Return the operation that is there, if the same request started it."""
    found = await describe(client, command.workflow_id, run_id=run_id)
    if await found.fingerprint() != command.fingerprint:
        detail = {
            Repeat.ONCE: "An earlier request with this Idempotency-Key had another body.",
            Repeat.ONCE_BY_ID: "An earlier request with this id had another body.",
            Repeat.AGAIN_AFTER_FAILURE: "It was asked for with other details, and has completed or is going on.",
        }[command.repeat]
        raise Problem(command.repeat.other_body, detail, workflowId=command.workflow_id)
    handle = client.get_workflow_handle_for(command.workflow, command.workflow_id, run_id=found.run_id)
    replayed = await found.start_token() != token
    return Started(handle, command.workflow_id, found.run_id, status=found.status, replayed=replayed)
