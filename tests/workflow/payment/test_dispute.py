"""What a provider says of a dispute is applied, however long the database is away."""

import pytest
from temporalio.client import Client, WorkflowFailureError

from payment_service.domain.disputes import DisputeStatus as Stored
from platform_contracts.payment.dispute import Dispute, DisputeStatus
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment_refunds import FakeDisputes, RefundPorts, dispute_input, refund_worker


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
@pytest.mark.parametrize("status", DisputeStatus)
async def test_notice_is_applied_though_the_database_was_away(
    client: Client, task_queue: str, status: DisputeStatus, max_cached_workflows: int
) -> None:
    ports = RefundPorts(disputes=FakeDisputes(away_for=2), analytics=None)

    async with refund_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, Dispute.run, dispute_input(status), task_queue=task_queue)
        result = await handle.result()

    assert result.status is status
    assert [notice.status for notice in ports.disputes.notices] == [Stored(status)]


async def test_dispute_about_no_charge_of_ours_fails(client: Client, task_queue: str) -> None:
    ports = RefundPorts(analytics=None)

    async with refund_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, Dispute.run, dispute_input(charge_id="unknown"), task_queue=task_queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert ports.disputes.notices == []
