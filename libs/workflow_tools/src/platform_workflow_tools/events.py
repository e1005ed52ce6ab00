"""Report to analytics what happened, without ever depending on it."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

from platform_contracts.analytics.event_intake import EventIntake, EventIntakeInput, event_intake_workflow_id
from platform_contracts.analytics.events import Event
from platform_contracts.analytics.record_events import RECORD_EVENTS, RecordEventsRequest
from platform_contracts.task_queues import TaskQueue
from platform_workflow_tools.published import call


async def report_events(*events: Event) -> None:
    """Report events of one tenant; the reporter is held up by seconds at most, and no event is lost.

    The quick way is the published activity. When that misses its deadline, because analytics is away or slow, a child
    workflow takes the events and outlives this one. Both may record the same event: the event id makes it count once.
    """
    try:
        await call(RECORD_EVENTS, RecordEventsRequest(events=events))
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("events.taken_over", extra={"events": len(events)})
        await _hand_over(events)


async def _hand_over(events: tuple[Event, ...]) -> None:
    tenant = events[0].tenant
    try:
        await workflow.start_child_workflow(
            EventIntake.run,
            EventIntakeInput(tenant=tenant, events=events),
            id=event_intake_workflow_id(tenant=tenant, events=events),
            task_queue=TaskQueue.ANALYTICS,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    except WorkflowAlreadyStartedError:
        # The same events are being taken already.
        return
