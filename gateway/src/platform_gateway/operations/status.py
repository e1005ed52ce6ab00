"""The status of an operation, as a client reads it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.service import RPCError

from platform_contracts import memo
from platform_contracts.failures import TIMED_OUT, safe_text
from platform_gateway.operations.blocked_by import blocked_by, bounded_text, task_failure_cause
from platform_gateway.operations.describing import Description, Execution, describe, moment
from platform_gateway.operations.resources import ResourcePath, resource_of
from platform_gateway.operations.temporal_calls import is_missing_workflow
from platform_gateway.rest_models import (
    BlockedBy,
    Failure,
    Links,
    OperationStatus,
    Progress,
    WorkflowTaskFailing,
    camel_case,
)

_MOST_CHILDREN: Final = 3
"""How many children are looked at: each is one more call for one status."""

PathOf = Callable[[str], str]
"""Returns the path of a route for a workflow id."""


@dataclass(frozen=True)
class LinkTargets:
    """Where the pages are that a status links to."""

    temporal_ui_url: str
    jaeger_ui_url: str

    def temporal(self, namespace: str, workflow_id: str, run_id: str) -> str:
        """Return the page of a run in Temporal's Web UI."""
        base = self.temporal_ui_url.rstrip("/")
        return f"{base}/namespaces/{quote(namespace, safe='')}/workflows/{quote(workflow_id, safe='')}/{run_id}"

    def trace(self, trace_id: str | None) -> str | None:
        """Return the page of a trace; None without a trace."""
        return None if trace_id is None else f"{self.jaeger_ui_url.rstrip('/')}/trace/{trace_id}"


def failure_type(error: BaseException | None) -> str | None:
    """Return the type of the failure at the bottom of it; None when it has none."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    if isinstance(error, ApplicationError):
        return error.type
    return TIMED_OUT if isinstance(error, TemporalTimeout) else None


async def operation_status(
    client: Client,
    found: Description,
    *,
    links: LinkTargets,
    self_path: PathOf,
    cancel_path: PathOf,
    resource_path: ResourcePath,
    raw_texts: bool = False,
) -> OperationStatus:
    """Return the status of a described run.

    Args:
        client: the connection to Temporal.
        found: the run.
        links: what it links to.
        self_path: where it is looked at.
        cancel_path: where it is cancelled.
        resource_path: where what it makes is shown.
        raw_texts: whether to tell what failures say themselves, which is for operators alone.

    Raises:
        RPCError: when the result of a closed run cannot be read.
    """
    shared = await shared_members(
        client, found, links=links, self_path=self_path, cancel_path=cancel_path, resource_path=resource_path
    )
    blocked = await why_blocked(client, found, raw_texts=raw_texts)
    result, failure = await _outcome(client, found, raw_texts)
    return OperationStatus(**shared, result=result, failure=failure, blocked_by=blocked)


async def shared_members(
    client: Client,
    found: Execution,
    *,
    links: LinkTargets,
    self_path: PathOf,
    cancel_path: PathOf,
    resource_path: ResourcePath,
) -> dict[str, Any]:
    """Return what the status of an operation and its line in a list say alike."""
    progress = await found.progress()
    trace_id = await found.trace_id()
    # Nobody has the trace of a scheduled run in an answer or a log of his own; its link leads there all the same.
    request_trace_id = None if found.is_scheduled else trace_id
    web_ui = links.temporal(client.namespace, found.workflow_id, found.run_id)
    resource = await resource_of(found)
    can_cancel = found.is_open and (progress is None or progress.cancellable)
    return {
        "workflow_id": found.workflow_id,
        "run_id": found.run_id,
        "type": found.info.type.name,
        "task_queue": found.info.task_queue,
        "status": found.status,
        "start_time": moment(found.info.start_time),
        "close_time": moment(found.info.close_time) if found.info.HasField("close_time") else None,
        "progress": _progress(progress, request_trace_id),
        "trace_id": request_trace_id,
        "links": Links(
            self=self_path(found.workflow_id),
            cancel=cancel_path(found.workflow_id) if can_cancel else None,
            web_ui=web_ui,
            temporal=web_ui,
            trace=links.trace(trace_id),
            resource=None if resource is None else resource_path(resource),
        ),
    }


async def why_blocked(client: Client, found: Description, *, raw_texts: bool = False) -> BlockedBy | None:
    """Return why a described run does not move, or a child that it waits for; None when it does.

    Args:
        client: the connection to Temporal.
        found: the run.
        raw_texts: whether to tell what failures say themselves, which is for operators alone.

    Raises:
        RPCError: when Temporal does not answer.
    """
    return await _blocked(client, found, raw_texts) or await _by_children(client, found, raw_texts)


async def _blocked(client: Client, found: Description, raw_texts: bool) -> BlockedBy | None:
    blocked = blocked_by(found, await found.progress(), now=datetime.now(UTC), raw_texts=raw_texts)
    if isinstance(blocked, WorkflowTaskFailing):
        return WorkflowTaskFailing(attempt=blocked.attempt, cause=await task_failure_cause(client, found))
    return blocked


async def _by_children(client: Client, found: Description, raw_texts: bool) -> BlockedBy | None:
    """Return why a child that it may wait for does not move, such as the one that resolves a charge."""
    async for child in awaited_children(client, found):
        reason = await _blocked(client, child, raw_texts)
        if reason is not None:
            return reason
    return None


async def awaited_children(client: Client, found: Description) -> AsyncGenerator[Description]:
    """Yield the children that an open run may wait for, at most `_MOST_CHILDREN`.

    Raises:
        RPCError: when Temporal does not answer.
    """
    if not found.is_open:
        return
    awaited = [
        child
        for child in found.raw.pending_children
        # What is to go on without it is not waited for.
        if child.parent_close_policy != ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
    ]
    for child in awaited[:_MOST_CHILDREN]:
        try:
            described = await describe(client, child.workflow_id, run_id=child.run_id)
        except RPCError as error:
            if not is_missing_workflow(error):
                raise
            # It is to start, or its parent has not heard yet that it is gone.
            continue
        yield described


async def _outcome(client: Client, found: Description, raw_texts: bool) -> tuple[Any, Failure | None]:
    if found.is_open or found.status == "CANCELED":
        return None, None
    # Without a result type this is the plain JSON, whatever the contract: a new workflow needs no change here.
    handle = client.get_workflow_handle(found.workflow_id, run_id=found.run_id)
    try:
        return camel_case(await handle.result(follow_runs=False)), None
    except WorkflowFailureError as error:
        kind = failure_type(error.cause)
        detail = _raw_text(error.cause) if raw_texts else None
        return None, Failure(type=kind, message=safe_text(kind), detail=detail)


def _raw_text(error: BaseException) -> str:
    texts: list[str] = []
    while isinstance(error, FailureError):
        texts.append(error.message)
        if error.cause is None:
            break
        error = error.cause
    return bounded_text(texts)


def _progress(progress: memo.Progress | None, trace_id: str | None) -> Progress | None:
    if progress is None:
        return None
    return Progress(
        step=progress.step,
        cancellable=progress.cancellable,
        waiting_for=progress.waiting_for,
        compensation=progress.compensation,
        trace_id=trace_id,
    )
