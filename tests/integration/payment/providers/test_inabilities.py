"""That each counterpart really cannot do what `counterparts.py` says; one that learns it fails here, and is tested."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.disputes import DisputeName
from payment_service.domain.provider import MovementStatus
from tests.fakes.payment import euros
from tests.integration.payment.providers.counterparts import (
    COUNTERPARTS,
    LOCALSTRIPE,
    STRIPE_MOCK,
    Ability,
    Counterpart,
    Harness,
    a_charge,
    a_payout,
    a_refund,
    table,
)

README: Final = Path(__file__).parents[4] / "services" / "payment" / "README.md"

Evidence = Callable[[Harness], Awaitable[None]]

_A_DISPUTE: Final = DisputeName(tenant="buyers", charge_id="p-1", dispute_id="dp_1")
_INTENT: Final = {"amount": "100", "currency": "eur", "payment_method": "pm_card_visa", "capture_method": "manual"}
_KEY: Final = {"Idempotency-Key": "the-same"}


async def _same_key_makes_two(harness: Harness) -> None:
    made = [(await harness.raw.post("/v1/payment_intents", data=_INTENT, headers=_KEY)).json() for _ in range(2)]

    assert made[0]["id"] != made[1]["id"]


async def _what_was_made_is_forgotten(harness: Harness) -> None:
    made = (await harness.raw.post("/v1/payment_intents", data=_INTENT)).json()

    found = (await harness.raw.get(f"/v1/payment_intents/{made['id']}")).json()

    assert (made["amount"], found["id"]) == (100, made["id"])
    assert found["amount"] != 100


async def _search_finds_what_is_not_ours(harness: Harness) -> None:
    said = await harness.raw.get("/v1/payment_intents/search", params={"query": "metadata['operation_id']:'none'"})

    assert [found["metadata"] for found in said.json()["data"]] == [{}]


async def _there_is_no_search(harness: Harness) -> None:
    said = await harness.raw.get("/v1/payment_intents/search", params={"query": "metadata['operation_id']:'none'"})

    assert said.status_code == 404


async def _void_of_nothing_bars_nothing(harness: Harness) -> None:
    charge = a_charge()
    # Without the search, which it does not have either, there is nothing that could be told to it at all.
    assert await harness.found(await harness.prepared(charge)) is None

    assert await harness.provider.authorise(await harness.prepared(charge)) is ChargeStatus.AUTHORISED


async def _cancelled_is_not_cancelled(harness: Harness) -> None:
    cancelled = await harness.raw.post("/v1/payment_intents/pi_1/cancel", data={"cancellation_reason": "abandoned"})

    found = (await harness.raw.get("/v1/payment_intents/pi_1")).json()

    assert cancelled.is_success, cancelled.text
    assert found["status"] != "canceled"


async def _whole_charge_is_given_back_twice(harness: Harness) -> None:
    charge = await harness.captured(a_charge(2_000))

    said = [await harness.provider.refund(a_refund(charge, 2_000)) for _ in range(2)]

    assert said == [MovementStatus.SUCCEEDED] * 2


async def _refund_knows_no_limit(harness: Harness) -> None:
    refund = {"payment_intent": "pi_1", "amount": str(10**9)}

    assert (await harness.raw.post("/v1/refunds", data=refund)).is_success


async def _there_are_no_transfers(harness: Harness) -> None:
    assert (await harness.raw.get("/v1/transfers")).status_code == 404


async def _payout_never_arrives(harness: Harness) -> None:
    order = a_payout(euros(900))

    said = {await harness.provider.pay_out(order), await harness.provider.find_payout(order)}

    assert MovementStatus.SUCCEEDED not in said


async def _span_of_time_is_refused(harness: Harness) -> None:
    said = await harness.raw.get("/v1/balance_transactions", params={"created[gte]": "1"})

    assert (said.status_code, said.json()["error"]["message"]) == (400, "Unexpected created")


async def _book_is_one_sample(harness: Harness) -> None:
    spans = [{"created[gte]": "1", "created[lt]": "2"}, {"created[gte]": "2"}]

    said = [(await harness.raw.get("/v1/balance_transactions", params=span)).json()["data"] for span in spans]

    assert [len(each) for each in said] == [1, 1]
    assert said[0] == said[1]


async def _nothing_says_when_it_expires(harness: Harness) -> None:
    charge = await harness.authorised(a_charge())

    found = (await harness.raw.get(f"/v1/payment_intents/{charge.reference}")).json()

    assert "cancellation_reason" not in found


async def _webhooks_cannot_be_sent(harness: Harness) -> None:
    endpoint = {"url": "http://127.0.0.1:9/hook", "enabled_events[0]": "*"}
    made = (await harness.raw.post("/v1/webhook_endpoints", data=endpoint)).json()

    assert (await harness.raw.get(f"/v1/webhook_endpoints/{made['id']}")).json()["url"] != endpoint["url"]


async def _dispute_is_about_nothing_of_ours(harness: Harness) -> None:
    said = await harness.raw.get("/v1/disputes/dp_1")

    assert said.is_success, said.text
    assert await harness.provider.find_dispute(_A_DISPUTE) is None


async def _there_are_no_disputes(harness: Harness) -> None:
    assert (await harness.raw.get("/v1/disputes/dp_1")).status_code == 404


async def _parameters_are_refused(harness: Harness) -> None:
    more = {"automatic_payment_methods[enabled]": "true"}
    made = await harness.raw.post("/v1/payment_intents", data={**_INTENT, **more})
    charge = await harness.prepared(a_charge())
    confirm = {"error_on_requires_action": "true"}
    confirmed = await harness.raw.post(f"/v1/payment_intents/{charge.reference}/confirm", data=confirm)

    assert [each.json()["error"]["message"] for each in (made, confirmed)] == [
        "Unexpected automatic_payment_methods",
        "Unexpected error_on_requires_action",
    ]


EVIDENCE: Final[Mapping[tuple[Counterpart, Ability], Evidence]] = {
    (STRIPE_MOCK, Ability.REMEMBERS): _what_was_made_is_forgotten,
    (STRIPE_MOCK, Ability.ONCE): _same_key_makes_two,
    (STRIPE_MOCK, Ability.FINDS): _search_finds_what_is_not_ours,
    (STRIPE_MOCK, Ability.BARS): _cancelled_is_not_cancelled,
    (STRIPE_MOCK, Ability.LIMITS): _refund_knows_no_limit,
    (STRIPE_MOCK, Ability.PAYS_OUT): _payout_never_arrives,
    (STRIPE_MOCK, Ability.RECORDS): _book_is_one_sample,
    (STRIPE_MOCK, Ability.EXPIRES): _cancelled_is_not_cancelled,
    (STRIPE_MOCK, Ability.TELLS): _webhooks_cannot_be_sent,
    (STRIPE_MOCK, Ability.DISPUTES): _dispute_is_about_nothing_of_ours,
    (LOCALSTRIPE, Ability.ONCE): _same_key_makes_two,
    (LOCALSTRIPE, Ability.FINDS): _there_is_no_search,
    (LOCALSTRIPE, Ability.BARS): _void_of_nothing_bars_nothing,
    (LOCALSTRIPE, Ability.LIMITS): _whole_charge_is_given_back_twice,
    (LOCALSTRIPE, Ability.PAYS_OUT): _there_are_no_transfers,
    (LOCALSTRIPE, Ability.RECORDS): _span_of_time_is_refused,
    (LOCALSTRIPE, Ability.EXPIRES): _nothing_says_when_it_expires,
    (LOCALSTRIPE, Ability.DISPUTES): _there_are_no_disputes,
    (LOCALSTRIPE, Ability.KNOWS_ALL): _parameters_are_refused,
}


@pytest.mark.parametrize(
    ("harness", "evidence"),
    [
        pytest.param(counterpart, evidence, id=f"{counterpart}-{ability.name}")
        for (counterpart, ability), evidence in EVIDENCE.items()
    ],
    indirect=["harness"],
)
async def test_counterpart_really_cannot(harness: Harness, evidence: Evidence) -> None:
    shown = await evidence(harness)

    assert shown is None, "the evidence asserts by itself"


def test_there_is_evidence_for_everything_that_a_counterpart_cannot() -> None:
    stated = {(counterpart, ability) for counterpart in COUNTERPARTS for ability in counterpart.cannot}

    assert stated == set(EVIDENCE)


def test_readme_shows_what_no_counterpart_can() -> None:
    assert table() in README.read_text(), "print(table()) in counterparts.py is what belongs there"
