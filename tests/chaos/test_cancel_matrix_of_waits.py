"""A purchase is cancelled wherever it waits for something else than a step: it ends true, and the books tell the same.

A step is an activity, which `test_cancel_matrix` has. Here are the starts of other workflows, the waits for people and
for handlers, and the check that the two together name every place where a purchase waits.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateHandle, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from listing_service.workflows import purchase
from platform_contracts.listing.purchase import PURCHASE_CANCELLED, CompensationResolution, Purchase, PurchaseResult
from platform_contracts.payment.failures import PaymentFailure
from tests.chaos.test_cancel_matrix import BEFORE_THE_PIVOT, COMPENSATIONS, MOMENTS, PAST_THE_PIVOT
from tests.support.gates import Moment
from tests.support.marketplace import Marketplace, marketplace, workflow_id_of
from tests.support.purchase_ways import CHARGE_VOID, STARTS, bought, moment_of_cancel, voided
from tests.support.waiting import eventually
from tests.support.workflow_gates import HANDLERS_MAY_FINISH, SLOW

REACHED_WITHIN_SECONDS = 20

VOID_PICK_UP = timedelta(seconds=0.3)
"""Instead of the 10 s that nobody wants to wait for here."""

STUCK = "Saga._undo.<locals>.<lambda>"
UNDOING = "Task.done"
OUTCOME = "PurchaseWorkflow.outcome.<locals>.<lambda>"
HANDLERS = "all_handlers_finished"
WAITS = {HANDLERS, STUCK, OUTCOME, UNDOING}
"""The conditions that a purchase waits for. It waits for `UNDOING` during each of the compensations."""

NOT_WAITED_FOR = {
    "complete_workflow_execution",
    "fail_workflow_execution",
    "modify_workflow_properties",
    "update_response",
    # The other end of the wait for a compensation, which is then called stuck.
    "timer of 60 s",
    "cancel_timer",
}

Waits = defaultdict[str, set[str]]


@pytest.fixture(scope="module")
async def market(
    temporal_server: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Marketplace]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(purchase, "_VOID_PICK_UP", VOID_PICK_UP)
        # Outside the sandbox, which would load the purchase's module again, with the ten seconds.
        async with marketplace(temporal_server, tmp_path_factory.mktemp("market"), sandboxed=False) as running:
            yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """The conditions that each workflow has waited for, by workflow id."""
    seen: Waits = defaultdict(set)
    wait_condition = workflow.wait_condition

    async def noted(fn: Callable[[], bool], *, timeout: timedelta | float | None = None) -> None:  # noqa: ASYNC109
        seen[workflow.info().workflow_id].add(fn.__qualname__)
        await wait_condition(fn, timeout=timeout)

    monkeypatch.setattr(workflow, "wait_condition", noted)
    return seen


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("child", STARTS)
async def test_cancel_at_the_start_of_another_workflow(market: Marketplace, child: str, moment: Moment) -> None:
    purchase_id = _new_id()
    workflow_id = workflow_id_of(purchase_id)
    if moment is Moment.AFTER:
        task = market.tasks.hold(workflow_id, hears_start_of=child)
    else:
        task = market.tasks.hold(workflow_id, sends=child)

    async with bought(market, purchase_id, STARTS[child]):
        await asyncio.wait_for(task.reached.wait(), REACHED_WITHIN_SECONDS)
        await market.cancel(purchase_id)
        if moment is Moment.DURING:
            # The server has the cancel, and writes it behind what the task asks for: before the start is done.
            task.complete()
        else:
            task.lose()
        status = await market.ended(purchase_id)

    if child == CHARGE_VOID:
        await voided(market, purchase_id)
    assert await moment_of_cancel(market, purchase_id, child=child) is moment
    assert status == STARTS[child].status
    assert await market.differences() == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("token", "last_step", "end", "status"),
    [
        ("tok_ok", "analytics.record_events", "complete_workflow_execution", "COMPLETED"),
        ("tok_declined", "listing.release", "fail_workflow_execution", "FAILED"),
    ],
)
async def test_cancel_while_it_waits_for_handlers(
    market: Marketplace, waits: Waits, token: str, last_step: str, end: str, status: str, moment: Moment
) -> None:
    purchase_id = _new_id()
    workflow_id = workflow_id_of(purchase_id)
    gate = market.gates.hold(last_step, Moment.AFTER, workflow_id=workflow_id)
    await market.buy(token=token, purchase_id=purchase_id)
    outcome = await _asked(market, purchase_id, slow=True)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)

    if moment is Moment.BEFORE:
        await _cancelled(market, purchase_id)
    gate.opened.set()
    await eventually(lambda: _waits_for_handlers(waits, workflow_id), within_seconds=REACHED_WITHIN_SECONDS)
    if moment is Moment.DURING:
        await _cancelled(market, purchase_id)
    still = await market.status(purchase_id)
    task = market.tasks.hold(workflow_id, sends=end) if moment is Moment.AFTER else None
    await market.purchases[purchase_id].signal(HANDLERS_MAY_FINISH)
    if task is not None:
        await asyncio.wait_for(task.reached.wait(), REACHED_WITHIN_SECONDS)
        await market.cancel(purchase_id)
        task.complete()

    assert still == "RUNNING"
    assert await market.ended(purchase_id) == status
    assert await _answer(outcome) == ("captured" if status == "COMPLETED" else PaymentFailure.DECLINED)
    assert "WORKFLOW_EXECUTION_CANCEL_REQUESTED" in await market.story(purchase_id)
    assert await market.differences() == []


@pytest.mark.parametrize("moment", MOMENTS)
async def test_cancel_while_a_stuck_compensation_waits_for_an_operator(
    market: Marketplace, waits: Waits, moment: Moment
) -> None:
    purchase_id = _new_id()
    workflow_id = workflow_id_of(purchase_id)
    market.gates.hold("payment.void", Moment.REFUSED, workflow_id=workflow_id)
    gate = market.gates.hold("payment.void", Moment.AFTER, workflow_id=workflow_id)
    following = market.gates.hold("listing.release", Moment.BEFORE, workflow_id=workflow_id)
    await market.buy(token="tok_declined", purchase_id=purchase_id)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)

    if moment is Moment.BEFORE:
        await _cancelled(market, purchase_id)
    gate.opened.set()
    await eventually(lambda: _is_stuck(waits, workflow_id), within_seconds=REACHED_WITHIN_SECONDS)
    if moment is Moment.DURING:
        await _cancelled(market, purchase_id)
    await _resolved(market, purchase_id)
    await asyncio.wait_for(following.reached.wait(), REACHED_WITHIN_SECONDS)
    if moment is Moment.AFTER:
        await _cancelled(market, purchase_id)
    following.opened.set()

    assert await market.ended(purchase_id) == "FAILED"
    assert await market.differences() == []


@pytest.mark.parametrize("moment", MOMENTS)
async def test_cancel_while_somebody_waits_for_the_outcome(market: Marketplace, moment: Moment) -> None:
    purchase_id = _new_id()
    step = "analytics.record_events" if moment is Moment.AFTER else "payment.authorise"
    gate = market.gates.hold(step, Moment.BEFORE, workflow_id=workflow_id_of(purchase_id))
    await market.buy(purchase_id=purchase_id)
    await asyncio.wait_for(gate.reached.wait(), REACHED_WITHIN_SECONDS)

    if moment is Moment.BEFORE:
        await _cancelled(market, purchase_id)
    outcome = await _asked(market, purchase_id)
    if moment is Moment.AFTER:
        await _answer(outcome)
    if moment is not Moment.BEFORE:
        await _cancelled(market, purchase_id)
    gate.opened.set()

    assert await _answer(outcome) == ("captured" if moment is Moment.AFTER else PURCHASE_CANCELLED)
    assert await market.ended(purchase_id) == ("COMPLETED" if moment is Moment.AFTER else "CANCELED")
    assert await market.differences() == []


async def test_the_matrix_names_every_place_where_a_purchase_waits(market: Marketplace, waits: Waits) -> None:
    steps = {*BEFORE_THE_PIVOT, *PAST_THE_PIVOT, *(step for step, _ in COMPENSATIONS)}

    purchases = [_new_id() for _ in STARTS]
    for purchase_id, (child, way) in zip(purchases, STARTS.items(), strict=True):
        async with bought(market, purchase_id, way):
            await market.ended(purchase_id)
        if child == CHARGE_VOID:
            await voided(market, purchase_id)
    purchases.append(stuck := _new_id())
    market.gates.hold("payment.void", Moment.REFUSED, workflow_id=workflow_id_of(stuck))
    await market.buy(token="tok_declined", purchase_id=stuck)
    await eventually(lambda: _is_stuck(waits, workflow_id_of(stuck)), within_seconds=REACHED_WITHIN_SECONDS)
    await _asked(market, stuck)
    await _resolved(market, stuck)
    await market.ended(stuck)

    sent = set[str]().union(*(market.tasks.sent[workflow_id_of(each)] for each in purchases))
    assert sent - NOT_WAITED_FOR == steps | STARTS.keys(), "give what is new its cases: before, during and after"
    assert set[str]().union(*(waits[workflow_id_of(each)] for each in purchases)) == WAITS


def _new_id() -> str:
    return f"p-{uuid4().hex[:10]}"


async def _cancelled(market: Marketplace, purchase_id: str) -> None:
    """Cancel a purchase, and return once its code has seen the cancel."""
    await market.cancel(purchase_id)

    async def seen() -> bool:
        story = await market.story(purchase_id)
        return "WORKFLOW_TASK_COMPLETED" in story[story.index("WORKFLOW_EXECUTION_CANCEL_REQUESTED") :]

    await eventually(seen, within_seconds=REACHED_WITHIN_SECONDS)


async def _asked(market: Marketplace, purchase_id: str, *, slow: bool = False) -> WorkflowUpdateHandle[PurchaseResult]:
    """Ask for the outcome, and return once the purchase has the question."""
    return await market.purchases[purchase_id].start_update(  # pyright: ignore[reportUnknownMemberType]
        Purchase.outcome, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id=f"{SLOW if slow else ''}{uuid4().hex}"
    )


async def _answer(outcome: WorkflowUpdateHandle[PurchaseResult]) -> str:
    try:
        return str((await asyncio.wait_for(outcome.result(), REACHED_WITHIN_SECONDS)).status)
    except WorkflowUpdateFailedError as failed:
        return failed.cause.type or "" if isinstance(failed.cause, ApplicationError) else repr(failed.cause)


async def _resolved(market: Marketplace, purchase_id: str) -> None:
    await market.purchases[purchase_id].execute_update(  # pyright: ignore[reportUnknownMemberType]
        Purchase.resolve_compensation, CompensationResolution(operator_id="grace", note="voided by telephone")
    )


async def _waits_for_handlers(waits: Waits, workflow_id: str) -> bool:
    return HANDLERS in waits[workflow_id]


async def _is_stuck(waits: Waits, workflow_id: str) -> bool:
    return STUCK in waits[workflow_id]
