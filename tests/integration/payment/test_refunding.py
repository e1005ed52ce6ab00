"""Refunds on a real database and a real acquirer: both books agree, whatever gets lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import ChargeActivities
from payment_service.activities.refunds import RefundActivities, SettleRefund
from payment_service.domain.charges import ChargeUnresolvedError
from payment_service.domain.refunds import RefundUnresolvedError
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.refunds import SqlRefunds
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS
from payment_service.ports import NoAnswerError
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.refund import RefundInput
from platform_runtime.database import Database
from tests.fakes.payment import authorise_request, charge_request, euros

_MOST_ATTEMPTS = 60


@pytest.fixture
def refunds(database: Database, acquirer: HttpCardAcquirer) -> RefundActivities:
    return RefundActivities(SqlRefunds(database), acquirer)


@pytest.fixture
def charge_id() -> str:
    return f"p-{uuid4().hex[:12]}"


async def _run(activity: Callable[[Any], Awaitable[Any]], request: Any) -> str:
    """Return the status that an activity comes to, tried again as Temporal would, or what it fails with for good."""
    for _ in range(_MOST_ATTEMPTS):
        try:
            result = await ActivityEnvironment().run(activity, request)
        except (NoAnswerError, ChargeUnresolvedError, RefundUnresolvedError):
            await asyncio.sleep(0.02)
            continue
        except ApplicationError as failure:
            return failure.type or ""
        if result.status != "unknown":
            return str(result.status)
    raise AssertionError(f"nothing came of it in {_MOST_ATTEMPTS} attempts")


async def _refund(refunds: RefundActivities, charge_id: str, refund_id: str, *, amount: int | None = None) -> str:
    request = RefundInput(
        tenant="buyers",
        refund_id=refund_id,
        charge_id=charge_id,
        amount=None if amount is None else euros(amount),
        reason="broken",
    )
    asked = await _run(refunds.request_refund, request)
    if asked != "requested":
        return asked
    return await _run(refunds.settle_refund, SettleRefund(tenant="buyers", refund_id=refund_id))


async def _given_back(book: httpx.AsyncClient, charge_id: str) -> int:
    """Return what the acquirer says that it has given back."""
    return sum(
        [
            record["amountMinor"]
            async for record in _records(book)
            if record["kind"] == "refund"
            and record["operation"] == f"buyers.{charge_id}"
            and record["status"] == "succeeded"
        ]
    )


async def _records(book: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """Yield every record of the acquirer, whose book other tests have filled by more than one page."""
    query = {"limit": "200"}
    while True:
        answer = (await book.get("/v1/records", params=query)).raise_for_status().json()
        for record in answer["records"]:
            yield record
        if answer["cursor"] is None:
            return
        query["cursor"] = answer["cursor"]


async def _cleared(database: Database, charge_id: str, *refund_ids: str) -> int:
    """Return what the acquirer owes us for a charge and its refunds, by the ledger."""
    query = select(func.sum(LEDGER_POSTINGS.c.minor_units)).where(
        LEDGER_POSTINGS.c.operation_id.in_([charge_id, *refund_ids]),
        LEDGER_POSTINGS.c.account == "cash_clearing:acquirer",
        LEDGER_POSTINGS.c.phase == "posted",
    )
    async with database.read() as connection:
        return int((await connection.execute(query)).scalar_one() or 0)


@pytest.mark.parametrize("seed", [7, 42])
async def test_both_books_agree_when_a_quarter_of_all_calls_goes_wrong(
    activities: ChargeActivities,
    refunds: RefundActivities,
    database: Database,
    book: httpx.AsyncClient,
    charge_id: str,
    seed: int,
) -> None:
    await _run(activities.authorise, authorise_request(charge_id))
    await _run(activities.capture, charge_request(charge_id))
    await book.put("/v1/faults", json={"seed": seed, "rate": 0.25, "doneButLostShare": 0.5, "kinds": ["error"]})
    ids = [f"r-{charge_id}-{number}" for number in range(5)]

    outcomes = await asyncio.gather(*(_refund(refunds, charge_id, refund_id, amount=450) for refund_id in ids))
    await book.delete("/v1/faults")

    assert sorted(outcomes) == [PaymentFailure.REFUND_EXCEEDS, *["succeeded"] * 4]
    assert await _given_back(book, charge_id) == 1_800
    assert await _cleared(database, charge_id, *ids) == 200


@pytest.mark.parametrize(
    ("token", "outcome", "cleared"), [("tok_ok", "succeeded", 0), ("tok_refund_failed", "failed", 2_000)]
)
async def test_refund_of_each_card_comes_to_its_end(
    activities: ChargeActivities,
    refunds: RefundActivities,
    database: Database,
    charge_id: str,
    token: str,
    outcome: str,
    cleared: int,
) -> None:
    await _run(activities.authorise, authorise_request(charge_id, token=token))
    await _run(activities.capture, charge_request(charge_id))

    found = await _refund(refunds, charge_id, f"r-{charge_id}")

    assert found == outcome
    assert await _cleared(database, charge_id, f"r-{charge_id}") == cleared


async def test_part_that_is_captured_is_all_that_is_given_back(
    activities: ChargeActivities, refunds: RefundActivities, database: Database, book: httpx.AsyncClient, charge_id: str
) -> None:
    await _run(activities.authorise, authorise_request(charge_id))

    captured = await _run(activities.capture, charge_request(charge_id, amount=801))
    refunded = await _refund(refunds, charge_id, f"r-{charge_id}")

    assert (captured, refunded) == ("captured", "succeeded")
    assert await _given_back(book, charge_id) == 801
    assert await _cleared(database, charge_id, f"r-{charge_id}") == 0


async def test_void_leaves_no_charge_unknown_once_the_acquirer_is_there_again(
    activities: ChargeActivities, database: Database, book: httpx.AsyncClient, charge_id: str
) -> None:
    ids = [f"{charge_id}-{number}" for number in range(12)]
    await book.put("/v1/faults", json={"seed": 3, "rate": 1, "doneButLostShare": 0.5, "kinds": ["error"]})
    for operation_id in ids:
        result = await ActivityEnvironment().run(activities.authorise, authorise_request(operation_id))
        assert result.status == "unknown"
    await book.delete("/v1/faults")

    outcomes = {await _run(activities.void, charge_request(operation_id)) for operation_id in ids}

    assert outcomes == {"voided"}
    async with database.read() as connection:
        statuses = (await connection.execute(select(CHARGES.c.status).distinct())).scalars().all()
    assert statuses == ["voided"]
    assert await SqlCharges(database).find(tenant="buyers", operation_id=ids[0]) is not None
