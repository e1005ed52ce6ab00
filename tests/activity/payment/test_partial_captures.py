"""A part of a charge is captured once; what expired is not; what nobody can tell comes to a person."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import SettleCharge
from payment_service.domain.charges import ChargeCapturedError, ChargeUnresolvedError
from payment_service.domain.charges import ChargeStatus as Stored
from payment_service.domain.escalations import EscalationReason
from payment_service.ports import NoAnswerError
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.failures import PaymentFailure
from tests.fakes.payment import FakeAcquirer, PaymentPorts, authorise_request, charge_request, euros

PAST = datetime(2026, 1, 1, tzinfo=UTC)


def _settlement(*, wanted_until: datetime = PAST) -> SettleCharge:
    return SettleCharge(tenant="buyers", operation_id="p-1", wanted_until=wanted_until)


async def _authorised(acquirer: FakeAcquirer | None = None) -> PaymentPorts:
    ports = PaymentPorts(acquirer=acquirer or FakeAcquirer())
    await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())
    return ports


async def test_part_is_captured_and_posted_by_its_shares() -> None:
    ports = await _authorised()

    result = await ActivityEnvironment().run(ports.charge_activities().capture, charge_request(amount=1_000))

    assert result.status is ChargeStatus.CAPTURED
    assert ports.charges.rows["buyers", "p-1"].capture_amount == euros(1_000)
    (posted,) = ports.charges.transactions
    assert [(each.account, each.amount.minor_units) for each in posted.postings] == [
        ("cash_clearing:acquirer", 1_000),
        ("partner_payable:seller-0", -675),
        ("partner_payable:seller-1", -225),
        ("platform_fees", -100),
    ]


async def test_part_is_written_down_before_the_acquirer_is_asked_for_it() -> None:
    ports = await _authorised()
    ports.acquirer.loses_answers = 1

    with pytest.raises(NoAnswerError):
        await ActivityEnvironment().run(ports.charge_activities().capture, charge_request(amount=1_000))

    assert ports.charges.rows["buyers", "p-1"].capture_amount == euros(1_000)
    assert ports.charges.status_of("p-1") is Stored.AUTHORISED


@pytest.mark.parametrize(("first", "second"), [(1_000, 999), (1_000, None), (None, 1_000)])
@pytest.mark.parametrize("loses_answers", [0, 1], ids=["captured", "asked for"])
async def test_second_capture_of_another_amount_is_refused(
    first: int | None, second: int | None, loses_answers: int
) -> None:
    ports = await _authorised()
    ports.acquirer.loses_answers = loses_answers
    activities = ports.charge_activities()
    try:
        await ActivityEnvironment().run(activities.capture, charge_request(amount=first))
    except NoAnswerError:
        if first is None:
            # All of it goes unsaid: the acquirer knows.
            await ActivityEnvironment().run(activities.capture, charge_request(amount=first))

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activities.capture, charge_request(amount=second))

    assert raised.value.type == PaymentFailure.DIFFERENT_CHARGE


@pytest.mark.parametrize("amount", [0, 2_001])
async def test_no_more_than_is_authorised_is_captured(amount: int) -> None:
    ports = await _authorised()

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(ports.charge_activities().capture, charge_request(amount=amount))

    assert raised.value.type == PaymentFailure.INVALID_CHARGE
    assert "capture" not in ports.acquirer.calls


async def test_what_expired_fails_by_its_own_type() -> None:
    ports = await _authorised()
    ports.acquirer.book["p-1"] = Stored.EXPIRED

    failures: list[str | None] = []
    for activity in (ports.charge_activities().capture, ports.charge_activities().capture):
        with pytest.raises(ApplicationError) as raised:
            await ActivityEnvironment().run(activity, charge_request())
        failures.append(raised.value.type)
    with pytest.raises(ApplicationError) as again:
        await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())

    assert {*failures, again.value.type} == {PaymentFailure.CHARGE_EXPIRED}
    assert ports.charges.transactions == []


async def test_void_that_meets_what_is_captured_has_a_person_look_until_all_is_given_back() -> None:
    ports = await _authorised()
    # The acquirer captured it, and our book has not heard of that.
    ports.acquirer.book["p-1"] = Stored.CAPTURED
    void = ports.charge_activities().void

    with pytest.raises(ChargeCapturedError):
        await ActivityEnvironment().run(void, charge_request())
    heard_of = list(ports.charges.escalated)
    posted = len(ports.charges.transactions)
    ports.charges.refund_all("p-1")
    result = await ActivityEnvironment().run(void, charge_request())

    assert heard_of == [(EscalationReason.VOID_REFUSED, "p-1")]
    assert posted == 1
    assert (result.status, ports.charges.settled_voids) == (ChargeStatus.CAPTURED, ["p-1"])


async def test_charge_that_nobody_can_tell_anything_of_comes_to_a_person() -> None:
    ports = await _authorised(FakeAcquirer(away_for=9))
    patient, impatient = (ports.charge_activities(escalate_after=timedelta(hours=hours)) for hours in (1, 0))

    for activities in (patient, impatient):
        with pytest.raises(ChargeUnresolvedError):
            await ActivityEnvironment().run(activities.resolve_charge, charge_request())

    assert ports.charges.escalated == [(EscalationReason.CHARGE_UNRESOLVED, "p-1")]


async def test_nobody_else_asks_while_somebody_waits_for_the_answer() -> None:
    ports = await _authorised(FakeAcquirer(loses_answers=1))
    later = datetime.now(UTC) + timedelta(minutes=1)

    with pytest.raises(ChargeUnresolvedError):
        await ActivityEnvironment().run(ports.charge_activities().settle_charge, _settlement(wanted_until=later))

    assert ports.acquirer.calls == ["authorise"]


async def test_charge_that_nobody_waits_for_is_what_the_acquirer_says() -> None:
    ports = await _authorised(FakeAcquirer(loses_answers=1))

    result = await ActivityEnvironment().run(ports.charge_activities().settle_charge, _settlement())

    assert result.status is ChargeStatus.AUTHORISED
    assert ports.acquirer.calls == ["authorise", "find"]


async def test_charge_that_nobody_waits_for_and_nobody_has_seen_is_barred_instead_of_sent() -> None:
    ports = await _authorised(FakeAcquirer(away_for=1))

    result = await ActivityEnvironment().run(ports.charge_activities().settle_charge, _settlement())

    assert result.status is ChargeStatus.VOIDED
    assert ports.acquirer.calls == ["authorise", "find", "void"]


async def test_nothing_is_settled_where_nothing_was_sent() -> None:
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(PaymentPorts().charge_activities().settle_charge, _settlement())

    assert raised.value.type == PaymentFailure.UNKNOWN_CHARGE
