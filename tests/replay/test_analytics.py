from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from analytics_service.domain.periods import Period
from analytics_service.workflows.event_intake import EventIntakeWorkflow
from analytics_service.workflows.rollup import RollupWorkflow
from platform_contracts.analytics.event_intake import EventIntake, EventIntakeInput
from platform_contracts.analytics.events import Event, event_of
from platform_contracts.analytics.rollup import WORKFLOW_TYPE, Granularity, Rollup, RollupInput, RollupResult
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.analytics import FakeCountBook, FakeEventLog, analytics_worker
from tests.support.histories import Scenario, record, recorded_histories, replay
from tests.support.waiting import eventually

DOMAIN = "analytics"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def _event(subject_id: str, *, tenant: str = "acme", occurred_at: datetime = NOON) -> Event:
    return event_of(tenant=tenant, event_type="user.onboarded", subject_id=subject_id, occurred_at=occurred_at)


async def _taken_in(
    client: Client, task_queue: str, *events: Event, log: FakeEventLog | None = None
) -> WorkflowHandle[Any, Any]:
    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        handle = await start_workflow(
            client, EventIntake.run, EventIntakeInput(tenant="acme", events=events), task_queue=task_queue
        )
        await _closed(handle)
    return handle


async def _closed(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.result()
    except WorkflowFailureError:
        return


async def _recorded(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _taken_in(client, task_queue, _event("u-1"), _event("u-1"))


async def _recorded_after_failures(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _taken_in(client, task_queue, _event("u-1"), log=FakeEventLog(away_for_calls=2))


async def _refused_for_its_tenant(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _taken_in(client, task_queue, _event("u-1", tenant="other"))


async def _refused_as_invalid(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _taken_in(client, task_queue, _event("u-1", occurred_at=NOON - timedelta(days=30 * 365)))


async def _cancelled(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    log = FakeEventLog(away_for_calls=1_000)
    async with analytics_worker(client, task_queue=task_queue, event_log=log):
        handle = await start_workflow(
            client, EventIntake.run, EventIntakeInput(tenant="acme", events=(_event("u-1"),)), task_queue=task_queue
        )

        async def is_trying() -> bool:
            return log.calls > 0

        await eventually(is_trying, within_seconds=10)
        await handle.cancel()
        await _closed(handle)
    return handle


async def _rolled_up(client: Client, task_queue: str, rollup: RollupInput) -> WorkflowHandle[Any, Any]:
    book = FakeCountBook(events={Period("acme", NOON): 3})
    async with analytics_worker(client, task_queue=task_queue, count_book=book):
        handle = await start_workflow(client, Rollup.run, rollup, task_queue=task_queue)
        await handle.result()
    return handle


async def _by_the_hour(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _rolled_up(client, task_queue, RollupInput(granularity=Granularity.HOUR))


async def _by_the_day_in_full(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _rolled_up(client, task_queue, RollupInput(granularity=Granularity.DAY, full=True))


SCENARIOS: dict[str, Scenario] = {
    "event_intake-recorded": _recorded,
    "event_intake-recorded_after_failures": _recorded_after_failures,
    "event_intake-refused_for_its_tenant": _refused_for_its_tenant,
    "event_intake-refused_as_invalid": _refused_as_invalid,
    "event_intake-cancelled": _cancelled,
    "rollup-by_the_hour": _by_the_hour,
    "rollup-by_the_day_in_full": _by_the_day_in_full,
}


async def test_every_scenario_has_a_history(client: Client, *, regenerate: bool, traced: None) -> None:
    if regenerate:
        await record(client, domain=DOMAIN, scenarios=SCENARIOS)

    found = {path.stem for path in recorded_histories(DOMAIN)}

    assert found == set(SCENARIOS), "record the histories with `python3 noxfile.py regenerate`"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_code_of_today_can_go_on_from_the_recorded_run(name: str, traced: None) -> None:
    outcome = await replay(DOMAIN, name, workflows=[EventIntakeWorkflow, RollupWorkflow])

    assert outcome is None, outcome


@workflow.defn(name=WORKFLOW_TYPE)
class _OtherRollup(Rollup):
    @workflow.run
    async def run(self, rollup: RollupInput) -> RollupResult:
        await workflow.sleep(1)
        return RollupResult(granularity=rollup.granularity, periods=0, events=0)


async def test_code_that_does_something_else_is_noticed(traced: None) -> None:
    outcome = await replay(DOMAIN, "rollup-by_the_hour", workflows=[_OtherRollup])

    assert outcome is not None
    assert "workflow.patched" in outcome
