import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client

from payment_service.domain.payouts import PayoutSchedule
from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PartnerPayoutResult,
    PayoutStatus,
    partner_payout_workflow_id,
)
from platform_contracts.payment.payout_plan_change import (
    PayoutPlan,
    PayoutPlanChange,
    PayoutPlanChangeInput,
)
from platform_contracts.payment.payout_plan_change import PayoutSchedule as ContractSchedule
from platform_contracts.payment.payout_run import PayoutRun, PayoutRunInput, PayoutRunResult
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import euros
from tests.fakes.payment_payouts import CUT, FakePayouts, FakePlans, PayoutPorts, payout_worker
from tests.workflow.payment.payouts import WAIT_SECONDS

OWED = {"acme": 100, "bolt": 200, "cord": 300}


def _ports() -> PayoutPorts:
    return PayoutPorts(payouts=FakePayouts(acme=100, bolt=200, cord=300), plans=FakePlans(*OWED))


async def _run(client: Client, task_queue: str, **given: object) -> PayoutRunResult:
    handle = await start_workflow(
        client, PayoutRun.run, PayoutRunInput.model_validate(given), id=f"run-{uuid4().hex}", task_queue=task_queue
    )
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


async def _paid(client: Client, partner: str, *, cut: datetime) -> PartnerPayoutResult:
    payout_id = f"EUR-2-{cut:%Y%m%dT%H%M%SZ}"
    handle = client.get_workflow_handle_for(
        PartnerPayout.run, partner_payout_workflow_id(tenant=partner, payout_id=payout_id)
    )
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_run_starts_a_payout_for_each_that_is_due_page_by_page(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports, cut = _ports(), _own_cut()

    async with payout_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        result = await _run(own_client, task_queue, cut=cut)
        paid = [await _paid(own_client, partner, cut=cut) for partner in OWED]

    assert (result.started, result.already_started, result.cut) == (3, 0, cut)
    assert {each.status for each in paid} == {PayoutStatus.PAID}
    assert [each.amount for each in paid] == [euros(amount) for amount in OWED.values()]


async def test_runs_of_one_cut_at_once_start_the_same_payouts(own_client: Client, task_queue: str) -> None:
    ports, cut = _ports(), _own_cut()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        results = await asyncio.gather(*(_run(own_client, task_queue, cut=cut) for _ in range(3)))
        for partner in OWED:
            await _paid(own_client, partner, cut=cut)
        again = await _run(own_client, task_queue, cut=cut)

    assert sum(result.started for result in results) == 3
    assert (again.started, again.already_started) == (0, 3)
    assert sorted(order.partner for order in ports.provider.paid) == sorted(OWED)


async def test_run_goes_on_where_an_earlier_part_of_it_has_stopped(own_client: Client, task_queue: str) -> None:
    ports, cut = _ports(), _own_cut()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        result = await _run(own_client, task_queue, cut=cut, after="bolt:EUR:2", started=2, already_started=1)
        await _paid(own_client, "cord", cut=cut)

    assert (result.started, result.already_started) == (3, 1)
    assert [order.partner for order in ports.provider.paid] == ["cord"]


@pytest.mark.parametrize("period_seconds", [86_400, 3_600])
async def test_cut_is_the_beginning_of_the_period(own_client: Client, task_queue: str, period_seconds: int) -> None:
    before = datetime.now(UTC)

    async with payout_worker(own_client, PayoutPorts(), task_queue=task_queue):
        result = await _run(own_client, task_queue, period_seconds=period_seconds)

    period = timedelta(seconds=period_seconds)
    assert (result.cut - datetime(1970, 1, 1, tzinfo=UTC)) % period == timedelta(0)
    assert before - period < result.cut <= datetime.now(UTC)


async def test_plan_is_saved_as_of_when_it_was_asked_for(own_client: Client, task_queue: str) -> None:
    ports = PayoutPorts()
    plan = PayoutPlan(schedule=ContractSchedule.WEEKLY, delay_days=3)
    change = PayoutPlanChangeInput(tenant="acme", change_id="c-1", currency="EUR", plan=plan, changed_by="user:ada")
    before = datetime.now(UTC)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        handle = await start_workflow(own_client, PayoutPlanChange.run, change, task_queue=task_queue)
        result = await asyncio.wait_for(handle.result(), WAIT_SECONDS)

    saved, changed_at = ports.plans.plans["acme", "EUR"]
    assert (result.currency, result.plan) == ("EUR", plan)
    assert (saved.schedule, saved.delay_days) == (PayoutSchedule.WEEKLY, 3)
    assert before - timedelta(seconds=5) < changed_at < datetime.now(UTC) + timedelta(seconds=5)


def _own_cut() -> datetime:
    """Return a cut that no other test has: the payouts of a cut are named by it."""
    return CUT + timedelta(seconds=uuid4().int % 10**8)
