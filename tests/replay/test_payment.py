from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from payment_service.workflows.charge_resolution import ChargeResolutionWorkflow
from payment_service.workflows.charge_void import ChargeVoidWorkflow
from payment_service.workflows.escalation_resolution import EscalationResolutionWorkflow
from payment_service.workflows.provider_event import ProviderEventWorkflow
from platform_contracts.payment.charge import ChargeResult, ChargeStatus
from platform_contracts.payment.charge_resolution import WORKFLOW_TYPE, ChargeResolution, ChargeResolutionInput
from platform_contracts.payment.charge_void import ChargeVoid
from platform_contracts.payment.escalation_resolution import EscalationResolution, EscalationResolutionInput
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import FakeAcquirer, PaymentPorts, authorise_request, charge_request, payment_worker
from tests.fakes.payment_escalations import FakeEscalations, escalated, escalation_worker
from tests.replay import provider_event_runs, reconciliation_scenarios, reversal_scenarios
from tests.support.histories import Scenario, record, recorded_histories, replay
from tests.support.waiting import eventually

DOMAIN = "payment"


async def _resolved(
    client: Client, task_queue: str, acquirer: FakeAcquirer, *, within_seconds: float = 60, is_cancelled: bool = False
) -> WorkflowHandle[Any, Any]:
    ports = PaymentPorts(acquirer=acquirer)
    await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())
    until = datetime.now(UTC) + timedelta(seconds=within_seconds)
    resolution = ChargeResolutionInput(tenant="buyers", operation_id="p-1", until=until)
    async with payment_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ChargeResolution.run, resolution, task_queue=task_queue)
        if is_cancelled:
            await _tried(ports, "find")
            await handle.cancel()
        await _closed(handle)
    return handle


async def _tried(ports: PaymentPorts, verb: str) -> None:
    async def is_tried() -> bool:
        return verb in ports.acquirer.calls

    await eventually(is_tried, within_seconds=10)


async def _closed(handle: WorkflowHandle[Any, Any]) -> None:
    try:
        await handle.result()
    except WorkflowFailureError:
        return


async def _authorised(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(loses_answers=1))


async def _authorised_after_silence(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(away_for=3))


async def _declined(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(declines=True, loses_answers=1))


async def _unknown(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(away_for=1_000), within_seconds=1)


async def _too_late(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(away_for=1_000), within_seconds=-1)


async def _cancelled(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _resolved(client, task_queue, FakeAcquirer(away_for=1_000), is_cancelled=True)


async def _voided(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with payment_worker(client, PaymentPorts(), task_queue=task_queue):
        handle = await start_workflow(client, ChargeVoid.run, charge_request(), task_queue=task_queue)
        await handle.result()
    return handle


async def _voided_despite_a_cancel(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=3))
    async with payment_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ChargeVoid.run, charge_request(), task_queue=task_queue)
        await _tried(ports, "void")
        await handle.cancel()
        await handle.result()
    return handle


async def _escalation_resolved(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    resolution = EscalationResolutionInput(
        escalation_id=escalated().escalation_id, resolved_by="user:grace", resolution="They were called."
    )
    async with escalation_worker(client, FakeEscalations(escalated()), task_queue=task_queue):
        handle = await start_workflow(client, EscalationResolution.run, resolution, task_queue=task_queue)
        await handle.result()
    return handle


WORKFLOWS = [
    ChargeResolutionWorkflow,
    ChargeVoidWorkflow,
    EscalationResolutionWorkflow,
    *reconciliation_scenarios.WORKFLOWS,
    *reversal_scenarios.WORKFLOWS,
    ProviderEventWorkflow,
]

SCENARIOS: dict[str, Scenario] = {
    "charge_resolution-authorised": _authorised,
    "charge_resolution-authorised_after_silence": _authorised_after_silence,
    "charge_resolution-declined": _declined,
    "charge_resolution-unknown": _unknown,
    "charge_resolution-too_late": _too_late,
    "charge_resolution-cancelled": _cancelled,
    "charge_void-voided": _voided,
    "charge_void-voided_despite_a_cancel": _voided_despite_a_cancel,
    "escalation_resolution-resolved": _escalation_resolved,
    **reconciliation_scenarios.SCENARIOS,
    **reversal_scenarios.SCENARIOS,
    **provider_event_runs.SCENARIOS,
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


@workflow.defn(name=WORKFLOW_TYPE)
class _OtherResolution(ChargeResolution):
    @workflow.run
    async def run(self, resolution: ChargeResolutionInput) -> ChargeResult:
        await workflow.sleep(1)
        return ChargeResult(operation_id=resolution.operation_id, status=ChargeStatus.UNKNOWN)


async def test_code_that_does_something_else_is_noticed(traced: None) -> None:
    outcome = await replay(DOMAIN, "charge_resolution-authorised", workflows=[_OtherResolution])

    assert outcome is not None
    assert "workflow.patched" in outcome
