"""Record a batch of events, however long it takes."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from analytics_service.activities.events import EventActivities
    from analytics_service.activities.failures import translated
    from analytics_service.domain.events import check_owner
    from platform_contracts.analytics.event_intake import (
        WORKFLOW_TYPE,
        EventIntake,
        EventIntakeInput,
        EventIntakeResult,
        EventIntakeStep,
    )
    from platform_contracts.analytics.record_events import RecordEventsRequest
    from platform_contracts.memo import Progress
    from platform_workflow_tools.activity_options import DATABASE_WRITE
    from platform_workflow_tools.progress import report_progress


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class EventIntakeWorkflow(EventIntake):
    """Takes the events that could not be recorded in time."""

    @workflow.run
    async def run(self, intake: EventIntakeInput) -> EventIntakeResult:
        """Record the events, each once by its id."""
        with translated():
            for event in intake.events:
                check_owner(event, tenant=intake.tenant)
        report_progress(Progress(step=EventIntakeStep.RECORDING))
        counted = await workflow.execute_activity_method(
            EventActivities.record_events,
            RecordEventsRequest(events=intake.events),
            # Without an end to the attempts: nobody waits for this, and what is given up here is lost for good.
            start_to_close_timeout=DATABASE_WRITE["start_to_close_timeout"],
            retry_policy=DATABASE_WRITE["retry_policy"],
        )
        report_progress(Progress(step=EventIntakeStep.RECORDED, cancellable=False))
        return EventIntakeResult(recorded=counted.recorded, duplicates=counted.duplicates)
