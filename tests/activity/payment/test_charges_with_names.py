"""Charges at a provider that knows them by its own names alone: our row bars what it cannot be told to bar."""

from datetime import UTC, datetime

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import SettleCharge
from payment_service.domain.charges import ChargeStatus as Status
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.failures import PaymentFailure
from tests.fakes.payment import PaymentPorts, authorise_request, charge_request
from tests.fakes.payment_intents import FakeIntentProvider


@pytest.fixture
def provider() -> FakeIntentProvider:
    """Return such a provider."""
    return FakeIntentProvider()


@pytest.fixture
def ports(provider: FakeIntentProvider) -> PaymentPorts:
    """Return the ports with it."""
    return PaymentPorts(acquirer=provider)


async def test_name_is_written_down_before_anything_is_authorised(
    provider: FakeIntentProvider, ports: PaymentPorts
) -> None:
    names: list[str | None] = []

    async def look() -> None:
        names.append(ports.charges.rows["buyers", "p-1"].reference)

    provider.before_authorising = look

    await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())

    assert names == ["pi_p-1"]


async def test_charge_that_is_voided_while_it_is_prepared_is_never_authorised(
    provider: FakeIntentProvider, ports: PaymentPorts
) -> None:
    activities = ports.charge_activities()

    async def void() -> None:
        await ActivityEnvironment().run(activities.void, charge_request())

    provider.after_preparing = void

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(activities.authorise, authorise_request())

    assert raised.value.type == PaymentFailure.CHARGE_VOIDED
    assert "authorise" not in provider.calls
    assert ports.charges.status_of("p-1") is Status.VOIDED


async def test_charge_that_is_authorised_while_it_is_voided_without_a_name_is_voided_by_its_name(
    provider: FakeIntentProvider, ports: PaymentPorts
) -> None:
    activities = ports.charge_activities()

    async def authorise() -> None:
        await ActivityEnvironment().run(activities.authorise, authorise_request())

    provider.while_voiding_nothing = authorise

    result = await ActivityEnvironment().run(activities.void, charge_request())

    assert result.status is ChargeStatus.VOIDED
    assert provider.done == [("authorise", "p-1"), ("void", "p-1")]


async def test_charge_that_nobody_waits_for_is_voided_by_the_name_that_it_got_meanwhile() -> None:
    provider = FakeIntentProvider(away_for=1)
    activities, request = PaymentPorts(acquirer=provider).charge_activities(), authorise_request()
    await ActivityEnvironment().run(activities.authorise, request)

    async def authorise() -> None:
        provider.while_voiding_nothing = None
        await ActivityEnvironment().run(activities.authorise, request)

    provider.while_voiding_nothing = authorise
    settle = SettleCharge(tenant="buyers", operation_id="p-1", wanted_until=datetime.now(UTC))

    result = await ActivityEnvironment().run(activities.settle_charge, settle)

    assert (result.status, provider.book["p-1"]) == (ChargeStatus.VOIDED, Status.VOIDED)
