"""A refund is paid back once, whatever gets lost on the way, and a person hears of one that goes nowhere."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.refunds import SettleRefund
from payment_service.domain.charges import ChargeStatus
from payment_service.domain.refunds import RefundStatus as Stored
from payment_service.domain.refunds import RefundUnresolvedError, UnknownRefundError
from platform_contracts.payment.charge import ChargeShare
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.refund import RefundInput, RefundResult, RefundStatus
from tests.fakes.payment import euros
from tests.fakes.payment_refunds import FakeRefundProvider, FakeRefunds, RefundPorts, refund_input

REFUND = SettleRefund(tenant="buyers", refund_id="r-1")


async def _request(ports: RefundPorts, refund: RefundInput | None = None) -> RefundResult:
    return await ActivityEnvironment().run(ports.refund_activities().request_refund, refund or refund_input())


async def _settle(ports: RefundPorts) -> RefundResult:
    return await ActivityEnvironment().run(ports.refund_activities().settle_refund, REFUND)


async def _refused(ports: RefundPorts, refund: RefundInput) -> str | None:
    with pytest.raises(ApplicationError) as raised:
        await _request(ports, refund)
    assert raised.value.non_retryable
    return raised.value.type


async def test_what_is_left_is_asked_for_once_however_often_it_is_asked() -> None:
    ports = RefundPorts()

    results = [await _request(ports) for _ in range(3)]

    assert {(result.status, result.amount) for result in results} == {(RefundStatus.REQUESTED, euros(2_000))}
    assert ports.provider.calls == []


@pytest.mark.parametrize(
    "other",
    [
        refund_input(amount=5),
        refund_input().model_copy(update={"reason": "late"}),
        refund_input().model_copy(update={"charge_id": "p-2"}),
        refund_input().model_copy(update={"shares": (ChargeShare(seller="seller-0", amount=euros(10)),)}),
    ],
    ids=["amount", "reason", "charge", "shares"],
)
async def test_refund_cannot_be_asked_for_with_other_details(other: RefundInput) -> None:
    ports = RefundPorts()
    await _request(ports, refund_input(amount=10))

    failure = await _refused(ports, other)

    assert failure == PaymentFailure.DIFFERENT_REFUND


@pytest.mark.parametrize(
    ("refund", "failure"),
    [
        (refund_input(amount=2_001), PaymentFailure.REFUND_EXCEEDS),
        (refund_input(amount=0), PaymentFailure.INVALID_REFUND),
        (refund_input().model_copy(update={"charge_id": "p-2"}), PaymentFailure.UNKNOWN_CHARGE),
        (
            refund_input(amount=5).model_copy(update={"shares": (ChargeShare(seller="somebody", amount=euros(5)),)}),
            PaymentFailure.INVALID_REFUND,
        ),
        (
            refund_input().model_copy(
                update={
                    "shares": (
                        ChargeShare(seller="seller-0", amount=euros(5)),
                        ChargeShare(
                            seller="seller-1",
                            amount=euros(5).model_copy(update={"currency": "USD"}),
                        ),
                    )
                }
            ),
            PaymentFailure.INVALID_REFUND,
        ),
    ],
    ids=["too much", "nothing", "unknown charge", "foreign share", "two currencies"],
)
async def test_what_cannot_be_refunded_is_refused_for_good(refund: RefundInput, failure: PaymentFailure) -> None:
    ports = RefundPorts()

    found = await _refused(ports, refund)

    assert found == failure
    assert ports.refunds.rows == {}


async def test_nothing_is_given_back_of_what_is_not_captured() -> None:
    ports = RefundPorts(refunds=FakeRefunds(status=ChargeStatus.AUTHORISED))

    failure = await _refused(ports, refund_input())

    assert failure == PaymentFailure.NOT_CAPTURED


async def test_shares_alone_say_how_much_is_given_back() -> None:
    ports = RefundPorts()
    shares = (ChargeShare(seller="seller-1", amount=euros(100)), ChargeShare(seller="seller-1", amount=euros(50)))

    result = await _request(ports, refund_input().model_copy(update={"shares": shares}))

    assert result.amount == euros(150)
    assert [(part.seller, part.minor_units) for part in ports.refunds.rows["r-1"].parts] == [("seller-1", 150)]


async def test_refund_is_paid_back_once_however_often_it_is_settled() -> None:
    ports = RefundPorts()
    await _request(ports)

    results = [await _settle(ports) for _ in range(3)]

    assert {result.status for result in results} == {RefundStatus.SUCCEEDED}
    assert ports.provider.calls == ["find_refund", "refund"]


async def test_answer_that_got_lost_is_asked_for_and_not_sent_again() -> None:
    ports = RefundPorts(provider=FakeRefundProvider(loses_answers=1))
    await _request(ports)

    with pytest.raises(RefundUnresolvedError):
        await _settle(ports)
    result = await _settle(ports)

    assert result.status is RefundStatus.SUCCEEDED
    assert ports.provider.calls == ["find_refund", "refund", "find_refund"]
    assert ports.provider.paid_back == ["r-1"]


async def test_refund_on_its_way_is_waited_for() -> None:
    ports = RefundPorts(provider=FakeRefundProvider(pending_for=2))
    await _request(ports)

    for _ in range(2):
        with pytest.raises(RefundUnresolvedError):
            await _settle(ports)
    on_its_way = ports.refunds.rows["r-1"].status
    result = await _settle(ports)

    assert (on_its_way, result.status) == (Stored.PENDING, RefundStatus.SUCCEEDED)
    assert ports.refunds.escalated == []


async def test_refund_that_fails_is_said_to() -> None:
    ports = RefundPorts(provider=FakeRefundProvider(fails=True))
    await _request(ports)

    result = await _settle(ports)

    assert result.status is RefundStatus.FAILED


@pytest.mark.parametrize("provider", [FakeRefundProvider(away_for=9), FakeRefundProvider(pending_for=9)])
async def test_person_hears_of_a_refund_that_goes_nowhere_for_too_long(provider: FakeRefundProvider) -> None:
    ports = RefundPorts(provider=provider, escalate_after=timedelta(0))
    await _request(ports)

    with pytest.raises(RefundUnresolvedError):
        await _settle(ports)

    assert ports.refunds.escalated == ["r-1"]


async def test_refund_that_nobody_asked_for_is_a_bug() -> None:
    with pytest.raises(UnknownRefundError):
        await _settle(RefundPorts())
