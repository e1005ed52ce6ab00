import asyncio
from uuid import uuid4

from temporalio.client import Client

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.payouts import PayoutStatus as Stored
from payment_service.domain.provider import MovementStatus
from platform_contracts.payment.partner_payout import PayoutStatus
from platform_contracts.payment.payout_sync import PayoutSync, PayoutSyncInput, PayoutSyncResult
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment_payouts import FakePayoutProvider, payout_worker
from tests.workflow.payment.payouts import OWED, WAIT_SECONDS, Payout, owing


async def _looked(client: Client, task_queue: str, payout_id: str) -> PayoutSyncResult:
    handle = await start_workflow(
        client,
        PayoutSync.run,
        PayoutSyncInput(tenant="acme", payout_id=payout_id),
        id=f"sync-{uuid4().hex}",
        task_queue=task_queue,
    )
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


async def test_payout_on_its_way_looks_again_at_once(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("at_provider")
        still = await _looked(own_client, task_queue, payout.payout_id)
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        arrived = await _looked(own_client, task_queue, payout.payout_id)
        result = await payout.result()

    assert (still.status, arrived.status) == (PayoutStatus.SENDING, PayoutStatus.PAID)
    assert result.status is PayoutStatus.PAID
    assert ports.provider.calls["pay_out"] == 1


async def test_paid_payout_that_came_back_restores_the_balance_once_and_the_partner_is_told(
    own_client: Client, task_queue: str
) -> None:
    ports = owing()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.result()
        ports.provider.becomes(MovementStatus.FAILED, payout.payout_id)
        looked = [await _looked(own_client, task_queue, payout.payout_id) for _ in range(2)]
        told = await payout.notification(f"payout-returned-{payout.payout_id}")

    assert {each.status for each in looked} == {PayoutStatus.RETURNED}
    assert ports.payouts.balances["acme"] == OWED
    assert ports.payouts.moves.count(Stored.RETURNED) == 1
    assert "came back" in told.message


async def test_failed_payout_that_the_provider_says_is_paid_is_for_a_person(
    own_client: Client, task_queue: str
) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.FAILED)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.result()
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        looked = await _looked(own_client, task_queue, payout.payout_id)

    assert looked.status is PayoutStatus.FAILED
    assert EscalationReason.EVENT_CONTRADICTS in {each.reason for each in ports.escalations.rows.values()}
    assert ports.payouts.balances["acme"] == OWED


async def test_payout_that_nobody_knows_is_nothing(own_client: Client, task_queue: str) -> None:
    ports = owing()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        looked = await _looked(own_client, task_queue, "nothing")

    assert looked.status is None
    assert ports.provider.calls.total() == 0
