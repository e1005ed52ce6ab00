import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from payment_service.domain.escalations import EscalationReason
from payment_service.domain.payouts import PayoutStatus as Stored
from payment_service.domain.provider import MovementStatus
from platform_contracts.payment.partner_payout import (
    CarriedReason,
    PartnerPayout,
    PayoutRefusal,
    PayoutReviewOutcome,
    PayoutStatus,
)
from platform_contracts.user.notification import Notification
from tests.fakes.payment import euros
from tests.fakes.payment_payouts import (
    FakeCapabilities,
    FakePayoutProvider,
    FakePayouts,
    PayoutPorts,
    payout_worker,
    timings,
)
from tests.support.waiting import eventually
from tests.workflow.payment.payouts import (
    ADA,
    BARBARA,
    EDSGER_REJECTS,
    GRACE,
    OWED,
    WAIT_SECONDS,
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


async def test_two_people_approve_and_then_it_is_sent(own_client: Client, task_queue: str) -> None:
    ports = owing(review_above_minor_units=1_000)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        waiting = await payout.reaches("in_review")
        first = await payout.decide(ADA)
        sent_after_one = list(ports.provider.paid)
        second = await payout.decide(BARBARA)
        result = await payout.result()

    assert (waiting.waiting_for, waiting.cancellable) == ("review", True)
    assert (first.outcome, first.decisions) == (PayoutReviewOutcome.WAITING_FOR_SECOND, (ADA,))
    assert sent_after_one == []
    assert (second.outcome, second.decisions) == (PayoutReviewOutcome.APPROVED, (ADA, BARBARA))
    assert result.status is PayoutStatus.PAID


async def test_amount_at_the_threshold_needs_nobody(own_client: Client, task_queue: str) -> None:
    ports = owing(review_above_minor_units=OWED)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        result = await payout.result()

    assert result.status is PayoutStatus.PAID


@pytest.mark.parametrize("before", [[], [ADA]], ids=["first", "after an approval"])
async def test_one_rejection_ends_it_and_restores_the_balance(
    own_client: Client, task_queue: str, before: list[object]
) -> None:
    ports = owing(review_above_minor_units=1_000)

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        for _ in before:
            await payout.decide(ADA)
        answer = await payout.decide(EDSGER_REJECTS)
        result = await payout.result()

    assert answer.outcome is PayoutReviewOutcome.REJECTED
    assert result.status is PayoutStatus.REJECTED
    assert ports.payouts.balances["acme"] == OWED
    assert ports.provider.calls.total() == 0


async def test_same_person_twice_the_requester_and_a_late_decision_are_refused(
    own_client: Client, task_queue: str
) -> None:
    ports = owing(review_above_minor_units=1_000)
    ports.provider = FakePayoutProvider(pays_as=MovementStatus.PENDING)
    of_grace = ADA.model_copy(update={"reviewer_id": GRACE})

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        requester = await payout.refusal(of_grace)
        await payout.decide(ADA)
        again = await payout.refusal(ADA)
        otherwise = await payout.refusal(ADA.model_copy(update={"approved": False}))
        await payout.decide(BARBARA)
        await payout.reaches("at_provider")
        late = await payout.refusal(EDSGER_REJECTS)
        ports.provider.becomes(MovementStatus.SUCCEEDED, payout.payout_id)
        await payout.handle.signal(PartnerPayout.payout_changed)
        result = await payout.result()

    assert requester == PayoutRefusal.REVIEWER_IS_REQUESTER
    assert [again, otherwise, late] == [PayoutRefusal.ALREADY_DECIDED] * 3
    assert result.status is PayoutStatus.PAID


async def test_two_reviewers_at_once_and_a_repeat_are_two_approvals(own_client: Client, task_queue: str) -> None:
    ports = owing(review_above_minor_units=1_000)
    update_id = uuid4().hex

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        answers = await asyncio.gather(
            payout.decide(ADA, update_id=update_id),
            payout.decide(ADA, update_id=update_id),
            payout.decide(BARBARA),
        )
        result = await payout.result()

    assert answers[0] == answers[1]
    assert {answer.outcome for answer in answers} == {
        PayoutReviewOutcome.WAITING_FOR_SECOND,
        PayoutReviewOutcome.APPROVED,
    }
    assert result.status is PayoutStatus.PAID


async def test_decision_on_what_is_not_in_review_is_refused(own_client: Client, task_queue: str) -> None:
    ports = owing()
    ports.capabilities = FakeCapabilities(may_not_be_paid=["acme"])

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("held")
        refusal = await payout.refusal(ADA)
        await payout.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await payout.result()

    assert refusal == PayoutRefusal.NOT_IN_REVIEW


@pytest.mark.parametrize("approvals", [0, 1])
async def test_reviewers_are_reminded_and_past_the_deadline_the_balance_is_restored(
    own_client: Client, task_queue: str, approvals: int
) -> None:
    ports = owing(review_above_minor_units=1_000)
    ports.timings = timings(remind_after=SOON, overdue_after=timedelta(seconds=2))

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        if approvals:
            await payout.decide(ADA)
        result = await payout.result()
        reminder = await payout.notification(f"payout-reminder-acme-{payout.payout_id}", tenant="platform")

    assert result.status is PayoutStatus.EXPIRED
    assert ports.payouts.balances["acme"] == OWED
    assert ports.provider.calls.total() == 0
    assert reminder.user_id == "reviewers"


async def test_partner_held_while_it_was_reviewed_is_not_paid_then(own_client: Client, task_queue: str) -> None:
    ports = owing(review_above_minor_units=1_000)
    assert ports.capabilities is not None

    async with payout_worker(own_client, ports, task_queue=task_queue):
        payout = await Payout(own_client, task_queue).start()
        await payout.reaches("in_review")
        ports.capabilities.may_not_be_paid.add("acme")
        await payout.decide(ADA)
        await payout.decide(BARBARA)
        await payout.reaches("held")
        sent_while_held = list(ports.provider.paid)
        ports.capabilities.may_not_be_paid.clear()
        await payout.handle.signal(PartnerPayout.payout_changed)
        result = await payout.result()

    assert sent_while_held == []
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


async def _asked(ports: PayoutPorts, times: int) -> None:
    async def is_asked() -> bool:
        return ports.provider.calls["find_payout"] >= times

    await eventually(is_asked, within_seconds=WAIT_SECONDS)
