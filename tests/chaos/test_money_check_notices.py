"""The check of the books turns red on each of five well-known mistakes, so its green means something."""

# A mistake reaches into what it breaks.
# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update
from temporalio import activity
from temporalio.exceptions import FailureError
from temporalio.testing import WorkflowEnvironment

import listing_service.workflows.purchase as purchase_module
import payment_service.providers.card_acquirer as acquirer_module
from listing_service.domain.purchases import PurchaseState
from listing_service.persistence.purchases import SqlPurchases
from listing_service.persistence.tables import LISTINGS
from payment_service.activities.charges import ChargeActivities
from platform_contracts.payment.charge import VOID, ChargeRequest, ChargeResult, ChargeStatus
from platform_contracts.payment.refund import Refund, RefundInput, refund_workflow_id
from platform_contracts.task_queues import TaskQueue
from platform_workflow_tools.saga import Saga
from tests.support.gates import Moment
from tests.support.marketplace import LISTING, PRICE, TENANT, Marketplace, marketplace, workflow_id_of

REACHED_WITHIN_SECONDS = 20
ENDED_WITHIN_SECONDS = 5

Mistake = Callable[[pytest.MonkeyPatch], None]


class UndoRegisteredAfterTheStep(Saga):
    """The textbook's order: a step that failed, but happened, is never undone."""

    async def step(self, name: str, do: Any, *, undo: Any = None) -> Any:
        """Register the undo once the step has come back."""
        outcome = await super().step(name, do)
        if undo is not None:
            self._undos.append((name, undo))
        return outcome


class UnshieldedCompensation(Saga):
    """The textbook's other half: a cancel that comes during the compensation ends it."""

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo, unless somebody cancels meanwhile."""
        if isinstance(failure, FailureError | asyncio.CancelledError):
            await self._compensate()


def undo_after_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purchase_module, "Saga", UndoRegisteredAfterTheStep)


def unshielded_compensation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purchase_module, "Saga", UnshieldedCompensation)


def new_key_for_each_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt is another operation to the acquirer."""

    def operation_path(tenant: str, operation_id: str) -> str:
        return f"/v1/operations/{tenant}.{operation_id}~{uuid4().hex}"

    def idempotency_key(verb: str, **_names: str) -> str:
        return f"{verb}:{uuid4().hex}"

    monkeypatch.setattr(acquirer_module, "operation_path", operation_path)
    monkeypatch.setattr(acquirer_module, "idempotency_key", idempotency_key)


def void_only_with_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """No record of an authorisation is taken for proof that there is none."""
    honest = ChargeActivities.void

    async def void(self: ChargeActivities, request: ChargeRequest) -> ChargeResult:
        charge = await self._charges.find(tenant=request.tenant, operation_id=request.operation_id)
        if charge is None or charge.status.value != "authorised":
            return ChargeResult(operation_id=request.operation_id, status=ChargeStatus.VOIDED)
        return await honest(self, request)

    monkeypatch.setattr(ChargeActivities, "void", activity.defn(name=VOID.name)(void))


def hold_released_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeated release gives the stock back again."""
    honest = SqlPurchases.release

    async def release(self: SqlPurchases, *, tenant: str, purchase_id: str, failure: str | None) -> PurchaseState:
        state = await honest(self, tenant=tenant, purchase_id=purchase_id, failure=failure)
        if purchase_id in _released:
            async with self._database.write() as connection:
                await connection.execute(
                    update(LISTINGS)
                    .where(LISTINGS.c.tenant == TENANT, LISTINGS.c.listing_id == LISTING)
                    .values(available=LISTINGS.c.available + 1, held=LISTINGS.c.held - 1)
                )
        _released.add(purchase_id)
        return state

    _released: set[str] = set()
    monkeypatch.setattr(SqlPurchases, "release", release)


async def _cancelled_in_compensation(market: Marketplace) -> None:
    purchase_id = "p-compensating"
    gate = market.gates.hold("payment.void", Moment.BEFORE, workflow_id=workflow_id_of(purchase_id))
    await market.buy(purchase_id=purchase_id, token="tok_capture_refused")
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)
    await market.cancel(purchase_id)
    await asyncio.sleep(0.2)
    gate.opened.set()


async def _answer_is_lost(market: Marketplace) -> None:
    await market.buy(token="tok_500_after")


async def _never_resolved(market: Marketplace) -> None:
    """The charge is authorised, every answer is lost until the hold is nearly over, and then the acquirer behaves."""
    await market.fault(rate=1.0, doneButLostShare=1.0, kinds=["error"])
    await market.buy()
    await asyncio.sleep(2.5)
    await market.fault()


async def _release_is_repeated(market: Marketplace) -> None:
    other = "p-other"
    gate = market.gates.hold("payment.authorise", Moment.BEFORE, workflow_id=workflow_id_of(other))
    await market.buy(purchase_id=other)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)
    purchase_id = "p-released"
    market.gates.hold("listing.release", Moment.LOST, workflow_id=workflow_id_of(purchase_id))
    await market.buy(purchase_id=purchase_id, token="tok_declined")
    await market.ended(purchase_id)
    gate.opened.set()


Scenario = Callable[[Marketplace], Coroutine[Any, Any, None]]
CASES: dict[str, tuple[Mistake, Scenario]] = {
    "undo registered after the step": (undo_after_the_step, _never_resolved),
    "compensation unshielded": (unshielded_compensation, _cancelled_in_compensation),
    "a new provider key for each attempt": (new_key_for_each_attempt, _answer_is_lost),
    "void only with a local record": (void_only_with_a_record, _never_resolved),
    "hold released twice": (hold_released_twice, _release_is_repeated),
}


@pytest.fixture
async def market(
    temporal_server: WorkflowEnvironment, tmp_path: Path, mistake: Mistake | None, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Marketplace]:
    if mistake is not None:
        mistake(monkeypatch)
    # Outside the sandbox, which would load the honest modules again.
    async with marketplace(temporal_server, tmp_path, hold_seconds=3, sandboxed=False) as running:
        yield running


@pytest.mark.parametrize(("mistake", "scenario"), CASES.values(), ids=CASES.keys())
async def test_the_mistake_is_noticed(market: Marketplace, scenario: Scenario) -> None:
    await scenario(market)

    assert await market.differences(within_seconds=ENDED_WITHIN_SECONDS) != []


@pytest.mark.parametrize(
    ("mistake", "scenario"),
    [(None, scenario) for scenario in dict.fromkeys(scenario for _, scenario in CASES.values())],
    ids=lambda value: getattr(value, "__name__", "honest"),
)
async def test_the_honest_platform_stays_green_in_the_same_scenario(market: Marketplace, scenario: Scenario) -> None:
    await scenario(market)

    assert await market.differences() == []


async def _sold(market: Marketplace) -> str:
    purchase_id = await market.buy()
    assert await market.ended(purchase_id) == "COMPLETED"
    return purchase_id


async def _at_the_acquirer(market: Marketplace, path: str, **body: object) -> None:
    (await market.acquirer.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": path})).raise_for_status()


@pytest.mark.parametrize("mistake", [None])
async def test_refund_that_both_books_know_is_no_difference(market: Marketplace) -> None:
    purchase_id = await _sold(market)

    for number, minor_units in enumerate((100, 7)):
        await market.client.execute_workflow(
            Refund.run,
            RefundInput(
                tenant=TENANT,
                refund_id=f"r-{number}",
                charge_id=purchase_id,
                amount=PRICE.model_copy(update={"minor_units": minor_units}),
                reason="scratched",
            ),
            id=refund_workflow_id(tenant=TENANT, refund_id=f"r-{number}"),
            task_queue=TaskQueue.PAYMENT,
        )

    assert await market.differences() == []


@pytest.mark.parametrize("mistake", [None])
async def test_refund_and_payout_that_the_acquirer_alone_knows_are_noticed(market: Marketplace) -> None:
    purchase_id = await _sold(market)
    await _at_the_acquirer(market, f"operations/{TENANT}.{purchase_id}/refunds/r-1", amountMinor=100)
    await _at_the_acquirer(market, f"payouts/{TENANT}.po-1", partner=TENANT, amountMinor=5, currency="EUR")

    found = await market.differences()

    price = PRICE.minor_units
    assert sorted(found) == [
        f"{purchase_id} (COMPLETED): the acquirer keeps {price - 100}, the ledger says {price}",
        "payout po-1: the acquirer sent 5, the ledger says 0",
    ]
