"""The adapter against the real acquirer: what each answer means, and that silence means nothing."""

from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from payment_service.domain.charges import (
    BooksDifferError,
    ChargeDetails,
    ChargeStatus,
    DifferentChargeError,
    Share,
    StoredCharge,
)
from payment_service.ports import NoAnswerError
from payment_service.providers import acquirer_client
from payment_service.providers.acquirer_client import UnexpectedAnswerError
from payment_service.providers.card_acquirer import HttpCardAcquirer, idempotency_key
from tests.fakes.payment import euros
from tests.integration.sandbox.acquirer_process import journal, write
from tests.support.network import free_port


def _charge(token: str = "tok_ok", *, minor_units: int = 100, operation_id: str | None = None) -> StoredCharge:
    amount = euros(minor_units)
    return StoredCharge(
        tenant="buyers",
        operation_id=operation_id or f"p-{uuid4().hex[:12]}",
        status=ChargeStatus.AUTHORISING,
        details=ChargeDetails(payment_token=token, amount=amount, shares=(Share(seller="acme", amount=amount),)),
    )


async def _found(acquirer: HttpCardAcquirer, charge: StoredCharge) -> ChargeStatus | None:
    return await acquirer.find(tenant=charge.tenant, operation_id=charge.operation_id, reference=None)


async def test_charge_is_authorised_found_and_captured(acquirer: HttpCardAcquirer) -> None:
    charge = _charge()

    before = await _found(acquirer, charge)
    authorised = await acquirer.authorise(charge)
    between = await _found(acquirer, charge)
    captured = await acquirer.capture(charge)

    assert (before, authorised, between, captured) == (
        None,
        ChargeStatus.AUTHORISED,
        ChargeStatus.AUTHORISED,
        ChargeStatus.CAPTURED,
    )
    assert (
        await acquirer.void(tenant="buyers", operation_id=charge.operation_id, reference=None) is ChargeStatus.CAPTURED
    )


async def test_part_is_captured_and_another_part_is_not(acquirer: HttpCardAcquirer, book: httpx.AsyncClient) -> None:
    charge = _charge()
    await acquirer.authorise(charge)

    captured = [await acquirer.capture(replace(charge, capture_amount=euros(40))) for _ in range(2)]

    with pytest.raises(UnexpectedAnswerError):
        await acquirer.capture(replace(charge, capture_amount=euros(41)))
    shown = (await book.get(f"/v1/operations/buyers.{charge.operation_id}")).json()
    assert captured == [ChargeStatus.CAPTURED] * 2
    assert shown["capturedMinor"] == 40


async def test_another_amount_than_was_captured_is_said_aloud(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient
) -> None:
    charge = _charge()
    await acquirer.authorise(charge)
    await write(book, f"buyers.{charge.operation_id}", "capture", key=uuid4().hex, amountMinor=40)

    with pytest.raises(BooksDifferError):
        await acquirer.capture(charge)


async def test_more_than_was_authorised_is_a_refused_capture(acquirer: HttpCardAcquirer) -> None:
    charge = _charge()
    await acquirer.authorise(charge)

    assert await acquirer.capture(replace(charge, capture_amount=euros(101))) is ChargeStatus.CAPTURE_REFUSED


async def test_expired_authorisation_is_found_so_and_takes_no_money(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient
) -> None:
    charge = _charge()
    await acquirer.authorise(charge)
    await write(book, f"buyers.{charge.operation_id}", "expire")

    found, captured = await _found(acquirer, charge), await acquirer.capture(charge)
    voided = await acquirer.void(tenant="buyers", operation_id=charge.operation_id, reference=None)

    assert (found, captured, voided) == (ChargeStatus.EXPIRED, ChargeStatus.EXPIRED, ChargeStatus.VOIDED)


async def test_repeats_move_no_more_money(acquirer: HttpCardAcquirer, book: httpx.AsyncClient) -> None:
    charge = _charge()

    for _ in range(3):
        await acquirer.authorise(charge)
        await acquirer.capture(charge)

    assert await journal(book, f"buyers.{charge.operation_id}") == ["authorise", "capture"]


async def test_refusals_are_answers(acquirer: HttpCardAcquirer) -> None:
    declined, refused, voided = _charge("tok_declined"), _charge("tok_capture_refused"), _charge()
    await acquirer.authorise(refused)
    await acquirer.void(tenant="buyers", operation_id=voided.operation_id, reference=None)

    assert await acquirer.authorise(declined) is ChargeStatus.DECLINED
    assert await acquirer.capture(refused) is ChargeStatus.CAPTURE_REFUSED
    assert await acquirer.authorise(voided) is ChargeStatus.VOIDED
    assert await acquirer.capture(voided) is ChargeStatus.VOIDED


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("tok_500_before", None),
        ("tok_500_after", ChargeStatus.AUTHORISED),
        ("tok_hang_after", ChargeStatus.AUTHORISED),
        ("tok_slow", ChargeStatus.AUTHORISED),
    ],
)
async def test_no_answer_is_not_a_refusal(acquirer: HttpCardAcquirer, token: str, found: ChargeStatus | None) -> None:
    charge = _charge(token)

    with pytest.raises(NoAnswerError):
        await acquirer.authorise(charge)

    assert await _found(acquirer, charge) is found


async def test_acquirer_that_is_away_gives_no_answer() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        acquirer = HttpCardAcquirer(http, url=f"http://127.0.0.1:{free_port()}", timeout_seconds=1)

        with pytest.raises(NoAnswerError) as raised:
            await acquirer.authorise(_charge())

    assert raised.value.reason == "ConnectError"


async def test_other_amount_is_noticed_under_another_key(acquirer: HttpCardAcquirer, book: httpx.AsyncClient) -> None:
    charge = _charge()
    await book.post(
        f"/v1/operations/buyers.{charge.operation_id}/authorise",
        json={"token": "tok_ok", "amountMinor": 7, "currency": "EUR"},
        headers={"Idempotency-Key": uuid4().hex},
    )

    with pytest.raises(DifferentChargeError):
        await acquirer.authorise(charge)


async def test_nothing_reserved_at_the_acquirer_is_said_aloud(acquirer: HttpCardAcquirer) -> None:
    with pytest.raises(BooksDifferError):
        await acquirer.capture(_charge())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="no such page"),
        httpx.Response(422, json={"code": "odd"}),
        httpx.Response(200, json={"status": "odd"}),
        httpx.Response(200, json=[]),
        httpx.Response(409, json={}),
    ],
    ids=["no page", "odd code", "odd status", "no object", "no code"],
)
async def test_answer_that_is_none_is_not_taken_for_one(answer: httpx.Response) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: answer)) as http:
        acquirer = HttpCardAcquirer(http, url="http://acquirer", timeout_seconds=1)

        with pytest.raises(UnexpectedAnswerError):
            await acquirer.authorise(_charge())


async def test_missing_page_does_not_say_that_nothing_was_sent() -> None:
    page = httpx.MockTransport(lambda _request: httpx.Response(404, text="no such page"))
    async with httpx.AsyncClient(transport=page) as http:
        acquirer = HttpCardAcquirer(http, url="http://acquirer", timeout_seconds=1)

        with pytest.raises(UnexpectedAnswerError):
            await _found(acquirer, _charge())


def test_key_is_that_of_operation_and_verb_and_of_nothing_else() -> None:
    keys = [idempotency_key("capture", tenant="buyers", operation_id="p-1") for _ in range(2)]

    assert keys == ["buyers.p-1:capture"] * 2
    assert idempotency_key("void", tenant="buyers", operation_id="p-1") != keys[0]


async def test_call_is_a_span_without_the_card(acquirer: HttpCardAcquirer, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(acquirer_client, "_tracer", provider.get_tracer("test"))

    await acquirer.authorise(_charge())
    with pytest.raises(NoAnswerError):
        await acquirer.authorise(_charge("tok_500_before"))

    well, badly = exporter.get_finished_spans()
    assert (well.name, well.kind, well.status.status_code) == ("acquirer.authorise", SpanKind.CLIENT, StatusCode.UNSET)
    assert (badly.status.status_code, (badly.attributes or {})["error.type"]) == (StatusCode.ERROR, "500")
    assert "tok_" not in badly.to_json() + well.to_json()
