"""Each activity of payouts, on ports in memory: what it does, and what a repeat of it does."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.payout_plans import DuePayoutsRequest, PayoutPlanActivities
from payment_service.activities.payouts import PayoutKey, PayoutMove
from payment_service.domain.escalations import EscalationReason
from payment_service.domain.payouts import PayoutPlan
from payment_service.domain.provider import MovementStatus
from payment_service.ports import NoAnswerError
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.partner_payout import CarriedReason, PartnerPayoutInput, PayoutStatus
from tests.fakes.payment import euros
from tests.fakes.payment_payouts import CUT, FakePayoutProvider, FakePayouts, FakePlans, PayoutPorts

KEY = PayoutKey(tenant="acme", payout_id="po-1")
PAYOUT = PartnerPayoutInput(tenant="acme", payout_id="po-1", currency="EUR", cut=CUT, requested_by="user:grace")


@pytest.fixture
def run() -> ActivityEnvironment:
    return ActivityEnvironment()


def _ports(provider: FakePayoutProvider | None = None) -> PayoutPorts:
    return PayoutPorts(
        payouts=FakePayouts(plan=PayoutPlan(review_above_minor_units=500), acme=1_000),
        provider=provider or FakePayoutProvider(),
    )


async def _sending(run: ActivityEnvironment, ports: PayoutPorts) -> None:
    await run.run(ports.payout_activities().reserve_payout, PAYOUT)
    await run.run(ports.payout_activities().begin_payout, KEY)


async def test_reserving_takes_the_balance_once_and_tells_what_follows(run: ActivityEnvironment) -> None:
    ports = _ports()

    first = await run.run(ports.payout_activities().reserve_payout, PAYOUT)
    again = await run.run(ports.payout_activities().reserve_payout, PAYOUT)

    assert first == again
    assert (first.state.status, first.state.amount) == (PayoutStatus.RESERVED, euros(1_000))
    assert (first.needs_review, first.requested_by) == (True, "user:grace")
    assert first.timings == ports.timings
    assert ports.payouts.balances["acme"] == 0


async def test_nothing_to_reserve_says_why(run: ActivityEnvironment) -> None:
    ports = PayoutPorts()

    reserved = await run.run(ports.payout_activities().reserve_payout, PAYOUT)

    assert (reserved.state.status, reserved.state.carried) == (PayoutStatus.CARRIED, CarriedReason.NOTHING_PAYABLE)


async def test_waiting_and_giving_back_are_done_once(run: ActivityEnvironment) -> None:
    ports = _ports()
    activities = ports.payout_activities()
    await run.run(activities.reserve_payout, PAYOUT)
    held = PayoutMove(tenant="acme", payout_id="po-1", to=PayoutStatus.HELD)
    rejected = PayoutMove(tenant="acme", payout_id="po-1", to=PayoutStatus.REJECTED)

    states = [
        await run.run(activities.hold_payout, held),
        await run.run(activities.give_back_payout, rejected),
        await run.run(activities.give_back_payout, rejected),
        await run.run(activities.hold_payout, held),
    ]

    assert [state and state.status for state in states] == [PayoutStatus.HELD] + [PayoutStatus.REJECTED] * 3
    assert ports.payouts.balances["acme"] == 1_000


async def test_sending_asks_first_and_sends_once(run: ActivityEnvironment) -> None:
    ports = _ports()
    await _sending(run, ports)

    first = await run.run(ports.payout_activities().send_payout, KEY)
    again = await run.run(ports.payout_activities().send_payout, KEY)

    assert (first.status, again.status) == (PayoutStatus.PAID, PayoutStatus.PAID)
    assert ports.provider.calls == {"find_payout": 1, "pay_out": 1}


async def test_what_was_sent_without_an_answer_is_found_and_not_sent_again(run: ActivityEnvironment) -> None:
    ports = _ports(FakePayoutProvider(loses_answers=1))
    await _sending(run, ports)

    with pytest.raises(NoAnswerError):
        await run.run(ports.payout_activities().send_payout, KEY)
    state = await run.run(ports.payout_activities().send_payout, KEY)

    assert state.status is PayoutStatus.PAID
    assert ports.provider.calls["pay_out"] == 1


async def test_silence_is_no_answer(run: ActivityEnvironment) -> None:
    ports = _ports(FakePayoutProvider(away_for=1))
    await _sending(run, ports)

    with pytest.raises(NoAnswerError):
        await run.run(ports.payout_activities().send_payout, KEY)

    assert ports.provider.paid == []
    assert (await run.run(ports.payout_activities().send_payout, KEY)).status is PayoutStatus.PAID


async def test_what_is_not_being_sent_is_not_sent(run: ActivityEnvironment) -> None:
    ports = _ports()
    await run.run(ports.payout_activities().reserve_payout, PAYOUT)

    state = await run.run(ports.payout_activities().send_payout, KEY)

    assert state.status is PayoutStatus.RESERVED
    assert ports.provider.calls.total() == 0


async def test_unknown_payout_is_not_sent(run: ActivityEnvironment) -> None:
    with pytest.raises(ApplicationError) as raised:
        await run.run(PayoutPorts().payout_activities().send_payout, KEY)

    assert (raised.value.type, raised.value.non_retryable) == (PaymentFailure.UNKNOWN_PAYOUT, True)


@pytest.mark.parametrize("later", [MovementStatus.SUCCEEDED, MovementStatus.FAILED])
async def test_looking_again_records_what_the_provider_says_and_sends_nothing(
    run: ActivityEnvironment, later: MovementStatus
) -> None:
    ports = _ports(FakePayoutProvider(pays_as=MovementStatus.PENDING))
    await _sending(run, ports)
    sent = await run.run(ports.payout_activities().send_payout, KEY)
    ports.provider.becomes(later, "po-1")

    looked = [await run.run(ports.payout_activities().sync_payout, KEY) for _ in "12"]

    wanted = PayoutStatus.PAID if later is MovementStatus.SUCCEEDED else PayoutStatus.FAILED
    assert sent.status is PayoutStatus.SENDING
    assert [state and state.status for state in looked] == [wanted] * 2
    assert ports.provider.calls["pay_out"] == 1
    assert ports.payouts.balances["acme"] == (0 if wanted is PayoutStatus.PAID else 1_000)


async def test_looking_for_what_the_provider_never_got_changes_nothing(run: ActivityEnvironment) -> None:
    ports = _ports()
    await _sending(run, ports)

    looked = await run.run(ports.payout_activities().sync_payout, KEY)

    assert looked is not None
    assert looked.status is PayoutStatus.SENDING
    assert ports.provider.paid == []


async def test_escalating_twice_opens_one(run: ActivityEnvironment) -> None:
    ports = _ports()
    await _sending(run, ports)

    for _ in range(2):
        await run.run(ports.payout_activities().escalate_payout, KEY)

    (opened,) = ports.escalations.rows.values()
    assert (opened.reason, opened.subject) == (EscalationReason.PAYOUT_UNRESOLVED, "payout:acme:po-1")


async def test_those_who_are_due_come_page_by_page(run: ActivityEnvironment) -> None:
    plans = PayoutPlanActivities(FakePlans("a", "b"))

    first = await run.run(plans.find_due_payouts, DuePayoutsRequest(cut=CUT))
    second = await run.run(plans.find_due_payouts, DuePayoutsRequest(cut=CUT, after=first.next))
    last = await run.run(plans.find_due_payouts, DuePayoutsRequest(cut=CUT, after=second.next))

    assert [[each.partner for each in page.due] for page in (first, second, last)] == [["a"], ["b"], []]
    assert (first.next, second.next, last.next) == ("a:EUR:2", "b:EUR:2", None)
