"""A charge does not stay unknown, though whoever asked for it was killed, or gave up."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from payment_service.domain.charges import ChargeStatus as Stored
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.charge_resolution import ChargeResolution, ChargeResolutionInput
from platform_contracts.payment.charge_settlement import (
    ChargeSettlement,
    ChargeSettlementInput,
    charge_settlement_workflow_id,
)
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import FakeAcquirer, PaymentPorts, authorise_request, payment_worker


async def _unknown(acquirer: FakeAcquirer, operation_id: str) -> PaymentPorts:
    ports = PaymentPorts(acquirer=acquirer)
    result = await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request(operation_id))
    assert result.status is ChargeStatus.UNKNOWN
    return ports


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_charge_is_settled_after_nobody_waits_for_it(
    client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = await _unknown(FakeAcquirer(away_for=3), "p-1")
    settlement = ChargeSettlementInput(
        tenant="buyers", operation_id="p-1", wanted_until=datetime.now(UTC) + timedelta(seconds=1)
    )

    async with payment_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, ChargeSettlement.run, settlement, task_queue=task_queue)
        result = await handle.result()

    assert result.status is ChargeStatus.VOIDED
    assert ports.charges.status_of("p-1") is Stored.VOIDED
    assert "authorise" not in ports.acquirer.calls[1:]


async def test_resolution_that_is_killed_leaves_its_charge_to_a_workflow_that_is_not(
    client: Client, task_queue: str
) -> None:
    operation_id = f"p-{uuid4().hex[:12]}"
    ports = await _unknown(FakeAcquirer(away_for=10**6), operation_id)
    until = datetime.now(UTC) + timedelta(seconds=2)
    resolution = ChargeResolutionInput(tenant="buyers", operation_id=operation_id, until=until)
    settlement = client.get_workflow_handle_for(
        ChargeSettlement.run, charge_settlement_workflow_id(tenant="buyers", operation_id=operation_id)
    )

    async with payment_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ChargeResolution.run, resolution, task_queue=task_queue)
        result = await handle.result()
        ports.acquirer.heal()
        settled = await settlement.result()

    assert result.status is ChargeStatus.UNKNOWN
    assert settled.status is ChargeStatus.VOIDED
    assert ports.charges.status_of(operation_id) is Stored.VOIDED
