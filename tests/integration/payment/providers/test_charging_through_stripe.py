"""The activities on a real database in front of localstripe, and the worker that is wired to Stripe."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import ChargeActivities
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.tables import LEDGER_POSTINGS
from payment_service.settings import PaymentSettings
from payment_service.worker import build
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.failures import PaymentFailure
from platform_runtime.database import Database
from platform_runtime.service_process import Resources
from platform_runtime.settings import load_settings
from tests.fakes.payment import authorise_request, charge_request
from tests.integration.payment.providers.counterparts import LOCALSTRIPE, STRIPE_KEY, Counterpart, Harness
from tests.support.network import free_port


@pytest.fixture
def stripe(in_front_of: Callable[[Counterpart], Harness]) -> Harness:
    """Return an adapter in front of localstripe."""
    return in_front_of(LOCALSTRIPE)


@pytest.fixture
def activities(database: Database, stripe: Harness) -> ChargeActivities:
    """Return the activities on a real database and that adapter."""
    return ChargeActivities(SqlCharges(database), stripe.provider, fee_basis_points=1_000)


async def test_charge_is_known_by_its_id_at_stripe_and_posted_as_owed_by_stripe(
    activities: ChargeActivities, database: Database, stripe: Harness
) -> None:
    operation_id, environment = f"p-{uuid4().hex[:12]}", ActivityEnvironment()

    authorised = await environment.run(activities.authorise, authorise_request(operation_id, token="pm_card_visa"))
    captured = [await environment.run(activities.capture, charge_request(operation_id)) for _ in range(2)]

    charge = await SqlCharges(database).find(tenant="buyers", operation_id=operation_id)
    assert charge is not None
    intent = (await stripe.raw.get(f"/v1/payment_intents/{charge.reference}")).json()
    cleared = select(LEDGER_POSTINGS.c.minor_units).where(
        LEDGER_POSTINGS.c.operation_id == operation_id, LEDGER_POSTINGS.c.account == "cash_clearing:stripe"
    )
    async with database.read() as connection:
        owed = list((await connection.execute(cleared)).scalars())
    assert authorised.status is ChargeStatus.AUTHORISED
    assert [each.status for each in captured] == [ChargeStatus.CAPTURED] * 2
    assert (intent["status"], intent["amount"], owed) == ("succeeded", 2_000, [2_000])
    assert intent["metadata"] == {"tenant": "buyers", "operation_id": operation_id}


async def test_declined_card_fails_for_good(activities: ChargeActivities, stripe: Harness) -> None:
    request = authorise_request(f"p-{uuid4().hex[:12]}", token=stripe.declining_token)

    for _ in range(2):
        with pytest.raises(ApplicationError) as raised:
            await ActivityEnvironment().run(activities.authorise, request)

        assert (raised.value.type, raised.value.non_retryable) == (PaymentFailure.DECLINED, True)


async def test_void_gives_back_what_is_reserved(
    activities: ChargeActivities, database: Database, stripe: Harness
) -> None:
    operation_id, environment = f"p-{uuid4().hex[:12]}", ActivityEnvironment()
    await environment.run(activities.authorise, authorise_request(operation_id))

    voided = await environment.run(activities.void, charge_request(operation_id))

    charge = await SqlCharges(database).find(tenant="buyers", operation_id=operation_id)
    assert charge is not None
    intent = (await stripe.raw.get(f"/v1/payment_intents/{charge.reference}")).json()
    assert (voided.status, intent["status"]) == (ChargeStatus.VOIDED, "canceled")


async def test_worker_charges_through_the_provider_that_is_set(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER", "stripe")
    monkeypatch.setenv("PAYMENT_STRIPE_API_KEY", STRIPE_KEY)
    # A closed port: what is seen is that Stripe's adapter asks there.
    monkeypatch.setenv("PAYMENT_STRIPE_URL", f"http://127.0.0.1:{free_port()}")
    operation_id = f"p-{uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        settings = load_settings(PaymentSettings)
        resources = Resources(settings=settings, database=database, service_token=None, stack=stack)
        registrations = await build(resources)
        (authorise,) = (each for each in registrations.activities if each.__name__ == "authorise")

        result = await ActivityEnvironment().run(authorise, authorise_request(operation_id))

    charge = await SqlCharges(database).find(tenant="buyers", operation_id=operation_id)
    assert charge is not None
    assert (result.status, charge.provider) == (ChargeStatus.UNKNOWN, "stripe")


def test_library_of_stripe_is_loaded_only_where_stripe_is_the_provider() -> None:
    loaded = "import payment_service.worker, sys; sys.exit('stripe' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
