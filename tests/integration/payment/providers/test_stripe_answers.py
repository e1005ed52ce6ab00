"""What each answer of Stripe means, silence first; made up, for no counterpart can be brought to give them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import SecretStr

from payment_service.domain.charges import (
    BooksDifferError,
    ChargeStatus,
    DifferentChargeError,
    InvalidChargeError,
    StoredCharge,
)
from payment_service.domain.disputes import DisputeAtProvider, DisputeName, DisputeStatus
from payment_service.domain.provider import FactKind, MovementStatus, ProviderFact
from payment_service.ports import NoAnswerError
from payment_service.providers import stripe_calls
from payment_service.providers.acquirer_client import UnexpectedAnswerError
from payment_service.providers.stripe_provider import StripeProvider
from tests.fakes.payment import euros
from tests.integration.payment.providers.counterparts import STRIPE_KEY, a_charge, a_refund
from tests.support.local_http import Answer, Asked, LocalHttp, local_http
from tests.support.network import free_port

_CHARGE = replace(a_charge(2_000), reference="pi_1")


def _error(status: int, kind: str, code: str | None = None) -> Answer:
    return Answer({"error": {"type": kind, "code": code, "message": "the text names card 4242"}}, status)


def _intent(status: str, **more: Any) -> Answer:
    intent = {"id": "pi_1", "object": "payment_intent", "status": status, "amount": 2_000, "currency": "eur"}
    return Answer({**intent, "metadata": {"tenant": "buyers", "operation_id": _CHARGE.operation_id}, **more})


_UNEXPECTED_STATE = _error(400, "invalid_request_error", "payment_intent_unexpected_state")


@asynccontextmanager
async def _stripe(*answers: Answer, api_key: str = STRIPE_KEY) -> AsyncGenerator[tuple[StripeProvider, LocalHttp]]:
    """Answer with these in their order, and with nothing at all after that."""
    left = list(answers)

    async def answer(_asked: Asked) -> Answer:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    async with local_http(answer) as server, httpx.AsyncClient(trust_env=False) as http:
        yield StripeProvider(http, api_key=SecretStr(api_key), url=server.url, timeout_seconds=0.5), server


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "TimeoutError"),
        ([_error(500, "api_error")], "status 500"),
        ([Answer(b"<html>", 502)], "status 502"),
        ([Answer(b"cut", 200)], "status 200"),
        ([_error(429, "rate_limit_error")], "status 429"),
        ([_error(409, "idempotency_error", "idempotency_key_in_use")], "status 409"),
        ([_intent("processing")], "status processing"),
        ([_UNEXPECTED_STATE, _intent("requires_action")], "status requires_action"),
    ],
    ids=["hang", "500", "502", "cut", "429", "409", "processing", "requires action"],
)
async def test_no_answer_is_not_a_refusal_and_is_not_asked_for_twice(answers: list[Answer], reason: str) -> None:
    async with _stripe(*answers) as (provider, server):
        with pytest.raises(NoAnswerError) as raised:
            await provider.authorise(_CHARGE)

    assert reason in raised.value.reason
    assert [asked.path for asked in server.asked].count("/v1/payment_intents/pi_1/confirm") == 1


async def test_stripe_that_is_away_gives_no_answer() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with httpx.AsyncClient(trust_env=False) as http:
        provider = StripeProvider(http, api_key=SecretStr(STRIPE_KEY), url=url, timeout_seconds=1)

        with pytest.raises(NoAnswerError, match="ConnectError"):
            await provider.authorise(_CHARGE)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([_error(402, "card_error", "card_declined")], ChargeStatus.DECLINED),
        ([_error(402, "card_error", "authentication_required")], ChargeStatus.DECLINED),
        ([_UNEXPECTED_STATE, _intent("requires_payment_method")], ChargeStatus.DECLINED),
        ([_UNEXPECTED_STATE, _intent("requires_capture")], ChargeStatus.AUTHORISED),
        ([_UNEXPECTED_STATE, _intent("canceled", cancellation_reason=None)], ChargeStatus.VOIDED),
        ([_UNEXPECTED_STATE, _intent("canceled", cancellation_reason="automatic")], ChargeStatus.EXPIRED),
        ([_UNEXPECTED_STATE, _intent("succeeded")], ChargeStatus.CAPTURED),
    ],
)
async def test_refused_confirmation_is_what_the_intent_says(answers: list[Answer], status: ChargeStatus) -> None:
    async with _stripe(*answers) as (provider, _):
        said = await provider.authorise(_CHARGE)

    assert said is status


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([_intent("succeeded", amount_received=2_000)], ChargeStatus.CAPTURED),
        ([_error(402, "card_error", "card_declined")], ChargeStatus.CAPTURE_REFUSED),
        ([_error(400, "invalid_request_error", "charge_expired_for_capture")], ChargeStatus.EXPIRED),
        ([_UNEXPECTED_STATE, _intent("succeeded", amount_received=2_000)], ChargeStatus.CAPTURED),
        ([_UNEXPECTED_STATE, _intent("requires_capture")], ChargeStatus.CAPTURE_REFUSED),
        ([_UNEXPECTED_STATE, _intent("canceled", cancellation_reason="automatic")], ChargeStatus.EXPIRED),
    ],
)
async def test_refused_capture_is_what_the_intent_says(answers: list[Answer], status: ChargeStatus) -> None:
    async with _stripe(*answers) as (provider, _):
        said = await provider.capture(_CHARGE)

    assert said is status


@pytest.mark.parametrize(
    "answers",
    [
        [_intent("succeeded", amount_received=1_500)],
        [_UNEXPECTED_STATE, _intent("requires_confirmation")],
        [_UNEXPECTED_STATE, _error(404, "invalid_request_error", "resource_missing")],
    ],
    ids=["another amount", "nothing reserved", "no such intent"],
)
async def test_capture_that_does_not_fit_our_book_is_said_aloud(answers: list[Answer]) -> None:
    async with _stripe(*answers) as (provider, _):
        with pytest.raises(BooksDifferError):
            await provider.capture(_CHARGE)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ([_UNEXPECTED_STATE, _intent("succeeded")], ChargeStatus.CAPTURED),
        ([_UNEXPECTED_STATE, _intent("canceled")], ChargeStatus.VOIDED),
        ([_UNEXPECTED_STATE, _intent("canceled", cancellation_reason="automatic")], ChargeStatus.VOIDED),
        ([_UNEXPECTED_STATE, _intent("requires_capture"), _intent("canceled")], ChargeStatus.VOIDED),
    ],
)
async def test_refused_void_is_what_the_intent_says(answers: list[Answer], status: ChargeStatus) -> None:
    async with _stripe(*answers) as (provider, server):
        said = await provider.void(tenant="buyers", operation_id="p-1", reference="pi_1")

    assert said is status
    keys = [asked.headers["idempotency-key"] for asked in server.asked if asked.method == "POST"]
    assert keys == ["buyers.p-1:void:pi_1", "buyers.p-1:void:pi_1:requires_capture"][: len(keys)]


async def test_void_of_what_cannot_be_cancelled_is_not_called_done() -> None:
    async with _stripe(_UNEXPECTED_STATE, _intent("requires_capture"), _UNEXPECTED_STATE) as (provider, _):
        with pytest.raises(UnexpectedAnswerError):
            await provider.void(tenant="buyers", operation_id="p-1", reference="pi_1")


Write = Callable[[StripeProvider], Awaitable[object]]

_WRITES: Final[Mapping[str, Write]] = {
    "prepare": lambda provider: provider.prepare(_CHARGE),
    "authorise": lambda provider: provider.authorise(_CHARGE),
}


@pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES)
async def test_key_that_was_used_for_something_else_is_another_charge(write: Write) -> None:
    async with _stripe(_error(400, "idempotency_error")) as (provider, _):
        with pytest.raises(DifferentChargeError):
            await write(provider)


async def test_intent_of_another_amount_is_another_charge() -> None:
    async with _stripe(_intent("requires_capture", amount=7)) as (provider, _):
        with pytest.raises(DifferentChargeError):
            await provider.authorise(_CHARGE)


@pytest.mark.parametrize(
    "answer",
    [
        _error(401, "invalid_request_error"),
        _error(403, "invalid_request_error"),
        Answer(b"no such page", 404),
        Answer({"object": "list"}),
    ],
    ids=["key refused", "forbidden", "no page", "no intent"],
)
async def test_answer_that_is_none_is_not_taken_for_one(answer: Answer) -> None:
    async with _stripe(answer) as (provider, _):
        with pytest.raises(UnexpectedAnswerError) as raised:
            await provider.authorise(_CHARGE)

    assert "4242" not in str(raised.value)


@pytest.mark.parametrize(
    ("charge", "api_key"),
    [
        (a_charge(token="tok_ok"), "sk_live_1"),
        (a_charge(token="tok_500_after"), STRIPE_KEY),
        (a_charge(token="pm_1none"), STRIPE_KEY),
    ],
    ids=["sandbox token with a live key", "token of a misbehaviour", "no such method"],
)
async def test_what_stripe_cannot_charge_is_invalid_and_never_sent_again(charge: StoredCharge, api_key: str) -> None:
    async with _stripe(_error(400, "invalid_request_error", "resource_missing"), api_key=api_key) as (provider, _):
        with pytest.raises(InvalidChargeError):
            await provider.prepare(charge)


async def test_amount_that_stripe_cannot_take_is_invalid_before_it_is_sent() -> None:
    amount = euros(0).model_copy(update={"minor_units": 5_124, "currency": "KWD", "exponent": 3})
    assert _CHARGE.details is not None
    charge = replace(_CHARGE, details=replace(_CHARGE.details, amount=amount))
    async with _stripe() as (provider, server):
        with pytest.raises(InvalidChargeError, match="KWD"):
            await provider.prepare(charge)

    assert server.asked == []


async def test_every_write_carries_the_key_of_operation_and_verb_on_every_attempt() -> None:
    refund = a_refund(_CHARGE, 500)
    no_refunds = Answer({"object": "list", "data": [], "has_more": False, "url": "/v1/refunds"})
    made = Answer({"id": "re_1", "object": "refund", "status": "pending", "amount": 500, "currency": "eur"})
    answers = [
        _intent("requires_confirmation"),
        _intent("requires_capture"),
        _intent("succeeded"),
        _intent("canceled"),
        no_refunds,
        made,
    ]
    async with _stripe(*answers, *answers) as (provider, server):
        for _ in range(2):
            await provider.prepare(_CHARGE)
            await provider.authorise(_CHARGE)
            await provider.capture(_CHARGE)
            await provider.void(tenant="buyers", operation_id=_CHARGE.operation_id, reference="pi_1")
            assert await provider.refund(refund) is MovementStatus.PENDING

    keys = [asked.headers["idempotency-key"] for asked in server.asked if asked.method == "POST"]
    name = f"buyers.{_CHARGE.operation_id}"
    expected = [
        *(f"{name}:prepare", f"{name}:authorise", f"{name}:capture", f"{name}:void:pi_1"),
        f"buyers.{refund.refund_id}:refund",
    ]
    assert keys == expected * 2


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        (["canceled", "succeeded"], ChargeStatus.CAPTURED),
        (["requires_confirmation", "requires_capture"], ChargeStatus.AUTHORISED),
        (["requires_confirmation"], None),
        ([], None),
    ],
)
async def test_without_its_id_the_intent_of_which_most_came_is_found(
    statuses: list[str], found: ChargeStatus | None
) -> None:
    others = _intent("succeeded", metadata={"tenant": "others"}).body
    ours = [_intent("processing", id=f"pi_{number}").body for number in range(len(statuses))]
    search = Answer({"object": "search_result", "data": [others, *ours], "has_more": False, "url": "/"})
    async with _stripe(search, *(_intent(status) for status in statuses)) as (provider, server):
        said = await provider.find(tenant="buyers", operation_id=_CHARGE.operation_id, reference=None)

    assert said is found
    assert server.asked[0].form["query"] == (
        f"metadata['tenant']:'buyers' AND metadata['operation_id']:'{_CHARGE.operation_id}'"
    )


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (_intent("succeeded"), (FactKind.DISPUTE_OPENED, "buyers", _CHARGE.operation_id)),
        (_intent("succeeded", metadata={}), (FactKind.OTHER, "", None)),
        (_error(404, "invalid_request_error", "resource_missing"), (FactKind.OTHER, "", None)),
    ],
    ids=["ours", "somebody else's", "unknown"],
)
async def test_dispute_gets_the_names_that_we_gave_its_intent(
    answer: Answer, named: tuple[FactKind, str, str | None]
) -> None:
    fact = ProviderFact(
        event_id="evt_1",
        kind=FactKind.DISPUTE_OPENED,
        tenant="",
        subject="dp_1",
        charge_reference="pi_1",
        at=datetime.now(UTC),
    )
    async with _stripe(answer) as (provider, _):
        said = await provider.named(fact)

    assert (said.kind, said.tenant, said.charge_id) == named


async def test_call_is_a_span_without_card_or_search(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(stripe_calls, "_tracer", tracing.get_tracer("test"))
    empty = Answer({"object": "search_result", "data": [], "has_more": False, "url": "/"})

    async with _stripe(_intent("requires_confirmation"), empty, _error(500, "api_error")) as (provider, _):
        await provider.prepare(replace(_CHARGE, reference=None))
        await provider.find(tenant="buyers", operation_id="p-1", reference=None)
        with pytest.raises(NoAnswerError):
            await provider.authorise(_CHARGE)

    spans = exporter.get_finished_spans()
    assert [(span.name, span.kind, span.status.status_code) for span in spans] == [
        ("stripe.payment_intents.post", SpanKind.CLIENT, StatusCode.UNSET),
        ("stripe.payment_intents.search", SpanKind.CLIENT, StatusCode.UNSET),
        ("stripe.payment_intents.confirm", SpanKind.CLIENT, StatusCode.ERROR),
    ]
    assert not [word for word in ("tok_", "pm_", "metadata", STRIPE_KEY) for span in spans if word in span.to_json()]


_DISPUTE = DisputeName(tenant="buyers", charge_id=_CHARGE.operation_id, dispute_id="dp_1")


def _dispute(status: str, intent: str | None = "pi_1") -> Answer:
    return Answer({"id": "dp_1", "status": status, "amount": 700, "currency": "eur", "payment_intent": intent})


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([_dispute("needs_response"), _intent("succeeded")], DisputeStatus.OPENED),
        ([_dispute("under_review"), _intent("succeeded")], DisputeStatus.OPENED),
        ([_dispute("won"), _intent("succeeded")], DisputeStatus.WON),
        ([_dispute("lost"), _intent("succeeded")], DisputeStatus.LOST),
        # An inquiry takes no money.
        ([_dispute("warning_needs_response")], None),
        ([_dispute("lost", intent=None)], None),
        ([_dispute("lost"), _intent("succeeded", metadata={"tenant": "others", "operation_id": "p-1"})], None),
        ([_error(404, "invalid_request_error", "resource_missing")], None),
    ],
)
async def test_dispute_stands_as_stripe_says_if_it_is_about_our_charge(
    answers: list[Answer], found: DisputeStatus | None
) -> None:
    async with _stripe(*answers) as (provider, _):
        said = await provider.find_dispute(_DISPUTE)

    assert said == (None if found is None else DisputeAtProvider(status=found, amount=euros(700)))
