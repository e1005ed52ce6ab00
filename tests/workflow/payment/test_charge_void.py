import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from payment_service.domain.charges import ChargeStatus as Stored
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.charge_void import ChargeVoid
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import FakeAcquirer, PaymentPorts, charge_request, payment_worker
from tests.support.waiting import eventually


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_operation_is_voided_at_an_acquirer_that_was_away(
    client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=2))

    async with payment_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, ChargeVoid.run, charge_request(), task_queue=task_queue)
        result = await handle.result()

    assert result.status is ChargeStatus.VOIDED
    assert ports.acquirer.done == [("void", "p-1")]


async def test_promise_to_void_outlives_a_cancel(client: Client, task_queue: str) -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=3))

    async with payment_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ChargeVoid.run, charge_request(), task_queue=task_queue)

        async def is_trying() -> bool:
            return "void" in ports.acquirer.calls

        await eventually(is_trying, within_seconds=10)
        await handle.cancel()
        result = await handle.result()

    assert result.status is ChargeStatus.VOIDED
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert ports.charges.status_of("p-1") is Stored.VOIDED
