from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from payment_service.domain.provider import MovementStatus
from payment_service.workflows.partner_payout import PartnerPayoutWorkflow
from payment_service.workflows.payout_plan_change import PayoutPlanChangeWorkflow
from payment_service.workflows.payout_run import PayoutRunWorkflow
from payment_service.workflows.payout_sync import PayoutSyncWorkflow
from platform_contracts.payment.partner_payout import PartnerPayout
from platform_contracts.payment.payout_plan_change import PayoutPlan, PayoutPlanChange, PayoutPlanChangeInput
from platform_contracts.payment.payout_run import PayoutRun, PayoutRunInput
from platform_contracts.payment.payout_sync import PayoutSync, PayoutSyncInput
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment_payouts import (
    CUT,
    FakeCapabilities,
    FakePayoutProvider,
    FakePayouts,
    FakePlans,
    PayoutPorts,
    payout_worker,
    timings,
)
from tests.support.histories import Scenario, record, recorded_histories, replay
from tests.workflow.payment.payouts import ADA, BARBARA, EDSGER_REJECTS, Payout, owing

DOMAIN = "payouts"
WORKFLOWS = [PartnerPayoutWorkflow, PayoutPlanChangeWorkflow, PayoutRunWorkflow, PayoutSyncWorkflow]
SOON = timedelta(milliseconds=200)


async def _ended(payout: Payout) -> WorkflowHandle[Any, Any]:
    try:
        await payout.result()
    except WorkflowFailureError:
        return payout.handle
    return payout.handle


async def _paid(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with payout_worker(client, owing(), task_queue=task_queue):
        return await _ended(await Payout(client, task_queue).start())


async def _carried(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with payout_worker(client, owing(0), task_queue=task_queue):
        return await _ended(await Payout(client, task_queue).start())


async def _held_then_paid(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await payout.reaches("held")
        ports.capabilities.may_not_be_paid.clear()
        await payout.handle.signal(PartnerPayout.payout_changed)
        return await _ended(payout)


async def _cancelled_while_held(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await payout.reaches("held")
        await payout.handle.cancel()
        return await _ended(payout)


async def _approved_by_two(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing(review_above_minor_units=1_000)
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await payout.reaches("in_review")
        await payout.decide(ADA)
        await payout.refusal(ADA)
        await payout.decide(BARBARA)
        return await _ended(payout)


async def _rejected(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing(review_above_minor_units=1_000)
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await payout.reaches("in_review")
        await payout.decide(EDSGER_REJECTS)
        return await _ended(payout)


async def _expired(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing(review_above_minor_units=1_000)
    ports.timings = timings(remind_after=SOON, overdue_after=3 * SOON)
    async with payout_worker(client, ports, task_queue=task_queue):
        return await _ended(await Payout(client, task_queue).start())


async def _unresolved_then_paid(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)
    ports.timings = timings(look_after=SOON, unresolved_after=2 * SOON)
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        while not ports.escalations.rows:
            await payout.reaches("at_provider")
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        await payout.handle.signal(PartnerPayout.payout_changed)
        return await _ended(payout)


async def _cancelled_too_late(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await payout.reaches("at_provider")
        await payout.handle.cancel()
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        await payout.handle.signal(PartnerPayout.payout_changed)
        return await _ended(payout)


async def _failed(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.FAILED)
    async with payout_worker(client, ports, task_queue=task_queue):
        return await _ended(await Payout(client, task_queue).start())


async def _run(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    partners = [f"p-{uuid4().hex[:8]}" for _ in range(2)]
    ports = PayoutPorts(payouts=FakePayouts(), plans=FakePlans(*partners))
    async with payout_worker(client, ports, task_queue=task_queue):
        for number in range(2):
            handle = await start_workflow(
                client, PayoutRun.run, PayoutRunInput(cut=CUT), id=f"{task_queue}-{number}", task_queue=task_queue
            )
            await handle.result()
    return client.get_workflow_handle(f"{task_queue}-1")


async def _looked_again(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = owing()
    async with payout_worker(client, ports, task_queue=task_queue):
        payout = await Payout(client, task_queue).start()
        await _ended(payout)
        ports.provider.becomes(MovementStatus.FAILED, payout.payout_id)
        sync = PayoutSyncInput(tenant="acme", payout_id=payout.payout_id)
        handle = await start_workflow(client, PayoutSync.run, sync, task_queue=task_queue)
        await handle.result()
    return handle


async def _plan_changed(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    change = PayoutPlanChangeInput(
        tenant="acme", change_id="c-1", currency="EUR", plan=PayoutPlan(delay_days=3), changed_by="user:ada"
    )
    async with payout_worker(client, PayoutPorts(), task_queue=task_queue):
        handle = await start_workflow(client, PayoutPlanChange.run, change, task_queue=task_queue)
        await handle.result()
    return handle


SCENARIOS: dict[str, Scenario] = {
    "partner_payout-paid": _paid,
    "partner_payout-carried": _carried,
    "partner_payout-held_then_paid": _held_then_paid,
    "partner_payout-cancelled_while_held": _cancelled_while_held,
    "partner_payout-approved_by_two": _approved_by_two,
    "partner_payout-rejected": _rejected,
    "partner_payout-expired": _expired,
    "partner_payout-unresolved_then_paid": _unresolved_then_paid,
    "partner_payout-cancelled_too_late": _cancelled_too_late,
    "partner_payout-failed": _failed,
    "payout_run-started_once": _run,
    "payout_sync-returned": _looked_again,
    "payout_plan_change-saved": _plan_changed,
}


async def test_every_scenario_has_a_history(client: Client, *, regenerate: bool, traced: None) -> None:
    if regenerate:
        await record(client, domain=DOMAIN, scenarios=SCENARIOS)

    found = {path.stem for path in recorded_histories(DOMAIN)}

    assert found == set(SCENARIOS), "record the histories with `python3 noxfile.py regenerate`"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_code_of_today_can_go_on_from_the_recorded_run(name: str, traced: None) -> None:
    outcome = await replay(DOMAIN, name, workflows=WORKFLOWS)

    assert outcome is None, outcome
