import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from payment_service.schedules import ensure_schedules, payout_run_schedule
from platform_contracts.payment.payout_run import WORKFLOW_TYPE, payout_run_schedule_id
from platform_contracts.task_queues import TaskQueue
from platform_runtime.schedules import ensure_schedule
from tests.fakes.payment_payouts import FakePayouts, FakePlans, PayoutPorts, payout_worker
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually


@pytest.fixture
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace without schedules: their ids are fixed."""
    return await new_namespace(temporal_server)


async def test_schedule_is_there_after_it_was_ensured_and_an_operators_pause_survives(own_client: Client) -> None:
    await ensure_schedules(own_client)
    handle = own_client.get_schedule_handle(payout_run_schedule_id())
    await handle.pause(note="the provider moves")

    await ensure_schedules(own_client)

    found = await handle.describe()
    assert (found.schedule.state.paused, found.schedule.state.note) == (True, "the provider moves")
    assert {(moment.hour, moment.minute) for moment in found.info.next_action_times} == {(0, 15)}
    assert found.schedule.policy == payout_run_schedule(period_seconds=86_400).policy


async def test_schedule_of_an_earlier_setting_is_brought_up_to_date(own_client: Client) -> None:
    earlier = payout_run_schedule(period_seconds=3_600)
    await ensure_schedule(own_client, schedule_id=payout_run_schedule_id(), schedule=earlier)

    await ensure_schedules(own_client)

    found = await own_client.get_schedule_handle(payout_run_schedule_id()).describe()
    first, second, *_ = found.info.next_action_times
    assert second - first == timedelta(days=1)


async def test_triggered_twice_at_once_it_pays_once(own_client: Client) -> None:
    await ensure_schedules(own_client)
    ports = PayoutPorts(payouts=FakePayouts(acme=100), plans=FakePlans("acme"))
    handle = own_client.get_schedule_handle(payout_run_schedule_id())

    async def closed_runs() -> list[str]:
        query = f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Completed'"
        return [each.id async for each in own_client.list_workflows(query)]

    async def is_paid() -> bool:
        return bool(ports.provider.paid)

    async with payout_worker(own_client, ports, task_queue=TaskQueue.PAYMENT):
        await asyncio.gather(handle.trigger(), handle.trigger())
        ids = await eventually(closed_runs, within_seconds=20)
        await eventually(is_paid, within_seconds=20)

    assert ids[0].startswith("platform:payment:payout-run:all-")
    assert [order.amount.minor_units for order in ports.provider.paid] == [100]
