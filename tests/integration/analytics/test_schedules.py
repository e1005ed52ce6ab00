import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import UpdateScheduleRequest, UpdateScheduleResponse
from temporalio.client import Client, ScheduleDescription, SchedulePolicy, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from analytics_service.domain.periods import Period
from analytics_service.schedules import ensure_schedules, rollup_schedule
from platform_contracts.analytics.rollup import WORKFLOW_TYPE, Granularity, rollup_schedule_id
from platform_contracts.task_queues import TaskQueue
from platform_runtime.schedules import ensure_schedule
from tests.fakes.analytics import FakeCountBook, analytics_worker
from tests.integration.analytics.samples import NOON
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace without schedules: their ids are fixed."""
    return await new_namespace(temporal_server)


async def _describe(client: Client, granularity: Granularity) -> ScheduleDescription:
    return await client.get_schedule_handle(rollup_schedule_id(granularity)).describe()


async def test_schedules_are_there_after_they_were_ensured(own_client: Client) -> None:
    await ensure_schedules(own_client)

    hour = await _describe(own_client, Granularity.HOUR)
    day = await _describe(own_client, Granularity.DAY)
    assert {moment.minute for moment in hour.info.next_action_times} == {5}
    assert {(moment.hour, moment.minute) for moment in day.info.next_action_times} == {(0, 10)}
    assert hour.schedule.policy == rollup_schedule(Granularity.HOUR).policy


async def test_pause_of_an_operator_survives(own_client: Client) -> None:
    await ensure_schedules(own_client)
    handle = own_client.get_schedule_handle(rollup_schedule_id(Granularity.HOUR))
    await handle.pause(note="disk is full")

    await ensure_schedules(own_client)

    state = (await handle.describe()).schedule.state
    assert state.paused
    assert state.note == "disk is full"


async def test_pause_that_comes_while_they_are_ensured_survives(
    own_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = rollup_schedule(Granularity.DAY)
    await ensure_schedule(own_client, schedule_id=rollup_schedule_id(Granularity.HOUR), schedule=earlier)
    handle = own_client.get_schedule_handle(rollup_schedule_id(Granularity.HOUR))
    update = own_client.workflow_service.update_schedule

    async def pause_first(request: UpdateScheduleRequest, **options: Any) -> UpdateScheduleResponse:
        if not (await handle.describe()).schedule.state.paused:
            await handle.pause(note="disk is full")
        return await update(request, **options)

    monkeypatch.setattr(own_client.workflow_service, "update_schedule", pause_first)
    await ensure_schedule(
        own_client,
        schedule_id=rollup_schedule_id(Granularity.HOUR),
        schedule=rollup_schedule(Granularity.HOUR),
    )

    now = await handle.describe()
    assert now.schedule.state.paused
    assert now.schedule.state.note == "disk is full"
    assert now.schedule.policy == rollup_schedule(Granularity.HOUR).policy


async def test_several_processes_may_ensure_at_once(own_client: Client) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*(ensure_schedules(own_client) for _ in range(4)))

    for granularity in Granularity:
        assert not (await _describe(own_client, granularity)).schedule.state.paused


async def test_schedule_of_an_earlier_version_is_brought_up_to_date(own_client: Client) -> None:
    wanted = rollup_schedule(Granularity.HOUR)
    earlier = dataclasses.replace(
        wanted,
        spec=rollup_schedule(Granularity.DAY).spec,
        policy=SchedulePolicy(catchup_window=timedelta(minutes=1)),
    )
    await ensure_schedule(own_client, schedule_id=rollup_schedule_id(Granularity.HOUR), schedule=earlier)

    await ensure_schedules(own_client)

    now = await _describe(own_client, Granularity.HOUR)
    assert now.schedule.policy == wanted.policy
    assert {moment.minute for moment in now.info.next_action_times} == {5}
    first, second, *_ = now.info.next_action_times
    assert second - first == timedelta(hours=1)


async def test_trigger_runs_the_rollup_under_the_platforms_own_tenant(own_client: Client) -> None:
    await ensure_schedules(own_client)
    book = FakeCountBook(events={Period("acme", NOON): 3})

    async def closed_runs() -> list[str]:
        query = f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Completed'"
        return [each.id async for each in own_client.list_workflows(query)]

    async with analytics_worker(own_client, task_queue=TaskQueue.ANALYTICS, count_book=book):
        await own_client.get_schedule_handle(rollup_schedule_id(Granularity.HOUR)).trigger()
        ids = await eventually(closed_runs, within_seconds=20)

    assert book.counted == [Period("acme", NOON)]
    assert ids[0].startswith("platform:analytics:rollup:hour-")
    description = await own_client.get_workflow_handle(ids[0]).describe()
    assert description.status is WorkflowExecutionStatus.COMPLETED
