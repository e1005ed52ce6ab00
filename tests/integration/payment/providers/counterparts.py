"""With whom the adapters are tried, what each of those cannot do, and how an adapter is put in front of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final
from uuid import uuid4

import httpx
import pytest

from payment_service.domain.charges import ChargeDetails, ChargeStatus, Share, StoredCharge
from payment_service.domain.provider import PayoutOrder, ProviderFact, RefundOrder
from payment_service.ports import PaymentProvider
from platform_contracts.money import Money
from tests.fakes.payment import euros

STRIPE_KEY: Final = "sk_test_conformance"


class Ability(StrEnum):
    """What a counterpart needs so that a conformance test means something."""

    REMEMBERS = "remembers what it was told"
    FINDS = "finds a charge by our operation id alone"
    ONCE = "does what comes twice with one key once"
    BARS = "bars a charge that was voided before it was seen"
    LIMITS = "gives back no more than was captured"
    PAYS_OUT = "pays partners out"
    RECORDS = "tells what it did in a span of time"
    EXPIRES = "lets go of what nobody captures"
    TELLS = "sends signed events"
    DISPUTES = "lets a buyer's bank dispute a charge"
    KNOWS_ALL = "knows every parameter that we send"


@dataclass(frozen=True, kw_only=True, eq=False)
class Counterpart:
    """Somebody who stands for a provider."""

    name: str
    provider: str
    cannot: Mapping[Ability, str] = field(default_factory=dict[Ability, str])
    """Why not, for each. `test_inabilities.py` shows that it is so: what it learns to do has to be tested."""

    def __str__(self) -> str:
        return self.name


ACQUIRER: Final = Counterpart(name="acquirer", provider="acquirer")
STRIPE_MOCK: Final = Counterpart(
    name="stripe-mock",
    provider="stripe",
    cannot={
        Ability.REMEMBERS: "every answer is a sample; what it is good for is the form of each request",
        Ability.ONCE: "it does not read the idempotency key",
        Ability.FINDS: "a search answers with a sample of somebody else's",
        Ability.BARS: "it remembers nothing",
        Ability.LIMITS: "it remembers nothing",
        Ability.PAYS_OUT: "a transfer is a sample too, and its payout never arrives",
        Ability.RECORDS: "its book is one sample line",
        Ability.EXPIRES: "it remembers nothing",
        Ability.TELLS: "it sends no events",
        Ability.DISPUTES: "a dispute is a sample, about a charge of nobody's",
    },
)
LOCALSTRIPE: Final = Counterpart(
    name="localstripe",
    provider="stripe",
    cannot={
        Ability.ONCE: "it does not read the idempotency key: that nothing happens twice is Stripe's states alone here",
        Ability.FINDS: "it has no search",
        Ability.BARS: "nor can Stripe: there it is our own row that lets nobody confirm a charge that is voided",
        Ability.LIMITS: "it takes any refund, several times the whole charge too",
        Ability.PAYS_OUT: "it has no transfers",
        Ability.RECORDS: "its list of balance transactions takes no span of time",
        Ability.EXPIRES: "its intents wait for ever",
        Ability.DISPUTES: "it has no disputes",
        Ability.KNOWS_ALL: "it refuses `automatic_payment_methods` and `error_on_requires_action`; they are taken out "
        "on the way to it",
    },
)
COUNTERPARTS: Final = (ACQUIRER, STRIPE_MOCK, LOCALSTRIPE)


def each_that(*abilities: Ability) -> pytest.MarkDecorator:
    """Parametrise a test with every counterpart that can do all of this; remembering is always needed."""
    needed = {Ability.REMEMBERS, *abilities}
    return pytest.mark.parametrize(
        "harness", [each for each in COUNTERPARTS if needed.isdisjoint(each.cannot)], ids=str, indirect=True
    )


def table() -> str:
    """Return what no counterpart can as the table that the service's README shows."""
    rows = ["| | " + " | ".join(each.name for each in COUNTERPARTS) + " |", "|---" * (len(COUNTERPARTS) + 1) + "|"]
    for ability in Ability:
        cells = (f"no: {each.cannot[ability]}" if ability in each.cannot else "yes" for each in COUNTERPARTS)
        rows.append(f"| {ability} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


@dataclass
class Harness:
    """An adapter in front of a counterpart."""

    counterpart: Counterpart
    provider: PaymentProvider
    url: str
    raw: httpx.AsyncClient
    """To ask the counterpart past the adapter."""
    facts: list[ProviderFact]
    """What it has told by events whose signature was right."""
    declining_token: str

    async def prepared(self, charge: StoredCharge) -> StoredCharge:
        """Return the charge with what the provider calls it, as the service would write it down."""
        return replace(charge, reference=await self.provider.prepare(charge))

    async def authorised(self, charge: StoredCharge) -> StoredCharge:
        """Return the charge, authorised."""
        prepared = await self.prepared(charge)
        assert await self.provider.authorise(prepared) is ChargeStatus.AUTHORISED
        return prepared

    async def captured(self, charge: StoredCharge) -> StoredCharge:
        """Return the charge, captured."""
        authorised = await self.authorised(charge)
        assert await self.provider.capture(authorised) is ChargeStatus.CAPTURED
        return authorised

    async def found(self, charge: StoredCharge) -> ChargeStatus | None:
        """Return how the charge stands, asked by whatever name is known."""
        return await self.provider.find(
            tenant=charge.tenant, operation_id=charge.operation_id, reference=charge.reference
        )

    async def voided(self, charge: StoredCharge) -> ChargeStatus:
        """Void it by whatever name is known."""
        return await self.provider.void(
            tenant=charge.tenant, operation_id=charge.operation_id, reference=charge.reference
        )


def a_charge(minor_units: int = 2_000, *, token: str = "tok_ok", part: int | None = None) -> StoredCharge:
    """Return a new charge of tenant `buyers` that is about to be sent."""
    amount = euros(minor_units)
    return StoredCharge(
        tenant="buyers",
        operation_id=f"p-{uuid4().hex[:12]}",
        status=ChargeStatus.AUTHORISING,
        details=ChargeDetails(payment_token=token, amount=amount, shares=(Share(seller="acme", amount=amount),)),
        capture_amount=None if part is None else euros(part),
    )


def a_refund(charge: StoredCharge, minor_units: int) -> RefundOrder:
    """Return a new refund of the charge."""
    return RefundOrder(
        tenant=charge.tenant,
        refund_id=f"r-{uuid4().hex[:12]}",
        charge_id=charge.operation_id,
        charge_reference=charge.reference,
        amount=euros(minor_units),
    )


def a_payout(amount: Money) -> PayoutOrder:
    """Return a new payout to acme."""
    return PayoutOrder(partner="acme", payout_id=f"o-{uuid4().hex[:12]}", amount=amount, destination="acct_1acme")


class WithoutWhatLocalstripeLacks(httpx.AsyncHTTPTransport):
    """Takes out of a request what localstripe refuses to have heard of; stripe-mock has checked it there."""

    _LACKS = re.compile(rb"&?(automatic_payment_methods\[\w+\]|error_on_requires_action)=\w+")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = self._LACKS.sub(b"", await request.aread()).removeprefix(b"&")
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
        return await super().handle_async_request(
            httpx.Request(request.method, request.url, headers=headers, content=content, extensions=request.extensions)
        )
