"""Payouts through Connect: sent once, finished or taken back whatever got lost, and told in Stripe's book."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from payment_service.domain.charges import BooksDifferError
from payment_service.domain.provider import MovementStatus, RecordKind
from payment_service.ports import NoAnswerError
from tests.fakes.payment import euros
from tests.integration.payment.providers.connect import connect
from tests.integration.payment.providers.counterparts import a_payout

_TRANSFERS, _PAYOUTS = "/v1/transfers", "/v1/payouts"


async def test_payout_is_sent_once_and_followed_until_it_arrives() -> None:
    order = a_payout(euros(900))
    async with connect() as (provider, book):
        before = await provider.find_payout(order)
        sent = [await provider.pay_out(order) for _ in range(3)]
        book.payouts[0]["status"] = "paid"
        after = await provider.find_payout(order)

    assert (before, sent, after) == (None, [MovementStatus.PENDING] * 3, MovementStatus.SUCCEEDED)
    assert book.done == [_TRANSFERS, _PAYOUTS]


async def test_payout_is_sent_once_when_stripe_has_forgotten_its_keys() -> None:
    order = a_payout(euros(900))
    async with connect() as (provider, book):
        await provider.pay_out(order)
        book.keys.clear()
        await provider.pay_out(order)

    assert book.done == [_TRANSFERS, _PAYOUTS]


async def test_same_payout_id_of_two_partners_is_two_payouts() -> None:
    order = a_payout(euros(900))
    async with connect() as (provider, book):
        for each in (order, replace(order, partner="other", destination="acct_1other")):
            await provider.pay_out(each)

    assert [payout["account"] for payout in book.payouts] == ["acct_1acme", "acct_1other"]


@pytest.mark.parametrize("lost", [_TRANSFERS, _PAYOUTS])
async def test_payout_whose_answer_was_lost_is_finished_by_whoever_looks(lost: str) -> None:
    order = a_payout(euros(900))
    async with connect(loses={lost}) as (provider, book):
        with pytest.raises(NoAnswerError):
            await provider.pay_out(order)
        found = await provider.find_payout(order)

    assert found is MovementStatus.PENDING
    assert book.done == [_TRANSFERS, _PAYOUTS]


async def test_transfer_that_is_refused_has_moved_nothing() -> None:
    order = a_payout(euros(900))
    async with connect(refuses={_TRANSFERS}) as (provider, book):
        said = await provider.pay_out(order)
        found = await provider.find_payout(order)

    assert (said, found, book.done) == (MovementStatus.FAILED, None, [])


async def test_payout_that_is_refused_or_fails_is_taken_back_before_it_is_called_failed() -> None:
    refused, fails = a_payout(euros(900)), a_payout(euros(800))
    async with connect(refuses={_PAYOUTS}) as (provider, book):
        said = [await provider.pay_out(refused)]
        book.refuses.clear()
        await provider.pay_out(fails)
        book.payouts[0]["status"] = "failed"
        said += [await provider.find_payout(fails), await provider.find_payout(fails), await provider.pay_out(refused)]

    assert said == [MovementStatus.FAILED] * 4
    assert book.done == [
        *(_TRANSFERS, "/v1/transfers/tr_0/reversals"),
        *(_TRANSFERS, _PAYOUTS, "/v1/transfers/tr_1/reversals"),
    ]


async def test_failed_payout_that_cannot_be_taken_back_is_said_aloud() -> None:
    order = a_payout(euros(900))
    async with connect(refuses={_PAYOUTS, "/v1/transfers/tr_0/reversals"}) as (provider, _):
        with pytest.raises(BooksDifferError):
            await provider.pay_out(order)


async def test_payout_id_of_another_amount_is_said_aloud() -> None:
    order = a_payout(euros(900))
    async with connect() as (provider, book):
        await provider.pay_out(order)
        with pytest.raises(BooksDifferError):
            await provider.pay_out(replace(order, amount=euros(901)))

    assert book.done == [_TRANSFERS, _PAYOUTS]


@pytest.mark.parametrize(
    "order",
    [
        replace(a_payout(euros(900)), destination=None),
        a_payout(euros(0).model_copy(update={"minor_units": 1_050, "currency": "HUF"})),
    ],
    ids=["no account", "no whole forints"],
)
async def test_payout_that_never_can_be_sent_fails_before_anything_moves(order: Any) -> None:
    async with connect() as (provider, book):
        said = await provider.pay_out(order)

    assert (said, book.done) == (MovementStatus.FAILED, [])


async def test_book_is_read_to_its_last_page_with_what_is_not_ours() -> None:
    charge = {"id": "ch_1", "amount": 2_000, "amount_captured": 1_500, "currency": "eur"}
    ours = {"tenant": "buyers", "operation_id": "p-1"}
    refund = {
        "id": "re_1",
        "status": "failed",
        "amount": 500,
        "currency": "eur",
        "metadata": {**ours, "refund_id": "r-1"},
    }
    dispute = {"id": "dp_1", "status": "lost", "amount": 100, "currency": "eur", "payment_intent": "pi_1"}
    lines = [
        {"type": "charge", "source": {**charge, "metadata": ours}},
        {"type": "stripe_fee", "source": None},
        {"type": "refund", "source": refund},
        {"type": "payment", "source": {"id": "py_1", "amount": 7, "currency": "eur"}},
        {"type": "adjustment", "reporting_category": "dispute", "source": dispute},
        {"type": "adjustment", "reporting_category": "dispute_reversal", "source": dispute},
    ]
    book_lines = [
        {"id": f"txn_{n}", "object": "balance_transaction", "created": 1_000, **x} for n, x in enumerate(lines)
    ]
    async with connect(page_size=2, lines=book_lines) as (provider, book):
        order = a_payout(euros(900))
        await provider.pay_out(order)
        book.lines.append({**book_lines[0], "id": "txn_9", "type": "transfer", "source": book.transfers[0]})
        book.lines.append({**book_lines[0], "id": "txn_late", "created": 1_001})
        since, until = datetime.fromtimestamp(999.5, UTC), datetime.fromtimestamp(1_001, UTC)
        told = [record async for record in provider.records(since=since, until=until)]

    shown = [(each.kind, each.tenant, each.operation_id, each.charge_id, each.amount, each.status) for each in told]
    done, pending, failed = MovementStatus.SUCCEEDED, MovementStatus.PENDING, MovementStatus.FAILED
    assert shown == [
        (RecordKind.CAPTURE, "buyers", "p-1", "p-1", euros(1_500), done),
        (RecordKind.REFUND, "buyers", "r-1", "p-1", euros(500), failed),
        (RecordKind.CAPTURE, "", "py_1", "py_1", euros(7), done),
        (RecordKind.DISPUTE, "buyers", "dp_1", "p-1", euros(100), done),
        (RecordKind.PAYOUT, "acme", order.payout_id, None, euros(900), pending),
    ]
