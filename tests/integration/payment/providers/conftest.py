"""The counterparts as processes, a receiver for their events, and an adapter in front of one of them."""

import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx
import pytest
import stripe
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from payment_service.domain.provider import ProviderFact
from payment_service.ports import PaymentProvider
from payment_service.providers.card_acquirer import HttpCardAcquirer
from payment_service.providers.stripe_events import StripeEvents
from payment_service.providers.stripe_provider import StripeProvider
from tests.integration.payment.providers.counterparts import (
    ACQUIRER,
    LOCALSTRIPE,
    STRIPE_KEY,
    STRIPE_MOCK,
    Counterpart,
    Harness,
    WithoutWhatLocalstripeLacks,
)
from tests.integration.sandbox.acquirer_process import running_acquirer
from tests.support.local_http import Answer, Asked, local_http
from tests.support.localstripe import running_localstripe
from tests.support.stripe_mock import running_stripe_mock

_ACQUIRER_SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
_STRIPE_SECRET = "whsec_of_localstripe"
_TIMEOUT_SECONDS = 5


@dataclass
class Running:
    """The processes, and what they have told so far."""

    urls: dict[Counterpart, str] = field(default_factory=dict[Counterpart, str])
    facts: list[ProviderFact] = field(default_factory=list[ProviderFact])


@pytest.fixture(scope="session")
async def running(stripe_counterparts: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Running]:
    """Return every counterpart, running; they send their events here."""
    running = Running()

    async def receive(asked: Asked) -> Answer:
        running.facts.append(_checked(asked))
        return Answer()

    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(local_http(receive))
        directory = tmp_path_factory.mktemp("counterparts")
        acquirer = await stack.enter_async_context(
            running_acquirer(directory, webhook_url=f"{receiver.url}/acquirer", webhook_secret=_ACQUIRER_SECRET)
        )
        localstripe = await stack.enter_async_context(running_localstripe(directory))
        async with httpx.AsyncClient(trust_env=False) as client:
            hook = {"url": f"{receiver.url}/stripe", "secret": _STRIPE_SECRET}
            (await client.post(f"{localstripe}/_config/webhooks/ours", json=hook)).raise_for_status()
        running.urls = {
            ACQUIRER: acquirer.url,
            LOCALSTRIPE: localstripe,
            STRIPE_MOCK: await stack.enter_async_context(running_stripe_mock()),
        }
        yield running


def _checked(asked: Asked) -> ProviderFact:
    """Return what an event says whose signature is right; any other fails here, and its sender sees a cut."""
    if asked.path == "/stripe":
        stripe.WebhookSignature.verify_header(  # pyright: ignore[reportUnknownMemberType]
            asked.body.decode(), asked.headers["stripe-signature"], _STRIPE_SECRET, tolerance=60
        )
        return StripeEvents().read_event(asked.body)
    Webhook(_ACQUIRER_SECRET).verify(asked.body, dict(asked.headers))
    return HttpCardAcquirer(httpx.AsyncClient(), url="http://nobody", timeout_seconds=1).read_event(asked.body)


@pytest.fixture
async def in_front_of(running: Running) -> AsyncGenerator[Callable[[Counterpart], Harness]]:
    """Return how to put an adapter in front of a counterpart."""
    async with AsyncExitStack() as stack:
        clients = {
            each: await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=WithoutWhatLocalstripeLacks() if each is LOCALSTRIPE else None, trust_env=False
                )
            )
            for each in running.urls
        }
        raw = {
            each: await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=url, timeout=10, trust_env=False, auth=None if each is ACQUIRER else (STRIPE_KEY, "")
                )
            )
            for each, url in running.urls.items()
        }

        def harness(counterpart: Counterpart) -> Harness:
            url = running.urls[counterpart]
            provider: PaymentProvider
            if counterpart.provider == "stripe":
                provider = StripeProvider(
                    clients[counterpart], api_key=SecretStr(STRIPE_KEY), url=url, timeout_seconds=_TIMEOUT_SECONDS
                )
            else:
                provider = HttpCardAcquirer(clients[counterpart], url=url, timeout_seconds=_TIMEOUT_SECONDS)
            return Harness(
                counterpart=counterpart,
                provider=provider,
                url=url,
                raw=raw[counterpart],
                facts=running.facts,
                # localstripe declines Stripe's other test card only where it is attached to a customer.
                declining_token="pm_card_chargeCustomerFail" if counterpart is LOCALSTRIPE else "tok_declined",
            )

        yield harness


@pytest.fixture
def harness(request: pytest.FixtureRequest, in_front_of: Callable[[Counterpart], Harness]) -> Harness:
    """Return an adapter in front of the counterpart that the test is parametrised with."""
    return in_front_of(request.param)
