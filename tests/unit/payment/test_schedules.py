from datetime import timedelta

import pytest
from temporalio.client import ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from payment_service.schedules import payout_run_schedule
from platform_contracts.identifiers import PLATFORM_TENANT, tenant_of
from platform_contracts.payment.payout_run import WORKFLOW_TYPE, PayoutRunInput

DAY_SECONDS = 86_400


def test_schedule_starts_the_run_for_the_platform_itself() -> None:
    action = payout_run_schedule(period_seconds=DAY_SECONDS).action

    assert isinstance(action, ScheduleActionStartWorkflow)
    assert action.workflow == WORKFLOW_TYPE
    assert action.args == [PayoutRunInput(period_seconds=DAY_SECONDS)]
    assert action.id == "platform:payment:payout-run:all"
    assert tenant_of(action.id) == PLATFORM_TENANT
    assert action.task_queue == "payment"


@pytest.mark.parametrize(
    ("period_seconds", "later_seconds"), [(DAY_SECONDS, 900), (3_600, 360), (10, 1)], ids=["day", "hour", "10 s"]
)
def test_run_comes_a_little_after_the_beginning_of_its_period(period_seconds: int, later_seconds: int) -> None:
    (interval,) = payout_run_schedule(period_seconds=period_seconds).spec.intervals

    assert interval.every == timedelta(seconds=period_seconds)
    assert interval.offset == timedelta(seconds=later_seconds)


def test_missed_run_is_made_up_for_and_one_that_falls_due_during_another_follows_it() -> None:
    policy = payout_run_schedule(period_seconds=DAY_SECONDS).policy

    assert policy.catchup_window == timedelta(days=1)
    assert policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
