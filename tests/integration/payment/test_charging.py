"""The activities on a real database and a real acquirer: both books agree, whatever happens at once or gets lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.activities.charges import ChargeActivities
from payment_service.domain.charges import ChargeCapturedError, ChargeUnresolvedError
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.tables import LEDGER_POSTINGS
from payment_service.ports import NoAnswerError
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.failures import PaymentFailure
from platform_runtime.database import Database
from tests.fakes.payment import authorise_request, charge_request
from tests.integration.sandbox.acquirer_process import journal

_MOST_ATTEMPTS = 25
EXPECTED = (NoAnswerError, ChargeCapturedError, ChargeUnresolvedError, ApplicationError)


@pytest.fixture
def operation_id() -> str:
    """Return the id of an operation that nobody else uses."""
    return f"p-{uuid4().hex[:12]}"


async def _run(activity: Callable[[Any], Awaitable[Any]], request: Any) -> str:
    """Return the status that an activity comes to, or the type of what it fails with."""
    try:
        result = await ActivityEnvironment().run(activity, request)
    except EXPECTED as failure:
        return failure.type or "" if isinstance(failure, ApplicationError) else type(failure).__name__
    return str(result.status)


async def _until_known(activity: Callable[[Any], Awaitable[Any]], request: Any) -> str:
    """Retry as Temporal would."""
    outcome = ""
    for _ in range(_MOST_ATTEMPTS):
        outcome = await _run(activity, request)
        if outcome not in {"unknown", NoAnswerError.__name__, ChargeUnresolvedError.__name__}:
            return outcome
        await asyncio.sleep(0.01)
    raise AssertionError(f"still {outcome} after {_MOST_ATTEMPTS} attempts")


async def _cleared(database: Database, operation_id: str) -> list[int]:
    """Return what the acquirer owes us for an operation, by the ledger."""
    query = select(LEDGER_POSTINGS.c.minor_units).where(
        LEDGER_POSTINGS.c.operation_id == operation_id, LEDGER_POSTINGS.c.account == "cash_clearing:acquirer"
    )
    async with database.read() as connection:
        return list((await connection.execute(query)).scalars())


async def _check_books(
    database: Database, book: httpx.AsyncClient, operation_ids: Sequence[str]
) -> dict[str, ChargeStatus]:
    """Make sure that both books say the same of each operation, and return what."""
    found: dict[str, ChargeStatus] = {}
    operations = {each["operation"]: each for each in (await book.get("/v1/book")).json()["operations"]}
    for operation_id in operation_ids:
        charge = await SqlCharges(database).find(tenant="buyers", operation_id=operation_id)
        assert charge is not None
        entry = operations[f"buyers.{operation_id}"]
        captures = [each["amountMinor"] for each in entry["journal"] if each["verb"] == "capture"]
        assert entry["status"] == charge.status
        assert captures == await _cleared(database, operation_id)
        assert len(captures) <= 1
        found[operation_id] = ChargeStatus(charge.status)
    return found


@pytest.mark.parametrize(
    ("token", "authorised", "captured"),
    [
        ("tok_ok", "authorised", "captured"),
        ("tok_declined", PaymentFailure.DECLINED, PaymentFailure.UNKNOWN_CHARGE),
        ("tok_slow", "authorised", "captured"),
        ("tok_500_before", "authorised", "captured"),
        ("tok_500_after", "authorised", "captured"),
        ("tok_hang_after", "authorised", "captured"),
        ("tok_capture_refused", "authorised", PaymentFailure.CAPTURE_REFUSED),
    ],
)
async def test_each_card_comes_to_its_end(
    activities: ChargeActivities,
    database: Database,
    book: httpx.AsyncClient,
    operation_id: str,
    token: str,
    authorised: str,
    captured: str,
) -> None:
    first = await _until_known(activities.authorise, authorise_request(operation_id, token=token))
    second = await _until_known(activities.capture, charge_request(operation_id))

    assert (first, second) == (authorised, captured)
    assert await _cleared(database, operation_id) == ([2_000] if captured == "captured" else [])
    assert (await journal(book, f"buyers.{operation_id}")).count("authorise") == (0 if token == "tok_declined" else 1)


async def test_hanging_acquirer_leaves_the_charge_unknown_once_the_patience_is_over(
    activities: ChargeActivities, operation_id: str
) -> None:
    request = authorise_request(operation_id, token="tok_hang_after")

    first = await _run(activities.authorise, request)
    resolved = await _run(activities.resolve_charge, charge_request(operation_id))

    assert (first, resolved) == ("unknown", "authorised")


async def test_of_many_at_once_at_most_one_captures_and_both_books_agree(
    activities: ChargeActivities, database: Database, book: httpx.AsyncClient, operation_id: str
) -> None:
    await _run(activities.authorise, authorise_request(operation_id))

    outcomes = await asyncio.gather(
        *(_run(activities.authorise, authorise_request(operation_id)) for _ in range(6)),
        *(_run(activities.capture, charge_request(operation_id)) for _ in range(7)),
        *(_run(activities.void, charge_request(operation_id)) for _ in range(7)),
    )

    status = (await _check_books(database, book, [operation_id]))[operation_id]
    assert status in {ChargeStatus.CAPTURED, ChargeStatus.VOIDED}
    ended_otherwise = "voided" if status is ChargeStatus.CAPTURED else "captured"
    assert ended_otherwise not in outcomes


async def test_void_that_overtakes_the_authorisation_wins(
    activities: ChargeActivities, database: Database, book: httpx.AsyncClient, operation_id: str
) -> None:
    await book.put("/v1/faults", json={"delaySeconds": 1.6})
    late = asyncio.create_task(_run(activities.authorise, authorise_request(operation_id)))
    await asyncio.sleep(0.5)
    await book.delete("/v1/faults")

    voided = await _run(activities.void, charge_request(operation_id))
    outcome = await late

    assert (voided, outcome) == ("voided", PaymentFailure.CHARGE_VOIDED)
    assert await journal(book, f"buyers.{operation_id}") == ["void"]
    assert await _check_books(database, book, [operation_id]) == {operation_id: ChargeStatus.VOIDED}


async def test_void_just_before_the_late_answer_leaves_nothing_reserved(
    activities: ChargeActivities, database: Database, book: httpx.AsyncClient, operation_id: str
) -> None:
    # Authorised at once, answered after 1.5 s: the attempt is still waiting when the void has come and gone.
    late = asyncio.create_task(_run(activities.authorise, authorise_request(operation_id, token="tok_slow")))
    await asyncio.sleep(0.3)

    voided = await _run(activities.void, charge_request(operation_id))
    outcome = await late

    assert (voided, outcome) == ("voided", PaymentFailure.CHARGE_VOIDED)
    assert await journal(book, f"buyers.{operation_id}") == ["authorise", "void"]
    assert await _check_books(database, book, [operation_id]) == {operation_id: ChargeStatus.VOIDED}


@pytest.mark.parametrize("seed", [7, 42])
async def test_both_books_agree_when_a_quarter_of_all_calls_goes_wrong(
    activities: ChargeActivities, database: Database, book: httpx.AsyncClient, seed: int
) -> None:
    await book.put("/v1/faults", json={"seed": seed, "rate": 0.25, "kinds": ["error"]})
    operation_ids = [f"p-{uuid4().hex[:12]}" for _ in range(24)]

    async def sell_or_void(number: int, operation_id: str) -> str:
        await _until_known(activities.authorise, authorise_request(operation_id))
        finish = activities.void if number % 3 == 0 else activities.capture
        return await _until_known(finish, charge_request(operation_id))

    outcomes = await asyncio.gather(*(sell_or_void(number, each) for number, each in enumerate(operation_ids)))

    found = await _check_books(database, book, operation_ids)
    assert list(found.values()) == outcomes
    assert outcomes.count("captured") == 16
