"""The status of an operation, as a client reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.service import RPCError

from platform_contracts import memo
from platform_contracts.failures import safe_text
from platform_gateway.blocked_by import blocked_by, task_failure_cause
from platform_gateway.describing import Description, describe, moment
from platform_gateway.resources import ResourcePath, resource_of
from platform_gateway.rest_models import (
    BlockedBy,
    Failure,
    Links,
    OperationStatus,
    Progress,
    WorkflowTaskFailing,
    camel_case,
)
from platform_gateway.temporal_calls import is_missing_workflow

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
    return "TimedOut" if isinstance(error, TemporalTimeout) else None


async def operation_status(
    client: Client,
    found: Description,
    *,
    links: LinkTargets,
    self_path: PathOf,
    cancel_path: PathOf,
    resource_path: ResourcePath,
) -> OperationStatus:
    """Return the status of a described run.

    Raises:
        RPCError: when the result of a closed run cannot be read.
    """
    progress = await found.progress()
    trace_id = await found.trace_id()
    # Nobody has the trace of a scheduled run in an answer or a log of his own; its link leads there all the same.
    request_trace_id = None if found.is_scheduled else trace_id
    blocked = await _blocked(client, found) or await _by_children(client, found)
    result, failure = await _outcome(client, found)
    can_cancel = found.is_open and (progress is None or progress.cancellable)
    web_ui = links.temporal(client.namespace, found.workflow_id, found.run_id)
    resource = await resource_of(found)
    return OperationStatus(
        workflow_id=found.workflow_id,
        run_id=found.run_id,
        type=found.info.type.name,
        task_queue=found.info.task_queue,
        status=found.status,
        start_time=moment(found.info.start_time),
        close_time=moment(found.info.close_time) if found.info.HasField("close_time") else None,
        result=result,
        failure=failure,
        progress=_progress(progress, request_trace_id),
        blocked_by=blocked,
        trace_id=request_trace_id,
        links=Links(
            self=self_path(found.workflow_id),
            cancel=cancel_path(found.workflow_id) if can_cancel else None,
            web_ui=web_ui,
            temporal=web_ui,
            trace=links.trace(trace_id),
            resource=None if resource is None else resource_path(resource),
        ),
    )


async def _blocked(client: Client, found: Description) -> BlockedBy | None:
    blocked = blocked_by(found, await found.progress(), now=datetime.now(UTC))
    if isinstance(blocked, WorkflowTaskFailing):
        return WorkflowTaskFailing(attempt=blocked.attempt, cause=await task_failure_cause(client, found))
    return blocked


async def _by_children(client: Client, found: Description) -> BlockedBy | None:
    """Return why a child that it may wait for does not move, such as the one that resolves a charge."""
    if not found.is_open:
        return None
    awaited = [
        child
        for child in found.raw.pending_children
        # What is to go on without it is not waited for.
        if child.parent_close_policy != ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
    ]
    for child in awaited[:_MOST_CHILDREN]:
        try:
            reason = await _blocked(client, await describe(client, child.workflow_id, run_id=child.run_id))
        except RPCError as error:
            if not is_missing_workflow(error):
                raise
            # It is to start, or its parent has not heard yet that it is gone.
            continue
        if reason is not None:
            return reason
    return None


async def _outcome(client: Client, found: Description) -> tuple[Any, Failure | None]:
    if found.is_open or found.status == "CANCELED":
        return None, None
    # Without a result type this is the plain JSON, whatever the contract: a new workflow needs no change here.
    handle = client.get_workflow_handle(found.workflow_id, run_id=found.run_id)
    try:
        return camel_case(await handle.result(follow_runs=False)), None
    except WorkflowFailureError as error:
        kind = failure_type(error.cause)
        return None, Failure(type=kind, message=safe_text(kind))


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
