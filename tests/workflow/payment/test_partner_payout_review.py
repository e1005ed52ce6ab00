import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError

from payment_service.domain.provider import MovementStatus
from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PayoutRefusal,
    PayoutReviewOutcome,
    PayoutStatus,
)
from tests.fakes.payment_payouts import (
    FakeCapabilities,
    FakePayoutProvider,
    payout_worker,
    timings,
)
from tests.workflow.payment.payouts import (
    ADA,
    BARBARA,
    EDSGER_REJECTS,
    GRACE,
    OWED,
    Payout,
    owing,
)

SOON = timedelta(milliseconds=100)


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
