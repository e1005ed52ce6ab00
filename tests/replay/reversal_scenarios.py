"""What refunds, disputes and settlements of charges did, for their histories."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from payment_service.workflows.charge_settlement import ChargeSettlementWorkflow
from payment_service.workflows.dispute import DisputeWorkflow
from payment_service.workflows.refund import RefundWorkflow
from platform_contracts.payment.charge_resolution import ChargeResolution, ChargeResolutionInput
from platform_contracts.payment.charge_settlement import ChargeSettlement, ChargeSettlementInput
from platform_contracts.payment.dispute import Dispute
from platform_contracts.payment.refund import Refund
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import FakeAcquirer, PaymentPorts, authorise_request, payment_worker
from tests.fakes.payment_refunds import FakeRefundProvider, RefundPorts, dispute_input, refund_input, refund_worker
from tests.support.histories import Scenario

WORKFLOWS = [ChargeSettlementWorkflow, DisputeWorkflow, RefundWorkflow]


async def _refunded(
    client: Client, task_queue: str, ports: RefundPorts, *, amount: int | None = None
) -> WorkflowHandle[Any, Any]:
    refund = refund_input(f"r-{uuid4().hex[:12]}", amount=amount, buyer_id="ada")
    async with refund_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, Refund.run, refund, task_queue=task_queue)
        with suppress(WorkflowFailureError):
            await handle.result()
    return handle


async def _succeeded(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _refunded(client, task_queue, RefundPorts())


async def _succeeded_untold(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _refunded(client, task_queue, RefundPorts(analytics=None))


async def _failed(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _refunded(client, task_queue, RefundPorts(provider=FakeRefundProvider(fails=True)))


async def _refused(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    return await _refunded(client, task_queue, RefundPorts(), amount=2_001)


async def _disputed(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    async with refund_worker(client, RefundPorts(analytics=None), task_queue=task_queue):
        handle = await start_workflow(client, Dispute.run, dispute_input(), task_queue=task_queue)
        await handle.result()
    return handle


async def _unknown_charge() -> PaymentPorts:
    ports = PaymentPorts(acquirer=FakeAcquirer(loses_answers=1))
    await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())
    return ports


async def _settled(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    settlement = ChargeSettlementInput(tenant="buyers", operation_id="p-1", wanted_until=datetime.now(UTC))
    async with payment_worker(client, await _unknown_charge(), task_queue=task_queue):
        handle = await start_workflow(client, ChargeSettlement.run, settlement, task_queue=task_queue)
        await handle.result()
    return handle


async def _resolved_with_settlement(client: Client, task_queue: str) -> WorkflowHandle[Any, Any]:
    until = datetime.now(UTC) + timedelta(seconds=60)
    resolution = ChargeResolutionInput(tenant="buyers", operation_id="p-1", until=until)
    async with payment_worker(client, await _unknown_charge(), task_queue=task_queue):
        handle = await start_workflow(client, ChargeResolution.run, resolution, task_queue=task_queue)
        await handle.result()
    return handle


SCENARIOS: dict[str, Scenario] = {
    "refund-succeeded": _succeeded,
    "refund-succeeded_untold": _succeeded_untold,
    "refund-failed": _failed,
    "refund-refused": _refused,
    "dispute-opened": _disputed,
    "charge_settlement-authorised": _settled,
    "charge_resolution-authorised_with_settlement": _resolved_with_settlement,
}
