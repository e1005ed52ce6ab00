"""From Temporal's history to the events that clients follow: a fixed table, which lets nothing through by default."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from pydantic import ValidationError
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure as RawFailure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter

from platform_contracts import memo
from platform_contracts.failures import safe_text
from platform_contracts.identifiers import tenant_of
from platform_gateway.following.event_models import (
    Child,
    ChildFailed,
    Closed,
    EventName,
    Happened,
    OperationStarted,
    ProgressMade,
    Step,
    StepFailed,
    StepStarted,
    TimerStarted,
)
from platform_gateway.operations.describing import moment
from platform_gateway.rest_models import Failure

Named = tuple[EventName, Happened]


class EventTable:
    """Reads the history of one run, from its beginning: what comes later refers to what came before."""

    def __init__(self, *, tenant: str, converter: DataConverter) -> None:
        """Show what belongs to this tenant."""
        self.tenant = tenant
        self.converter = converter
        self.steps: dict[int, str] = {}
        """The steps so far, by the id of the event that scheduled them."""

    async def read(self, event: HistoryEvent) -> Named | None:
        """Return what clients are told of an event; None for most of them."""
        row = _TABLE.get(event.event_type)
        return None if row is None else await row(self, event)

    def closing(self, event: HistoryEvent, *, is_last_run: bool) -> Named:
        """Return what clients are told of the last event of a run."""
        if not is_last_run:
            return EventName.CONTINUED, Happened(**_when(event))
        status = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_")
        return EventName.CLOSED, Closed(**_when(event), status=status, failure=_closing_failure(event))


def is_reset(event: HistoryEvent) -> bool:
    """Return whether from here on a run goes other ways than the one that an operator has reset."""
    if event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
        return False
    cause = event.workflow_task_failed_event_attributes.cause
    return cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW


def safe_failure(failure: RawFailure) -> Failure:
    """Return the type at the bottom of a failure with its safe text; what it says itself stays here."""
    while failure.HasField("cause") and (
        failure.HasField("activity_failure_info") or failure.HasField("child_workflow_execution_failure_info")
    ):
        failure = failure.cause
    kind = failure.application_failure_info.type or None
    if failure.HasField("timeout_failure_info"):
        kind = "TimedOut"
    return Failure(type=kind, message=safe_text(kind))


def _closing_failure(event: HistoryEvent) -> Failure | None:
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return safe_failure(event.workflow_execution_failed_event_attributes.failure)
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return Failure(type="TimedOut", message=safe_text("TimedOut"))
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            return Failure(type=None, message=safe_text(None))
        case _:
            return None


def _attributes(event: HistoryEvent) -> Any:
    return getattr(event, event.WhichOneof("attributes") or "")


def _when(event: HistoryEvent) -> dict[str, Any]:
    return {"time": moment(event.event_time)}


async def _started(_table: EventTable, event: HistoryEvent) -> Named:
    attributes = event.workflow_execution_started_event_attributes
    return EventName.STARTED, OperationStarted(**_when(event), type=attributes.workflow_type.name)


async def _progress(table: EventTable, event: HistoryEvent) -> Named | None:
    payload = event.workflow_properties_modified_event_attributes.upserted_memo.fields.get(memo.PROGRESS)
    if payload is None:
        return None
    try:
        (progress,) = await table.converter.decode([payload], [memo.Progress])
    except ValidationError:
        # A workflow that is not ours may keep something else under this name.
        return None
    if progress.compensation is not memo.Compensation.NONE:
        name = EventName.COMPENSATION
    else:
        name = EventName.PROGRESS if progress.waiting_for is None else EventName.WAITING
    return name, ProgressMade(**_when(event), **progress.model_dump())


async def _step_scheduled(table: EventTable, event: HistoryEvent) -> Named:
    step = event.activity_task_scheduled_event_attributes.activity_type.name
    table.steps[event.event_id] = step
    return EventName.STEP_SCHEDULED, Step(**_when(event), step=step)


async def _step_started(table: EventTable, event: HistoryEvent) -> Named:
    attributes = event.activity_task_started_event_attributes
    return EventName.STEP_STARTED, StepStarted(
        **_when(event),
        step=_step(table, attributes),
        attempt=attributes.attempt,
        last_failure=safe_failure(attributes.last_failure) if attributes.HasField("last_failure") else None,
    )


async def _step_completed(table: EventTable, event: HistoryEvent) -> Named:
    step = _step(table, event.activity_task_completed_event_attributes)
    return EventName.STEP_COMPLETED, Step(**_when(event), step=step)


async def _step_canceled(table: EventTable, event: HistoryEvent) -> Named:
    step = _step(table, event.activity_task_canceled_event_attributes)
    return EventName.STEP_CANCELED, Step(**_when(event), step=step)


async def _step_failed(table: EventTable, event: HistoryEvent) -> Named:
    attributes = _attributes(event)
    return EventName.STEP_FAILED, StepFailed(
        **_when(event), step=_step(table, attributes), failure=safe_failure(attributes.failure)
    )


async def _timer_started(_table: EventTable, event: HistoryEvent) -> Named:
    seconds = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    return EventName.TIMER_STARTED, TimerStarted(**_when(event), until=moment(event.event_time) + seconds)


async def _child_started(table: EventTable, event: HistoryEvent) -> Named:
    return EventName.CHILD_STARTED, Child(**_child(table, event))


async def _child_completed(table: EventTable, event: HistoryEvent) -> Named:
    return EventName.CHILD_COMPLETED, Child(**_child(table, event))


async def _child_failed(table: EventTable, event: HistoryEvent) -> Named:
    status = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_")
    attributes = _attributes(event)
    has_failure = "failure" in attributes.DESCRIPTOR.fields_by_name
    return EventName.CHILD_FAILED, ChildFailed(
        **_child(table, event), status=status, failure=safe_failure(attributes.failure) if has_failure else None
    )


async def _reset(_table: EventTable, event: HistoryEvent) -> Named | None:
    return (EventName.RESET, Happened(**_when(event))) if is_reset(event) else None


def _step(table: EventTable, attributes: Any) -> str:
    return table.steps[attributes.scheduled_event_id]


def _child(table: EventTable, event: HistoryEvent) -> dict[str, Any]:
    attributes = _attributes(event)
    workflow_id = attributes.workflow_execution.workflow_id
    is_own = tenant_of(workflow_id) == table.tenant
    return {
        **_when(event),
        "type": attributes.workflow_type.name,
        "workflow_id": workflow_id if is_own else None,
    }


_Row = Callable[[EventTable, HistoryEvent], Coroutine[Any, Any, Named | None]]


def _only(name: EventName) -> _Row:
    async def row(_table: EventTable, event: HistoryEvent) -> Named:
        return name, Happened(**_when(event))

    return row


CLOSING: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
"""The last event of a run."""

_TABLE: Final[dict[int, _Row]] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: _started,
    EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED: _progress,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _step_scheduled,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED: _step_started,
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: _step_completed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: _step_failed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: _step_failed,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: _step_canceled,
    EventType.EVENT_TYPE_TIMER_STARTED: _timer_started,
    EventType.EVENT_TYPE_TIMER_FIRED: _only(EventName.TIMER_FIRED),
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: _child_started,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: _child_completed,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: _child_failed,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED: _child_failed,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: _child_failed,
    EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: _child_failed,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: _only(EventName.CANCEL_REQUESTED),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: _only(EventName.PAUSED),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: _only(EventName.RESUMED),
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: _reset,
}
