from datetime import timedelta

import pytest
from temporalio.client import Client

from payment_service.domain.payouts import PayoutStatus as Stored
from platform_contracts.payment.partner_payout import (
    CarriedReason,
    PartnerPayout,
    PayoutStatus,
)
from platform_contracts.user.notification import Notification
from tests.fakes.payment import euros
from tests.fakes.payment_payouts import (
    FakeCapabilities,
    FakePayouts,
    PayoutPorts,
    payout_worker,
    timings,
)
from tests.workflow.payment.payouts import (
    ADA,
    BARBARA,
    OWED,
    Payout,
    owing,
)

SOON = timedelta(milliseconds=100)


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_everything_owed_is_sent_once_and_the_partner_is_told(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = owing()

    async with payout_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()
        told = await payout.notification(f"payout-paid-{payout.payout_id}")

    assert (result.status, result.amount, result.withheld) == (PayoutStatus.PAID, euros(OWED), euros(0))
    assert [order.amount for order in ports.provider.paid] == [euros(OWED)]
    assert ports.payouts.balances["acme"] == 0
    assert (told.tenant, told.user_id) == ("acme", "acme")
    assert "50.00 EUR" in told.message
    progress = await payout.progress()
    assert (progress.step, progress.cancellable) == ("settled", False)


async def test_what_is_withheld_is_not_sent(own_client: Client, task_queue: str) -> None:
    ports = owing(reserve_basis_points=1_000, reserve_days=90)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()

    assert (result.amount, result.withheld) == (euros(4_500), euros(500))
    assert [order.amount for order in ports.provider.paid] == [euros(4_500)]


@pytest.mark.parametrize(
    ("owed", "reason"),
    [(0, CarriedReason.NOTHING_PAYABLE), (-700, CarriedReason.NOTHING_PAYABLE), (999, CarriedReason.BELOW_MINIMUM)],
)
async def test_what_cannot_be_paid_is_carried_and_the_result_says_why(
    own_client: Client, task_queue: str, owed: int, reason: CarriedReason
) -> None:
    ports = owing(owed, minimum_minor_units=1_000)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()

    assert (result.status, result.carried, result.amount) == (PayoutStatus.CARRIED, reason, euros(0))
    assert ports.payouts.balances["acme"] == owed
    assert ports.provider.paid == []


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_partner_that_may_not_be_paid_is_paid_once_it_may_be(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = owing()
    ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])
    ports.timings = timings(recheck_after=SOON)

    async with payout_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        payout = await Payout(own_client, task_queue).start()
        held = await payout.reaches("held")
        status = ports.payouts.status_of(payout.payout_id)
        ports.capabilities.may_not_be_paid.clear()
        result = await payout.result()

    assert (held.waiting_for, held.cancellable) == ("partner_capabilities", True)
    assert held.deadline is not None
    assert status is Stored.HELD
    assert (result.status, result.amount) == (PayoutStatus.PAID, euros(OWED))


async def test_held_payout_looks_again_when_it_is_told_to(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("held")
        ports.capabilities.may_not_be_paid.clear()
        await payout.handle.signal(PartnerPayout.payout_changed)
        result = await payout.result()

    assert result.status is PayoutStatus.PAID


async def test_balance_that_fell_while_it_waited_is_not_paid_out(own_client: Client, task_queue: str) -> None:
    ports = owing(review_above_minor_units=1_000)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        ports.payouts.balances["acme"] -= 100
        await payout.decide(ADA)
        await payout.decide(BARBARA)
        result = await payout.result()

    assert (result.status, result.carried) == (PayoutStatus.CARRIED, CarriedReason.BALANCE_FELL)
    assert ports.payouts.balances["acme"] == OWED - 100
    assert ports.provider.paid == []


async def test_payout_that_ended_in_a_forgotten_run_gets_its_answer_again(own_client: Client, task_queue: str) -> None:
    ports = owing()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        first = await payout.result()
        ports.payouts.balances["acme"] = 300
        await payout.start()
        second = await payout.result()

    assert second == first
    assert len(ports.provider.paid) == 1
    assert ports.payouts.balances["acme"] == 300


async def test_second_payout_of_a_partner_waits_for_none_and_pays_nothing(own_client: Client, task_queue: str) -> None:
    ports = PayoutPorts(payouts=FakePayouts(acme=OWED), capabilities=FakeCapabilities(may_not_be_paid=["acme"]))

    async with payout_worker(own_client, ports, task_queue=task_queue):
        first = await Payout(own_client, task_queue).start()
        await first.reaches("held")
        second = await Payout(own_client, task_queue).start()
        result = await second.result()
        await first.handle.terminate()

    assert (result.status, result.carried) == (PayoutStatus.CARRIED, CarriedReason.ANOTHER_IS_OPEN)


async def test_partner_is_told_by_a_workflow_that_outlives_this_one(own_client: Client, task_queue: str) -> None:
    ports = owing()

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.result()
        told = own_client.get_workflow_handle_for(
            Notification.run, f"acme:user:notification:payout-paid-{payout.payout_id}"
        )
        status = (await told.describe()).status

    assert status is not None
    assert status.name == "RUNNING"
