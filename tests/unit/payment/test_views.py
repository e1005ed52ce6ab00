"""What the payment service shows."""

from datetime import UTC, datetime, timedelta

from temporalio.testing import ActivityEnvironment

from payment_service.views import read_balances, read_charge
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.views import BalancesQuery, ChargeQuery
from tests.fakes.payment import FakeLedger, PaymentPorts, authorise_request, charge_request, euros


async def _captured() -> PaymentPorts:
    ports = PaymentPorts()
    await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request(shares=(1_500, 500)))
    await ActivityEnvironment().run(ports.charge_activities().capture, charge_request())
    return ports


async def test_seller_sees_its_share_minus_the_fee_and_nobody_elses() -> None:
    ledger = FakeLedger((await _captured()).charges)
    now = datetime.now(UTC)

    mine = await read_balances(ledger, "seller-0", BalancesQuery(), now=now)
    buyers = await read_balances(ledger, "buyers", BalancesQuery(), now=now)

    assert mine.balances == (euros(1_350),)
    assert mine.as_of == now
    assert buyers.balances == ()


async def test_balance_of_a_moment_in_the_past_has_nothing_of_later() -> None:
    ledger = FakeLedger((await _captured()).charges)
    now = datetime.now(UTC)

    before = await read_balances(ledger, "seller-0", BalancesQuery(at=now - timedelta(hours=1)), now=now)

    assert before.balances == ()
    assert before.as_of == now - timedelta(hours=1)


async def test_charge_is_shown_to_its_buyers_account_alone() -> None:
    ports = await _captured()

    mine = await read_charge(ports.charges, "buyers", ChargeQuery(operation_id="p-1"))
    others = await read_charge(ports.charges, "seller-0", ChargeQuery(operation_id="p-1"))

    assert mine.charge is not None
    assert (mine.charge.status, mine.charge.amount) == (ChargeStatus.CAPTURED, euros(2_000))
    assert others.charge is None


async def test_operation_that_was_voided_before_anything_was_asked_has_no_charge() -> None:
    ports = PaymentPorts()
    await ActivityEnvironment().run(ports.charge_activities().void, charge_request())

    answer = await read_charge(ports.charges, "buyers", ChargeQuery(operation_id="p-1"))

    assert answer.charge is None
