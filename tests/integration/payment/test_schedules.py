"""The schedules of the payment service are there after it was prepared."""

from datetime import timedelta

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy
from temporalio.testing import WorkflowEnvironment

from payment_service.schedules import ensure_schedules, reconciliation_schedule
from platform_contracts.identifiers import PLATFORM_TENANT, tenant_of
from platform_contracts.payment.reconciliation import WORKFLOW_TYPE, reconciliation_schedule_id
from tests.support.namespaces import new_namespace


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace without schedules: their ids are fixed."""
    return await new_namespace(temporal_server)


async def test_reconciliation_is_scheduled_every_hour_however_often_it_is_prepared(own_client: Client) -> None:
    await ensure_schedules(own_client)
    await ensure_schedules(own_client)

    found = (await own_client.get_schedule_handle(reconciliation_schedule_id()).describe()).schedule

    assert [interval.every for interval in found.spec.intervals] == [timedelta(hours=1)]
    assert found.policy == reconciliation_schedule(period_seconds=3_600).policy


def test_run_is_the_platforms_own_and_never_beside_another() -> None:
    schedule = reconciliation_schedule(period_seconds=60)

    assert isinstance(schedule.action, ScheduleActionStartWorkflow)
    assert schedule.action.workflow == WORKFLOW_TYPE
    assert schedule.action.id == "platform:payment:reconciliation:all"
    assert tenant_of(schedule.action.id) == PLATFORM_TENANT
    assert schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
