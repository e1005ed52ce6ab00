"""Every request of the adapter is one that Stripe's API has: stripe-mock holds it against a description."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import pytest
from pydantic import SecretStr

from payment_service.domain.charges import BooksDifferError, DifferentChargeError
from payment_service.domain.disputes import DisputeName
from payment_service.providers.stripe_provider import StripeProvider
from tests.fakes.payment import euros
from tests.integration.payment.providers.conftest import Running
from tests.integration.payment.providers.counterparts import STRIPE_KEY, STRIPE_MOCK, a_charge, a_payout, a_refund

Call = Callable[[StripeProvider], Awaitable[object]]

_CHARGE = replace(a_charge(2_000, part=1_500), reference="pi_1")
_NOW = datetime.now(UTC)


async def _records(provider: StripeProvider) -> object:
    return [record async for record in provider.records(since=_NOW - timedelta(days=1), until=_NOW)]


class _PayoutsFail(httpx.AsyncHTTPTransport):
    """A sample of a payout is one that is under way: this says that it failed, of a transfer with a short name."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        changes = {"/v1/payouts": {"status": "failed"}, "/v1/transfers": {"id": "tr_1"}}.get(request.url.path)
        if request.method == "GET" or changes is None or not answer.is_success:
            return answer
        said = json.loads(await answer.aread()) | changes
        return httpx.Response(answer.status_code, json=said, request=request)


_CALLS: Final[Mapping[str, tuple[Call, list[str]]]] = {
    "prepare": (lambda provider: provider.prepare(_CHARGE), ["POST /v1/payment_intents"]),
    "authorise": (lambda provider: provider.authorise(_CHARGE), ["POST /v1/payment_intents/pi_1/confirm"]),
    "capture": (lambda provider: provider.capture(_CHARGE), ["POST /v1/payment_intents/pi_1/capture"]),
    "void": (
        lambda provider: provider.void(tenant="buyers", operation_id="p-1", reference="pi_1"),
        ["POST /v1/payment_intents/pi_1/cancel"],
    ),
    "void without id": (
        lambda provider: provider.void(tenant="buyers", operation_id="p-1", reference=None),
        ["GET /v1/payment_intents/search"],
    ),
    "find": (
        lambda provider: provider.find(tenant="buyers", operation_id="p-1", reference="pi_1"),
        ["GET /v1/payment_intents/pi_1"],
    ),
    "refund": (lambda provider: provider.refund(a_refund(_CHARGE, 500)), ["GET /v1/refunds", "POST /v1/refunds"]),
    "pay out": (
        lambda provider: provider.pay_out(a_payout(euros(900))),
        [
            *("GET /v1/transfers", "POST /v1/transfers", "GET /v1/payouts", "POST /v1/payouts"),
            "POST /v1/transfers/tr_1/reversals",
        ],
    ),
    "find dispute": (
        lambda provider: provider.find_dispute(DisputeName(tenant="buyers", charge_id="p-1", dispute_id="dp_1")),
        ["GET /v1/disputes/dp_1"],
    ),
    "records": (_records, ["GET /v1/balance_transactions"]),
}


@pytest.mark.parametrize(("call", "asked"), _CALLS.values(), ids=_CALLS)
async def test_request_is_one_that_the_api_has(running: Running, call: Call, asked: list[str]) -> None:
    answers: list[httpx.Response] = []

    async def keep(answer: httpx.Response) -> None:
        answers.append(answer)

    async with httpx.AsyncClient(transport=_PayoutsFail(), event_hooks={"response": [keep]}) as http:
        provider = StripeProvider(http, api_key=SecretStr(STRIPE_KEY), url=running.urls[STRIPE_MOCK], timeout_seconds=5)
        # What the samples say of amounts is nothing of ours.
        with suppress(DifferentChargeError, BooksDifferError):
            await call(provider)

    assert [f"{answer.request.method} {answer.request.url.path}" for answer in answers[: len(asked)]] == asked
    assert [answer.text for answer in answers if not answer.is_success] == []


async def test_what_the_api_does_not_have_is_refused(running: Running) -> None:
    url, intent = f"{running.urls[STRIPE_MOCK]}/v1/payment_intents", {"amount": "1", "currency": "eur"}
    async with httpx.AsyncClient(trust_env=False) as http:
        unknown = await http.post(url, data={**intent, "bogus": "1"}, auth=(STRIPE_KEY, ""))
        anonymous = await http.post(url, data=intent)

    assert (unknown.status_code, anonymous.status_code) == (400, 401)
