from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from platform_contracts import memo
from platform_contracts.analytics.event_intake import (
    WORKFLOW_TYPE,
    EventIntake,
    EventIntakeInput,
    EventIntakeResult,
    event_intake_workflow_id,
)
from platform_contracts.analytics.events import Event, event_of
from platform_contracts.analytics.failures import AnalyticsFailure
from platform_contracts.memo import Progress
from platform_runtime.workflow_calls import execute_workflow, start_workflow
from tests.fakes.analytics import FakeEventLog, analytics_worker
from tests.support.waiting import eventually

WAIT = timedelta(seconds=30)


def _event(subject_id: str, *, tenant: str = "acme", days_from_now: float = 0) -> Event:
    return event_of(
        tenant=tenant,
        event_type="user.onboarded",
        subject_id=subject_id,
        occurred_at=datetime.now(UTC) + timedelta(days=days_from_now),
    )


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_events_are_recorded_once(client: Client, task_queue: str, max_cached_workflows: int) -> None:
    log = FakeEventLog()
    intake = EventIntakeInput(tenant="acme", events=(_event("u-1"), _event("u-2"), _event("u-2")))

    async with analytics_worker(
        client, task_queue=task_queue, event_log=log, max_cached_workflows=max_cached_workflows
    ):
        handle = await start_workflow(client, EventIntake.run, intake, task_queue=task_queue)
        result = await handle.result()

    assert result == EventIntakeResult(recorded=2, duplicates=1)
    assert {event.subject_id for event in log.events.values()} == {"u-1", "u-2"}
    description = await handle.describe()
    progress = await description.memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="recorded", cancellable=False)


async def test_database_that_is_away_delays_events_and_loses_none(client: Client, task_queue: str) -> None:
    log = FakeEventLog(away_for_calls=3)

    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        result = await execute_workflow(
            client,
            EventIntake.run,
            EventIntakeInput(tenant="acme", events=(_event("u-1"),)),
            task_queue=task_queue,
            wait=WAIT,
        )

    assert result.recorded == 1
    assert log.calls == 4


async def test_attempts_have_no_end(client: Client, task_queue: str) -> None:
    log = FakeEventLog(away_for_calls=1)

    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        handle = await start_workflow(
            client,
            EventIntake.run,
            EventIntakeInput(tenant="acme", events=(_event("u-1"),)),
            task_queue=task_queue,
        )
        await handle.result()

    scheduled = next(
        event.activity_task_scheduled_event_attributes
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    )
    assert scheduled.retry_policy.maximum_attempts == 0
    assert scheduled.schedule_to_close_timeout.ToTimedelta() == timedelta(0)


async def test_events_wait_for_the_first_worker(client: Client, task_queue: str) -> None:
    log = FakeEventLog()
    handle = await start_workflow(
        client, EventIntake.run, EventIntakeInput(tenant="acme", events=(_event("u-1"),)), task_queue=task_queue
    )

    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        result = await handle.result()

    assert result.recorded == 1


async def test_events_of_another_tenant_are_refused(client: Client, task_queue: str) -> None:
    log = FakeEventLog()
    intake = EventIntakeInput(tenant="acme", events=(_event("u-1"), _event("u-2", tenant="other")))

    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        with pytest.raises(WorkflowFailureError) as raised:
            await execute_workflow(client, EventIntake.run, intake, task_queue=task_queue, wait=WAIT)

    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == AnalyticsFailure.INVALID_EVENT
    assert log.calls == 0


async def test_invalid_event_fails_the_intake_instead_of_being_tried_for_ever(client: Client, task_queue: str) -> None:
    intake = EventIntakeInput(tenant="acme", events=(_event("u-1", days_from_now=2),))

    async with analytics_worker(client, task_queue=task_queue):
        with pytest.raises(WorkflowFailureError) as raised:
            await execute_workflow(client, EventIntake.run, intake, task_queue=task_queue, wait=WAIT)

    assert isinstance(raised.value.cause, ActivityError)
    cause = raised.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == AnalyticsFailure.INVALID_EVENT


async def test_input_that_is_none_fails_instead_of_staying_open(client: Client, task_queue: str) -> None:
    async with analytics_worker(client, task_queue=task_queue):
        handle = await client.start_workflow(
            WORKFLOW_TYPE, {"tenant": "acme", "events": []}, id=f"acme:{task_queue}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "ValidationError"


async def test_cancelled_intake_ends_cancelled(client: Client, task_queue: str) -> None:
    log = FakeEventLog(away_for_calls=1_000)

    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        handle = await start_workflow(
            client, EventIntake.run, EventIntakeInput(tenant="acme", events=(_event("u-1"),)), task_queue=task_queue
        )

        async def is_trying() -> bool:
            return log.calls > 0

        await eventually(is_trying, within_seconds=10)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


def test_same_events_make_the_same_workflow_id() -> None:
    first = event_intake_workflow_id(tenant="acme", events=[_event("u-1"), _event("u-2")])
    again = event_intake_workflow_id(tenant="acme", events=[_event("u-1"), _event("u-2")])
    other = event_intake_workflow_id(tenant="acme", events=[_event("u-1")])

    assert first == again
    assert first != other
