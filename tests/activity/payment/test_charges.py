"""Money moves once, or not at all, whatever gets lost on the way."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.domain.charges import BooksDifferError, ChargeCapturedError, ChargeUnresolvedError
from payment_service.domain.charges import ChargeStatus as Stored
from payment_service.ports import NoAnswerError
from platform_contracts.payment.charge import FINAL_FAILURES, ChargeStatus
from platform_contracts.payment.failures import PaymentFailure
from tests.fakes.payment import FakeAcquirer, FakeCharges, PaymentPorts, authorise_request, charge_request

CHARGE = charge_request()


async def _run(activity: Callable[[Any], Awaitable[Any]], request: Any) -> ChargeStatus:
    result = await ActivityEnvironment().run(activity, request)
    assert result.operation_id == request.operation_id
    return ChargeStatus(result.status)


async def _refused(activity: Callable[[Any], Awaitable[Any]], request: Any) -> str | None:
    """Return the type of the failure that an activity fails with for good."""
    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activity, request)
    assert raised.value.non_retryable
    assert raised.value.type in FINAL_FAILURES
    return raised.value.type


async def test_amount_is_authorised_once_however_often_it_is_asked() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()

    results = [await _run(activities.authorise, authorise_request()) for _ in range(3)]

    assert results == [ChargeStatus.AUTHORISED] * 3
    assert ports.acquirer.calls == ["authorise"]


@pytest.mark.parametrize(
    "other",
    [
        authorise_request(shares=(1_500, 501)),
        authorise_request(token="tok_other"),
        authorise_request(shares=(1_000, 1_000)),
    ],
    ids=["amount", "token", "split"],
)
@pytest.mark.parametrize("acquirer", [FakeAcquirer(), FakeAcquirer(loses_answers=1)], ids=["answered", "unknown"])
async def test_operation_cannot_be_authorised_with_other_details(other: Any, acquirer: FakeAcquirer) -> None:
    ports = PaymentPorts(acquirer=acquirer)
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    failure = await _refused(activities.authorise, other)

    assert failure == PaymentFailure.DIFFERENT_CHARGE


@pytest.mark.parametrize("request_", [authorise_request(total=1), authorise_request(shares=(0,))], ids=["sum", "zero"])
async def test_charge_that_does_not_add_up_reaches_nobody(request_: Any) -> None:
    ports = PaymentPorts()

    failure = await _refused(ports.charge_activities().authorise, request_)

    assert failure == PaymentFailure.INVALID_CHARGE
    assert (ports.acquirer.calls, ports.charges.rows) == ([], {})


async def test_declined_card_stays_declined() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(declines=True))
    activities = ports.charge_activities()

    failures = [await _refused(activities.authorise, authorise_request()) for _ in range(2)]

    assert failures == [PaymentFailure.DECLINED] * 2
    assert ports.acquirer.calls == ["authorise"]


async def test_answer_that_got_lost_is_unknown_until_the_acquirer_was_asked() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(loses_answers=1))
    activities = ports.charge_activities()

    first = await _run(activities.authorise, authorise_request())
    second = await _run(activities.authorise, authorise_request())

    assert (first, second) == (ChargeStatus.UNKNOWN, ChargeStatus.AUTHORISED)
    assert ports.acquirer.calls == ["authorise", "find"]
    assert ports.acquirer.done == [("authorise", "p-1")]


async def test_what_the_acquirer_has_never_seen_is_sent_again() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=1))
    activities = ports.charge_activities()

    first = await _run(activities.authorise, authorise_request())
    second = await _run(activities.authorise, authorise_request())

    assert (first, second) == (ChargeStatus.UNKNOWN, ChargeStatus.AUTHORISED)
    assert ports.acquirer.calls == ["authorise", "find", "authorise"]


async def test_acquirer_that_stays_silent_leaves_the_charge_unknown() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=10))
    activities = ports.charge_activities()

    results = [await _run(activities.authorise, authorise_request()) for _ in range(3)]

    assert results == [ChargeStatus.UNKNOWN] * 3
    assert ports.charges.status_of("p-1") is Stored.UNKNOWN


async def test_captured_charge_is_posted_once() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    results = [await _run(activities.capture, CHARGE) for _ in range(2)]

    assert results == [ChargeStatus.CAPTURED] * 2
    assert len(ports.charges.transactions) == 1
    assert ports.acquirer.calls.count("capture") == 1


async def test_capture_whose_record_failed_is_posted_by_the_repeat_and_taken_once() -> None:
    ports = PaymentPorts(charges=FakeCharges(away_for_captures=1))
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(activities.capture, CHARGE)
    result = await _run(activities.capture, CHARGE)

    assert result is ChargeStatus.CAPTURED
    assert ports.acquirer.done.count(("capture", "p-1")) == 1
    assert len(ports.charges.transactions) == 1


async def test_capture_without_an_answer_is_tried_again() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())
    ports.acquirer.loses_answers = 1

    with pytest.raises(NoAnswerError):
        await ActivityEnvironment().run(activities.capture, CHARGE)
    before = list(ports.charges.transactions)
    result = await _run(activities.capture, CHARGE)

    assert (before, result) == ([], ChargeStatus.CAPTURED)
    assert ports.acquirer.done.count(("capture", "p-1")) == 1


async def test_refused_capture_stays_refused_and_can_be_voided() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(refuses_captures=True))
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    failures = [await _refused(activities.capture, CHARGE) for _ in range(2)]
    voided = await _run(activities.void, CHARGE)

    assert failures == [PaymentFailure.CAPTURE_REFUSED] * 2
    assert voided is ChargeStatus.VOIDED
    assert ports.charges.transactions == []


async def test_unknown_operation_and_declined_card_have_nothing_to_capture() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(declines=True))
    activities = ports.charge_activities()

    unknown = await _refused(activities.capture, CHARGE)
    await _refused(activities.authorise, authorise_request())
    declined = await _refused(activities.capture, CHARGE)

    assert (unknown, declined) == (PaymentFailure.UNKNOWN_CHARGE, PaymentFailure.UNKNOWN_CHARGE)


async def test_charge_of_unknown_outcome_is_not_captured_on_a_guess() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=10))
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    with pytest.raises(ChargeUnresolvedError):
        await ActivityEnvironment().run(activities.capture, CHARGE)

    assert "capture" not in ports.acquirer.calls


async def test_capture_asks_for_an_outcome_that_the_database_has_forgotten() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(loses_answers=1))
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    captured = await _run(activities.capture, CHARGE)

    assert captured is ChargeStatus.CAPTURED
    assert ports.acquirer.calls == ["authorise", "find", "capture"]
    assert len(ports.charges.transactions) == 1


@pytest.mark.parametrize("is_authorised", [True, False], ids=["authorised", "never seen"])
async def test_voided_operation_charges_nobody_any_more(*, is_authorised: bool) -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    if is_authorised:
        await _run(activities.authorise, authorise_request())

    voided = [await _run(activities.void, CHARGE) for _ in range(2)]

    assert voided == [ChargeStatus.VOIDED] * 2
    assert await _refused(activities.authorise, authorise_request()) == PaymentFailure.CHARGE_VOIDED
    assert await _refused(activities.capture, CHARGE) == PaymentFailure.CHARGE_VOIDED
    assert ports.acquirer.book == {"p-1": Stored.VOIDED}


async def test_void_goes_to_the_acquirer_without_a_record_of_ours() -> None:
    ports = PaymentPorts()

    await _run(ports.charge_activities().void, CHARGE)

    assert ports.acquirer.done == [("void", "p-1")]


async def test_void_without_an_answer_is_tried_again_and_records_nothing() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=1))
    activities = ports.charge_activities()

    with pytest.raises(NoAnswerError):
        await ActivityEnvironment().run(activities.void, CHARGE)
    recorded = dict(ports.charges.rows)
    voided = await _run(activities.void, CHARGE)

    assert recorded == {}
    assert voided is ChargeStatus.VOIDED


async def test_declined_charge_stays_declined_when_it_is_voided() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(declines=True))
    activities = ports.charge_activities()
    await _refused(activities.authorise, authorise_request())

    status = await _run(activities.void, CHARGE)

    assert status is ChargeStatus.DECLINED
    assert ports.acquirer.book["p-1"] is Stored.VOIDED


async def test_captured_charge_is_not_voided_and_somebody_hears_of_it() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())
    await _run(activities.capture, CHARGE)

    with pytest.raises(ChargeCapturedError):
        await ActivityEnvironment().run(activities.void, CHARGE)

    assert ports.charges.status_of("p-1") is Stored.CAPTURED


async def test_attempt_that_comes_back_after_the_void_leaves_it_voided() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    ports.acquirer.after_authorising = lambda: _run(activities.void, CHARGE)

    failure = await _refused(activities.authorise, authorise_request())

    assert failure == PaymentFailure.CHARGE_VOIDED
    assert ports.charges.status_of("p-1") is Stored.VOIDED
    assert ports.acquirer.book["p-1"] is Stored.VOIDED


async def test_acquirer_that_lets_a_late_authorisation_in_is_told_to_void_again() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(bars_late_ones=False))
    activities = ports.charge_activities()
    ports.acquirer.before_authorising = lambda: _run(activities.void, CHARGE)

    failure = await _refused(activities.authorise, authorise_request())

    assert failure == PaymentFailure.CHARGE_VOIDED
    assert ports.acquirer.done == [("void", "p-1"), ("authorise", "p-1"), ("void", "p-1")]
    assert ports.acquirer.book["p-1"] is Stored.VOIDED
    assert ports.charges.status_of("p-1") is Stored.VOIDED


async def test_silent_attempt_that_comes_back_after_the_void_leaves_it_voided() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()

    async def voided_meanwhile() -> None:
        await _run(activities.void, CHARGE)
        ports.acquirer.loses_answers = 1

    ports.acquirer.after_authorising = voided_meanwhile
    failure = await _refused(activities.authorise, authorise_request())

    assert failure == PaymentFailure.CHARGE_VOIDED
    assert ports.charges.status_of("p-1") is Stored.VOIDED


async def test_resolution_finds_what_was_authorised_captured_or_voided() -> None:
    found: list[ChargeStatus] = []
    for status in (Stored.AUTHORISED, Stored.CAPTURED, Stored.VOIDED):
        ports = PaymentPorts(acquirer=FakeAcquirer(loses_answers=1))
        activities = ports.charge_activities()
        await _run(activities.authorise, authorise_request())
        ports.acquirer.book["p-1"] = status
        found.append(await _run(activities.resolve_charge, CHARGE))
        assert len(ports.charges.transactions) == (1 if status is Stored.CAPTURED else 0)

    assert found == [ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED, ChargeStatus.VOIDED]


async def test_resolution_of_a_silent_acquirer_is_tried_again() -> None:
    ports = PaymentPorts(acquirer=FakeAcquirer(away_for=2))
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())

    with pytest.raises(ChargeUnresolvedError):
        await ActivityEnvironment().run(activities.resolve_charge, CHARGE)
    resolved = await _run(activities.resolve_charge, CHARGE)

    assert resolved is ChargeStatus.AUTHORISED


async def test_nothing_is_resolved_where_nothing_was_sent() -> None:
    failure = await _refused(PaymentPorts().charge_activities().resolve_charge, CHARGE)

    assert failure == PaymentFailure.UNKNOWN_CHARGE


async def test_books_that_differ_are_said_aloud() -> None:
    ports = PaymentPorts()
    activities = ports.charge_activities()
    await _run(activities.authorise, authorise_request())
    await _run(activities.capture, CHARGE)
    # An acquirer that voids what it has captured: money that is in our ledger and nowhere else.
    ports.acquirer.book["p-1"] = Stored.AUTHORISED

    with pytest.raises(BooksDifferError):
        await ActivityEnvironment().run(activities.void, CHARGE)
