"""A purchase that is terminated leaves no money behind: within two reconciliations every book tells the same."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import create_engine, text
from temporalio.testing import WorkflowEnvironment

from platform_contracts.payment.reconciliation import ReconciliationResult
from tests.support.gates import Gate, Moment
from tests.support.marketplace import TENANT, Marketplace, marketplace, workflow_id_of

REACHED_WITHIN_SECONDS = 20


@pytest.fixture(scope="module")
async def market(
    temporal_server: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Marketplace]:
    async with marketplace(
        temporal_server, tmp_path_factory.mktemp("market"), orphan_after_seconds=0, settling_seconds=0
    ) as running:
        yield running


async def _terminated_at(market: Marketplace, step: str, moment: Moment, purchase_id: str) -> Gate:
    """Terminate a purchase while it is held at a step, and return the gate that holds this one up."""
    gate = market.gates.hold(step, moment, workflow_id=workflow_id_of(purchase_id))
    await market.buy(purchase_id=purchase_id)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)
    await market.purchases[purchase_id].terminate("a drill")
    assert await market.ended(purchase_id) == "TERMINATED"
    return gate


async def _reconciled_twice(market: Marketplace) -> ReconciliationResult:
    await market.reconcile()
    return await market.reconcile()


def _net(market: Marketplace, purchase_id: str) -> int:
    """Return what the ledger says that the acquirer still owes us for a purchase and its refunds."""
    engine = create_engine(market.books.payment)
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT coalesce(sum(p.minor_units), 0) FROM ledger_postings p JOIN ledger_transactions t"
                " ON t.tenant = p.tenant AND t.operation_id = p.operation_id AND t.kind = p.kind"
                " WHERE p.account = 'cash_clearing:acquirer' AND t.tenant = :tenant AND t.charge_id = :charge"
            ),
            {"tenant": TENANT, "charge": purchase_id},
        ).scalar_one()
    engine.dispose()
    return int(found)


async def _at_acquirer(market: Marketplace, purchase_id: str) -> tuple[str, list[tuple[str, int]]]:
    book = (await market.acquirer.get("/v1/book", params={"tenant": TENANT})).json()
    (operation,) = [each for each in book["operations"] if each["operation"] == f"{TENANT}.{purchase_id}"]
    return operation["status"], [(refund["status"], refund["amountMinor"]) for refund in operation["refunds"]]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("step", "moment"), [("payment.capture", Moment.AFTER), ("listing.sell", Moment.BEFORE)])
async def test_purchase_terminated_after_its_capture_is_given_back(
    market: Marketplace, step: str, moment: Moment
) -> None:
    purchase_id = f"orphan-of-{step.replace('.', '-')}"
    gate = await _terminated_at(market, step, moment, purchase_id)

    await _reconciled_twice(market)

    assert await _at_acquirer(market, purchase_id) == ("captured", [("succeeded", 1250)])
    assert _net(market, purchase_id) == 0
    # What was held up comes too late to sell it.
    gate.opened.set()
    assert await market.differences() == []


@pytest.mark.timeout(180)
async def test_purchase_terminated_before_its_capture_is_voided(market: Marketplace) -> None:
    purchase_id = "orphan-that-is-reserved"
    (await _terminated_at(market, "payment.authorise", Moment.AFTER, purchase_id)).opened.set()

    await _reconciled_twice(market)

    assert await _at_acquirer(market, purchase_id) == ("voided", [])
    assert await market.differences() == []


@pytest.mark.timeout(180)
async def test_purchase_terminated_once_it_is_sold_stays_paid(market: Marketplace) -> None:
    purchase_id = "sold-and-terminated"
    (await _terminated_at(market, "listing.sell", Moment.AFTER, purchase_id)).opened.set()

    await _reconciled_twice(market)
    third = await market.reconcile()

    assert await _at_acquirer(market, purchase_id) == ("captured", [])
    assert _net(market, purchase_id) == 1250
    assert third.orphans_asked == 0
    market.purchases.pop(purchase_id)


@pytest.mark.timeout(180)
async def test_purchase_that_is_still_open_is_left_alone(market: Marketplace) -> None:
    purchase_id = "open"
    gate = market.gates.hold("listing.confirm", Moment.BEFORE, workflow_id=workflow_id_of(purchase_id))
    await market.buy(purchase_id=purchase_id)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)

    found = await _reconciled_twice(market)
    status, _ = await _at_acquirer(market, purchase_id)
    gate.opened.set()

    assert (status, found.orphans_asked, found.orphans_settled) == ("authorised", 1, 0)
    assert await market.ended(purchase_id) == "COMPLETED"
    assert _net(market, purchase_id) == 1250


@pytest.mark.timeout(180)
async def test_books_of_acquirer_and_ledger_are_found_equal(market: Marketplace) -> None:
    purchase_id = await market.buy()
    assert await market.ended(purchase_id) == "COMPLETED"

    found = await _reconciled_twice(market)

    assert (found.missing, found.extra, found.mismatched, found.ledger_differences) == (0, 0, 0, 0)
