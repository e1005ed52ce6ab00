from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.payouts import PayoutStatus as Stored
from payment_service.domain.provider import MovementStatus
from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PayoutStatus,
)
from tests.fakes.payment_payouts import (
    FakeCapabilities,
    FakePayoutProvider,
    PayoutPorts,
    payout_worker,
    timings,
)
from tests.support.waiting import eventually
from tests.workflow.payment.payouts import (
    OWED,
    WAIT_SECONDS,
    Payout,
    owing,
)

SOON = timedelta(milliseconds=100)


@pytest.mark.parametrize("step", ["held", "in_review"])
@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_cancel_before_it_is_sent_restores_the_balance(
    own_client: Client, task_queue: str, step: str, max_cached_workflows: int
) -> None:
    ports = owing(review_above_minor_units=1_000)
    if step == "held":
        ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])

    async with payout_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches(step)
        await payout.handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await payout.result()

    assert isinstance(raised.value.cause, CancelledError)
    assert ports.payouts.status_of(payout.payout_id) is Stored.CANCELLED
    assert ports.payouts.balances["acme"] == OWED
    assert ports.provider.calls.total() == 0


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_cancel_after_it_was_sent_changes_nothing(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)

    async with payout_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        payout = await Payout(own_client, task_queue).start()
        sent = await payout.reaches("at_provider")
        await payout.handle.cancel()
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        await payout.handle.signal(PartnerPayout.payout_changed)
        result = await payout.result()

    assert (sent.cancellable, sent.waiting_for) == (False, "provider")
    assert result.status is PayoutStatus.PAID
    assert ports.payouts.balances["acme"] == 0


async def test_payout_on_its_way_is_asked_for_again_and_again(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)
    ports.timings = timings(look_after=SOON)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await _asked(ports, 3)
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        result = await payout.result()

    assert result.status is PayoutStatus.PAID
    assert ports.provider.calls["pay_out"] == 1


async def test_lost_answer_is_asked_for_and_nothing_is_sent_twice(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(loses_answers=1)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()

    assert result.status is PayoutStatus.PAID
    assert ports.provider.calls["pay_out"] == 1
    assert len(ports.provider.paid) == 1


async def test_silent_provider_is_escalated_while_it_goes_on(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)
    ports.timings = timings(look_after=SOON, unresolved_after=timedelta(milliseconds=200))

    async def is_escalated() -> bool:
        return bool(ports.escalations.rows)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await eventually(is_escalated, within_seconds=WAIT_SECONDS)
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        await payout.handle.signal(PartnerPayout.payout_changed)
        result = await payout.result()

    (opened,) = ports.escalations.rows.values()
    assert (opened.reason, opened.tenant) == (EscalationReason.PAYOUT_UNRESOLVED, "acme")
    assert opened.subject == f"payout:acme:{payout.payout_id}"
    assert result.status is PayoutStatus.PAID


async def test_failed_payout_restores_the_balance_and_the_partner_is_told(own_client: Client, task_queue: str) -> None:
    ports = owing(reserve_basis_points=1_000, reserve_days=30)
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.FAILED)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()
        told = await payout.notification(f"payout-failed-{payout.payout_id}")

    assert result.status is PayoutStatus.FAILED
    assert ports.payouts.balances["acme"] == OWED
    assert "in your balance again" in told.message


async def _asked(ports: PayoutPorts, times: int) -> None:
    async def is_asked() -> bool:
        return ports.provider.calls["find_payout"] >= times

    await eventually(is_asked, within_seconds=WAIT_SECONDS)
