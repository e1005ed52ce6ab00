from datetime import timedelta

import pytest
from temporalio.client import ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from analytics_service.schedules import rollup_schedule
from platform_contracts.analytics.rollup import WORKFLOW_TYPE, Granularity, RollupInput
from platform_contracts.identifiers import PLATFORM_TENANT, tenant_of


@pytest.mark.parametrize("granularity", Granularity)
def test_schedule_starts_the_rollup_of_its_granularity_for_the_platform_itself(granularity: Granularity) -> None:
    action = rollup_schedule(granularity).action

    assert isinstance(action, ScheduleActionStartWorkflow)
    assert action.workflow == WORKFLOW_TYPE
    assert action.args == [RollupInput(granularity=granularity)]
    assert action.id == f"platform:analytics:rollup:{granularity}"
    assert tenant_of(action.id) == PLATFORM_TENANT
    assert action.task_queue == "analytics"


@pytest.mark.parametrize(
    ("granularity", "period"), [(Granularity.HOUR, timedelta(hours=1)), (Granularity.DAY, timedelta(days=1))]
)
def test_missed_run_is_made_up_for_until_the_next_one_would(granularity: Granularity, period: timedelta) -> None:
    policy = rollup_schedule(granularity).policy

    assert policy.catchup_window == period
    assert policy.overlap is ScheduleOverlapPolicy.SKIP


def test_rollups_run_a_few_minutes_after_the_period_without_jitter() -> None:
    hour = rollup_schedule(Granularity.HOUR).spec
    day = rollup_schedule(Granularity.DAY).spec

    assert [(range_.start, range_.end) for range_ in hour.calendars[0].hour] == [(0, 23)]
    assert [range_.start for range_ in hour.calendars[0].minute] == [5]
    assert [range_.start for range_ in day.calendars[0].hour] == [0]
    assert [range_.start for range_ in day.calendars[0].minute] == [10]
    assert hour.jitter is None
    assert day.jitter is None
