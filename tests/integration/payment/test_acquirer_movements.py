"""The adapter against the real acquirer: refunds, payouts, its records and its events."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from payment_service.domain.charges import BooksDifferError
from payment_service.domain.provider import (
    FactKind,
    MovementStatus,
    PayoutOrder,
    ProviderFact,
    ProviderRecord,
    RecordKind,
    RefundOrder,
)
from payment_service.ports import NoAnswerError, PaymentProvider
from payment_service.providers.acquirer_client import UnexpectedAnswerError
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_contracts.money import Money
from tests.fakes.payment import euros
from tests.integration.sandbox.acquirer_process import captured, post, running_acquirer, write
from tests.integration.sandbox.webhook_receiver import SECRET, Receiver
from tests.support.waiting import eventually


@pytest.fixture
async def charge(book: httpx.AsyncClient) -> str:
    """Return the operation id of a charge of 100 that is captured."""
    operation_id = f"p-{uuid4().hex[:12]}"
    await captured(book, f"buyers.{operation_id}")
    return operation_id


def _refund(charge: str, *, minor_units: int = 40, refund_id: str = "r-1") -> RefundOrder:
    return RefundOrder(
        tenant="buyers",
        refund_id=refund_id,
        charge_id=charge,
        charge_reference=None,
        amount=euros(minor_units),
    )


def _payout(*, minor_units: int = 40, partner: str = "seller", payout_id: str | None = None) -> PayoutOrder:
    return PayoutOrder(
        partner=partner,
        payout_id=payout_id or f"po-{uuid4().hex[:12]}",
        amount=euros(minor_units),
        destination=None,
    )


async def _all(acquirer: HttpCardAcquirer, *, since: datetime, until: datetime) -> list[ProviderRecord]:
    return [record async for record in acquirer.records(since=since, until=until)]


async def test_refunds_are_made_found_and_never_above_what_was_captured(
    acquirer: HttpCardAcquirer, charge: str
) -> None:
    order, rest, above = (
        _refund(charge),
        _refund(charge, minor_units=60, refund_id="r-2"),
        _refund(charge, refund_id="r-3"),
    )

    before = await acquirer.find_refund(order)
    made = [await acquirer.refund(each) for each in (order, order, rest, above, above)]
    after = await acquirer.find_refund(order)

    done, failed = MovementStatus.SUCCEEDED, MovementStatus.FAILED
    assert (before, made, after) == (None, [done, done, done, failed, failed], done)


@pytest.mark.parametrize(
    ("token", "first", "last"),
    [
        ("tok_refund_failed", MovementStatus.FAILED, MovementStatus.FAILED),
        ("tok_refund_pending", MovementStatus.PENDING, MovementStatus.SUCCEEDED),
        ("tok_refund_pending_failed", MovementStatus.PENDING, MovementStatus.FAILED),
    ],
)
async def test_refund_is_followed_to_its_end(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient, token: str, first: MovementStatus, last: MovementStatus
) -> None:
    charge = f"p-{uuid4().hex[:12]}"
    await captured(book, f"buyers.{charge}", token)

    made = await acquirer.refund(_refund(charge))

    async def has_ended() -> bool:
        return await acquirer.find_refund(_refund(charge)) is last

    await eventually(has_ended, within_seconds=10)
    assert made is first


async def test_refund_that_fits_neither_book_is_said_aloud(acquirer: HttpCardAcquirer, charge: str) -> None:
    await acquirer.refund(_refund(charge))

    with pytest.raises(BooksDifferError):
        await acquirer.refund(_refund(charge, minor_units=41))
    with pytest.raises(BooksDifferError):
        await acquirer.refund(_refund(f"p-{uuid4().hex[:12]}"))


@pytest.mark.parametrize(
    ("partner", "last"),
    [
        ("seller", MovementStatus.SUCCEEDED),
        ("seller-payout-fails", MovementStatus.FAILED),
        ("seller-payout-returned", MovementStatus.FAILED),
    ],
)
async def test_payout_is_on_its_way_and_followed_to_its_end(
    acquirer: HttpCardAcquirer, partner: str, last: MovementStatus
) -> None:
    order = _payout(partner=partner)

    before = await acquirer.find_payout(order)
    made = await acquirer.pay_out(order)

    async def has_ended() -> bool:
        return await acquirer.find_payout(order) is last

    await eventually(has_ended, within_seconds=10)
    assert (before, made) == (None, MovementStatus.PENDING)


async def test_payout_is_sent_once_and_not_with_another_amount(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient
) -> None:
    order = _payout(partner=f"seller-{uuid4().hex[:8]}")

    for _ in range(3):
        await acquirer.pay_out(order)
    with pytest.raises(BooksDifferError):
        await acquirer.pay_out(_payout(partner=order.partner, payout_id=order.payout_id, minor_units=41))

    (shown,) = (await book.get("/v1/book", params={"tenant": order.partner})).json()["payouts"]
    assert shown["amountMinor"] == 40


async def test_no_answer_is_not_a_failure_and_the_same_key_finds_out(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient, charge: str
) -> None:
    payout = _payout()
    await book.put("/v1/faults", json={"rate": 1, "doneButLostShare": 1, "kinds": ["error"]})

    for silent in (acquirer.refund(_refund(charge)), acquirer.pay_out(payout), acquirer.find_payout(payout)):
        with pytest.raises(NoAnswerError):
            await silent
    await book.delete("/v1/faults")

    assert await acquirer.find_refund(_refund(charge)) is MovementStatus.SUCCEEDED
    assert await acquirer.refund(_refund(charge, minor_units=40)) is MovementStatus.SUCCEEDED
    assert await acquirer.find_payout(payout) is not None


async def test_records_are_all_that_was_moved_over_all_pages(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient
) -> None:
    since = datetime.now(UTC)
    tenant = f"b-{uuid4().hex[:8]}"
    for number in range(205):
        await captured(book, f"{tenant}.p-{number}")
    await post(book, f"operations/{tenant}.p-1/refunds/r-1", amountMinor=30)
    await post(book, f"operations/{tenant}.p-2/disputes/d-1", amountMinor=20)
    await post(book, f"payouts/{tenant}.po.1", partner=tenant, amountMinor=7, currency="KWD")

    until = datetime.now(UTC)
    found = [each for each in await _all(acquirer, since=since, until=until) if each.tenant == tenant]

    assert [each.operation_id for each in found[:205]] == [f"p-{number}" for number in range(205)]
    refund, dispute, payout = found[205:]
    assert (refund.kind, refund.operation_id, refund.charge_id) == (RecordKind.REFUND, "r-1", "p-1")
    assert (dispute.kind, dispute.operation_id, dispute.charge_id) == (RecordKind.DISPUTE, "d-1", "p-2")
    assert (dispute.status, dispute.amount) == (MovementStatus.PENDING, euros(20))
    assert (payout.kind, payout.operation_id, payout.charge_id) == (RecordKind.PAYOUT, "po.1", None)
    assert payout.amount == Money(minor_units=7, currency="KWD", exponent=3)
    assert all(since <= each.at < until for each in found)


@pytest.mark.parametrize(("outcome", "status"), [("lost", MovementStatus.SUCCEEDED), ("won", MovementStatus.FAILED)])
async def test_lost_dispute_has_moved_money_and_a_won_one_has_not(
    acquirer: HttpCardAcquirer, book: httpx.AsyncClient, charge: str, outcome: str, status: MovementStatus
) -> None:
    since = datetime.now(UTC)
    path = f"operations/buyers.{charge}/disputes/{uuid4().hex}"
    await post(book, path, amountMinor=100)
    await post(book, f"{path}/outcome", status=outcome)

    found = await _all(acquirer, since=since, until=datetime.now(UTC) + timedelta(minutes=1))

    assert [each.status for each in found if path.endswith(each.operation_id)] == [status]


RECORD = {"kind": "capture", "operation": "a.b", "amountMinor": 1, "currency": "EUR", "status": "succeeded"}


@pytest.mark.parametrize(
    "page",
    [
        b"no JSON",
        b'{"records": [{}], "cursor": null}',
        json.dumps({"records": [RECORD], "cursor": None}).encode(),
        json.dumps({"records": [{**RECORD, "at": "2026-01-01T00:00:00Z", "currency": "QQQ"}], "cursor": None}).encode(),
        json.dumps({"records": [{**RECORD, "at": "2026-01-01T00:00:00Z", "status": "odd"}], "cursor": None}).encode(),
    ],
    ids=["no JSON", "no record", "no time", "no currency", "no status"],
)
async def test_page_that_is_none_is_not_taken_for_the_last(page: bytes) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=page))
    async with httpx.AsyncClient(transport=transport) as http:
        acquirer = HttpCardAcquirer(http, url="http://acquirer", timeout_seconds=1)

        with pytest.raises(UnexpectedAnswerError):
            await _all(acquirer, since=datetime.now(UTC), until=datetime.now(UTC))


@pytest.fixture
async def told(tmp_path: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, Receiver]]:
    """Return a client of an acquirer, and who it tells of every change."""
    receiver = Receiver()
    async with (
        receiver.listening(),
        running_acquirer(tmp_path, webhook_url=receiver.url, webhook_secret=SECRET) as process,
        httpx.AsyncClient(base_url=process.url, timeout=10, trust_env=False) as client,
    ):
        yield client, receiver


async def test_every_event_that_is_sent_can_be_read(
    acquirer: HttpCardAcquirer, told: tuple[httpx.AsyncClient, Receiver]
) -> None:
    client, receiver = told
    await captured(client, "buyers.p-1", "tok_refund_pending")
    await post(client, "operations/buyers.p-1/refunds/r-1", amountMinor=40)
    await post(client, "operations/buyers.p-1/disputes/d-1", amountMinor=60)
    await post(client, "operations/buyers.p-1/disputes/d-1/outcome", status="won")
    await write(client, "buyers.p-2", "void")
    await post(client, "payouts/seller.po-1", partner="seller", amountMinor=5, currency="JPY")
    await receiver.until("refund.succeeded r-1", "payout.paid seller.po-1")

    # The type checker sees here that the adapter has all that the port asks for.
    provider: PaymentProvider = acquirer
    facts = [provider.read_event(received.body) for received in receiver.accepted]

    assert [fact.event_id for fact in facts] == [received.event_id for received in receiver.accepted]
    yen = Money(minor_units=5, currency="JPY", exponent=0)
    assert {_said(fact) for fact in facts} == {
        (FactKind.CHARGE_AUTHORISED, "buyers", "p-1", None, euros(100)),
        (FactKind.CHARGE_CAPTURED, "buyers", "p-1", None, euros(100)),
        (FactKind.REFUND_SUCCEEDED, "buyers", "r-1", "p-1", euros(40)),
        (FactKind.DISPUTE_OPENED, "buyers", "d-1", "p-1", euros(60)),
        (FactKind.DISPUTE_WON, "buyers", "d-1", "p-1", euros(60)),
        (FactKind.CHARGE_VOIDED, "buyers", "p-2", None, None),
        (FactKind.PAYOUT_PAID, "seller", "po-1", None, yen),
        (FactKind.OTHER, "", "", None, None),
    }


def _said(fact: ProviderFact) -> tuple[FactKind, str, str, str | None, Money | None]:
    return fact.kind, fact.tenant, fact.subject, fact.charge_id, fact.amount
