"""Why a workflow does not move, from what Temporal holds about it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState, PendingWorkflowTaskState, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure as RawFailure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

from platform_contracts.failures import safe_text
from platform_contracts.memo import Progress
from platform_gateway.operations.describing import Description, moment
from platform_gateway.operations.temporal_calls import ATTEMPT
from platform_gateway.rest_models import (
    ActivityRetrying,
    BlockedBy,
    Failure,
    Paused,
    WaitingFor,
    WaitingForWorker,
    WorkflowTaskFailing,
)

PATIENCE: Final = timedelta(seconds=2)
"""How long a task may wait for a worker before that is worth telling. Which workers there are cannot be asked: a killed
one is listed for a while, and an idle one is not."""

_LAST_EVENTS: Final = 20
"""How far back the cause of a failing workflow task is looked for; it is among the last few events."""


_LONGEST_TEXT: Final = 2_000
"""Failures may quote what they were given, a whole message even."""


def blocked_by(
    found: Description, progress: Progress | None, *, now: datetime, raw_texts: bool = False
) -> BlockedBy | None:
    """Return why the workflow does not move; None when it does, or has ended.

    The cause of a failing workflow task is not in the description: `task_failure_cause` asks for it. What a failure
    says itself is told with `raw_texts` alone: it may name hosts, tables and people.
    """
    if not found.is_open:
        return None
    if _is_paused(found):
        return Paused()
    return (
        _by_workflow_task(found, now)
        or _by_activities(found.raw.pending_activities, now, raw_texts)
        or (
            WaitingFor(what=progress.waiting_for, deadline=progress.deadline)
            if progress is not None and progress.waiting_for is not None
            else None
        )
    )


async def task_failure_cause(client: Client, found: Description) -> str | None:
    """Return why the last workflow task failed, as Temporal names it; None when the history does not tell."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=found.workflow_id, run_id=found.run_id),
            maximum_page_size=_LAST_EVENTS,
        ),
        retry=True,
        timeout=ATTEMPT,
    )
    return next(filter(None, (_cause(event) for event in answer.history.events)), None)


def _cause(event: HistoryEvent) -> str | None:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        return "timed_out"
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        return None
    failed = event.workflow_task_failed_event_attributes
    return WorkflowTaskFailedCause.Name(failed.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").lower()


def _is_paused(found: Description) -> bool:
    return found.status == "PAUSED" or any(activity.paused for activity in found.raw.pending_activities)


def _by_workflow_task(found: Description, now: datetime) -> BlockedBy | None:
    if not found.raw.HasField("pending_workflow_task"):
        return None
    task = found.raw.pending_workflow_task
    # A task that is tried again has been put on the queue again.
    since = moment(task.original_scheduled_time if task.attempt == 1 else task.scheduled_time)
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED and now - since > PATIENCE:
        return WaitingForWorker(queue=found.info.task_queue, since=since)
    return WorkflowTaskFailing(attempt=task.attempt, cause=None) if task.attempt > 1 else None


def _by_activities(activities: Sequence[PendingActivityInfo], now: datetime, raw_texts: bool) -> BlockedBy | None:
    """Return the most telling block: an activity that nobody takes is before one that is tried again."""
    waiting = (_by_missing_worker(activity, now) for activity in activities)
    retrying = (_by_failing(activity, raw_texts) for activity in activities)
    return next(filter(None, [*waiting, *retrying]), None)


def _by_missing_worker(activity: PendingActivityInfo, now: datetime) -> BlockedBy | None:
    # Between two attempts this is the time of the next one, so a pause is not taken for a missing worker.
    since = moment(activity.scheduled_time)
    if activity.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED or now - since <= PATIENCE:
        return None
    return WaitingForWorker(queue=_queue(activity), since=since)


def _queue(activity: PendingActivityInfo) -> str:
    # A server that is older does not tell; an activity type begins with its domain, which is the name of its queue.
    return activity.activity_options.task_queue.name or activity.activity_type.name.partition(".")[0]


def _by_failing(activity: PendingActivityInfo, raw_texts: bool) -> BlockedBy | None:
    if activity.attempt <= 1:
        return None
    # Resumed or retried by hand it is due, and has no time.
    is_pausing = activity.HasField("next_attempt_schedule_time")
    return ActivityRetrying(
        name=activity.activity_type.name,
        attempt=activity.attempt,
        last_error=_error(activity.last_failure, raw_texts) if activity.HasField("last_failure") else None,
        next_attempt_time=moment(activity.next_attempt_schedule_time) if is_pausing else None,
    )


def _error(failure: RawFailure, raw_texts: bool) -> Failure:
    """Return the type of a failure with its safe text; what it says itself stays here, unless it is asked for."""
    if failure.HasField("application_failure_info"):
        failure_type = failure.application_failure_info.type
    else:
        failure_type = failure.WhichOneof("failure_info") or ""
        failure_type = failure_type.removesuffix("_failure_info")
    detail = bounded_text(_texts(failure)) if raw_texts else None
    return Failure(type=failure_type, message=safe_text(failure_type), detail=detail)


def _texts(failure: RawFailure) -> Iterator[str]:
    yield failure.message
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure.message


def bounded_text(texts: Iterable[str]) -> str:
    """Return the texts of a failure and its causes as one, the outermost first, and no longer than one reads."""
    return ": ".join(filter(None, texts))[:_LONGEST_TEXT]
