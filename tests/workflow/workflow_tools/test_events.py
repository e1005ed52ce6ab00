"""Reporting events delays a workflow by seconds at most, and loses none."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from platform_contracts.analytics.event_intake import EventIntakeInput, event_intake_workflow_id
from platform_contracts.analytics.events import Event, event_of
from platform_contracts.analytics.record_events import RECORD_EVENTS, RecordEventsRequest, RecordEventsResult
from platform_contracts.identifiers import ClientId
from platform_contracts.message import ContractModel
from platform_contracts.task_queues import TaskQueue
from platform_runtime.sandbox import workflow_runner
from platform_workflow_tools.events import report_events
from tests.support.namespaces import new_namespace


class Reported(ContractModel):
    """Whose onboarding to report."""

    user_id: ClientId


@workflow.defn(name="test.Reporter")
class Reporter:
    """Reports one event."""

    @workflow.run
    async def run(self, reported: Reported) -> None:
        """Report it and end."""
        await report_events(_event(reported.user_id, workflow.now()))


def _event(user_id: str, occurred_at: datetime) -> Event:
    return event_of(tenant="acme", event_type="user.onboarded", subject_id=user_id, occurred_at=occurred_at)


class FakeIntake:
    """The published activity, with its own memory."""

    def __init__(self, *, failing: bool = False) -> None:
        self.events: list[Event] = []
        self._failing = failing

    @activity.defn(name=RECORD_EVENTS.name)
    async def record(self, request: RecordEventsRequest) -> RecordEventsResult:
        """Remember the events, or fail."""
        if self._failing:
            raise RuntimeError("the database is away")
        self.events.extend(request.events)
        return RecordEventsResult(recorded=len(request.events), duplicates=0)


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """The queue of analytics has one name, so each of these tests has a namespace of its own."""
    return await new_namespace(temporal_server)


async def test_events_are_recorded_the_quick_way(own_client: Client, task_queue: str) -> None:
    intake = FakeIntake()

    async with _analytics(own_client, intake), _reporter(own_client, task_queue):
        await _report(own_client, task_queue, "u-1")

    assert [event.event_id for event in intake.events] == ["acme:user.onboarded:u-1"]


async def test_events_are_handed_over_while_nobody_works_for_analytics(own_client: Client, task_queue: str) -> None:
    async with _reporter(own_client, task_queue):
        await _report(own_client, task_queue, "u-2")

    taken = await _intake_of(own_client, "u-2")
    assert taken is not None
    assert [event.event_id for event in taken.events] == ["acme:user.onboarded:u-2"]


async def test_events_are_handed_over_when_recording_keeps_failing(own_client: Client, task_queue: str) -> None:
    async with _analytics(own_client, FakeIntake(failing=True)), _reporter(own_client, task_queue):
        await _report(own_client, task_queue, "u-3")

    assert await _intake_of(own_client, "u-3") is not None


async def test_intake_outlives_its_reporter(own_client: Client, task_queue: str) -> None:
    async with _reporter(own_client, task_queue):
        await _report(own_client, task_queue, "u-4")

    intake = own_client.get_workflow_handle(_intake_id("u-4"))
    assert (await intake.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_reporting_the_same_events_twice_makes_one_intake(own_client: Client, task_queue: str) -> None:
    async with _reporter(own_client, task_queue):
        await asyncio.gather(_report(own_client, task_queue, "u-5"), _report(own_client, task_queue, "u-5"))

    assert await _intake_of(own_client, "u-5") is not None


@asynccontextmanager
async def _reporter(client: Client, task_queue: str) -> AsyncGenerator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[Reporter], workflow_runner=workflow_runner()):
        yield


@asynccontextmanager
async def _analytics(client: Client, intake: FakeIntake) -> AsyncGenerator[None]:
    async with Worker(client, task_queue=TaskQueue.ANALYTICS, activities=[intake.record]):
        yield


async def _report(client: Client, task_queue: str, user_id: str) -> None:
    # Three times the deadline of the contract.
    deadline = RECORD_EVENTS.schedule_to_close.total_seconds() * 3
    running = client.execute_workflow(
        Reporter.run, Reported(user_id=user_id), id=f"reporter-{uuid4()}", task_queue=task_queue
    )
    await asyncio.wait_for(running, deadline)


def _intake_id(user_id: str) -> str:
    return event_intake_workflow_id(tenant="acme", events=[_event(user_id, datetime.now(UTC))])


async def _intake_of(client: Client, user_id: str) -> EventIntakeInput | None:
    """Return what the intake of a user's event was started with; None when there is none."""
    try:
        history = await client.get_workflow_handle(_intake_id(user_id)).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    started = history.events[0].workflow_execution_started_event_attributes
    (intake,) = await pydantic_data_converter.decode(started.input.payloads, [EventIntakeInput])
    return intake
