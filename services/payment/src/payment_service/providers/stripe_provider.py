"""All that Stripe does for us behind one object. Imported only where it is the provider: its library is large."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import httpx
from pydantic import SecretStr

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.disputes import DisputeAtProvider, DisputeName
from payment_service.domain.provider import (
    FactKind,
    MovementStatus,
    PayoutOrder,
    ProviderFact,
    ProviderRecord,
    RefundOrder,
)
from payment_service.providers.stripe_calls import stripe_api
from payment_service.providers.stripe_charges import StripeCharges
from payment_service.providers.stripe_disputes import StripeDisputes
from payment_service.providers.stripe_events import StripeEvents
from payment_service.providers.stripe_payouts import StripePayouts
from payment_service.providers.stripe_records import StripeRecords
from payment_service.providers.stripe_refunds import StripeRefunds


class StripeProvider:
    """The port `PaymentProvider` at Stripe; each method is that of the class for its part."""

    name = "stripe"

    def __init__(self, http: httpx.AsyncClient, *, api_key: SecretStr, url: str, timeout_seconds: float) -> None:
        """Talk to Stripe at the URL with this key; the timeout bounds each call as a whole."""
        api = stripe_api(http, api_key=api_key, url=url, timeout_seconds=timeout_seconds)
        self._charges = StripeCharges(api, is_test="_test_" in api_key.get_secret_value())
        self._refunds = StripeRefunds(api, charges=self._charges)
        self._payouts = StripePayouts(api)
        self._disputes = StripeDisputes(api, charges=self._charges)
        self._records = StripeRecords(api, charges=self._charges, payouts=self._payouts)
        self._events = StripeEvents()

    async def prepare(self, charge: StoredCharge) -> str:
        """Make the charge known without moving money; return Stripe's id for it."""
        return await self._charges.prepare(charge)

    async def authorise(self, charge: StoredCharge) -> ChargeStatus:
        """Reserve the amount, at most once for an operation."""
        return await self._charges.authorise(charge)

    async def capture(self, charge: StoredCharge) -> ChargeStatus:
        """Take what is reserved, or a part of it, at most once."""
        return await self._charges.capture(charge)

    async def void(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus:
        """Give back what is reserved, and let it not be reserved again."""
        return await self._charges.void(tenant=tenant, operation_id=operation_id, reference=reference)

    async def find(self, *, tenant: str, operation_id: str, reference: str | None) -> ChargeStatus | None:
        """Return how the charge stands; None while no card was asked for anything."""
        return await self._charges.find(tenant=tenant, operation_id=operation_id, reference=reference)

    async def refund(self, order: RefundOrder) -> MovementStatus:
        """Give back a part of what was captured, at most once for a refund id."""
        return await self._refunds.refund(order)

    async def find_refund(self, order: RefundOrder) -> MovementStatus | None:
        """Return how the refund stands; None when Stripe has never seen it."""
        return await self._refunds.find_refund(order)

    async def pay_out(self, order: PayoutOrder) -> MovementStatus:
        """Send money to a partner, at most once for a payout id."""
        return await self._payouts.pay_out(order)

    async def find_payout(self, order: PayoutOrder) -> MovementStatus | None:
        """Return how the payout stands; None when nothing of it has moved."""
        return await self._payouts.find_payout(order)

    async def find_dispute(self, name: DisputeName) -> DisputeAtProvider | None:
        """Return how the dispute stands; None when Stripe knows none of this id about this charge."""
        return await self._disputes.find_dispute(name)

    def records(self, *, since: datetime, until: datetime) -> AsyncIterator[ProviderRecord]:
        """Yield what Stripe's book says of a span of time."""
        return self._records.records(since=since, until=until)

    def read_event(self, body: bytes) -> ProviderFact:
        """Return what a Stripe event says, whose signature was checked."""
        return self._events.read_event(body)

    async def named(self, fact: ProviderFact) -> ProviderFact:
        """Return the fact with the names that we gave the intent which it is about; OTHER if we did not make that.

        Raises:
            NoAnswerError: when there is no answer.
        """
        if fact.charge_reference is None:
            return fact
        names = await self._charges.names_of(fact.charge_reference)
        tenant, operation_id = names.get("tenant"), names.get("operation_id")
        if tenant is None or operation_id is None:
            return replace(fact, kind=FactKind.OTHER)
        return replace(fact, tenant=tenant, charge_id=operation_id)
