from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from payment_service.domain.charges import ChargeStatus as Stored
from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.charge_resolution import WORKFLOW_TYPE, ChargeResolution, ChargeResolutionInput
from platform_contracts.payment.failures import PaymentFailure
from platform_runtime.workflow_calls import execute_workflow, start_workflow
from tests.fakes.payment import FakeAcquirer, PaymentPorts, authorise_request, payment_worker
from tests.support.waiting import eventually

WAIT = timedelta(seconds=30)


def _resolution(*, within_seconds: float = 60) -> ChargeResolutionInput:
    return ChargeResolutionInput(
        tenant="buyers", operation_id="p-1", until=datetime.now(UTC) + timedelta(seconds=within_seconds)
    )


async def _unknown(acquirer: FakeAcquirer) -> PaymentPorts:
    """Return ports with one charge whose outcome is not known."""
    ports = PaymentPorts(acquirer=acquirer)
    result = await ActivityEnvironment().run(ports.charge_activities().authorise, authorise_request())
    assert result.status is ChargeStatus.UNKNOWN
    return ports


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_charge_whose_answer_was_lost_is_found_authorised(
    client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = await _unknown(FakeAcquirer(loses_answers=1))

    async with payment_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, ChargeResolution.run, _resolution(), task_queue=task_queue)
        result = await handle.result()

    assert result.status is ChargeStatus.AUTHORISED
    assert ports.acquirer.done == [("authorise", "p-1")]
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="resolved", cancellable=False)


async def test_acquirer_is_asked_until_it_answers(client: Client, task_queue: str) -> None:
    ports = await _unknown(FakeAcquirer(away_for=4))

    async with payment_worker(client, ports, task_queue=task_queue):
        result = await execute_workflow(client, ChargeResolution.run, _resolution(), task_queue=task_queue, wait=WAIT)

    assert result.status is ChargeStatus.AUTHORISED
    assert ports.acquirer.calls == ["authorise", "find", "find", "find", "find", "authorise"]


@pytest.mark.parametrize("status", [ChargeStatus.CAPTURED, ChargeStatus.VOIDED])
async def test_charge_is_what_the_acquirer_says(client: Client, task_queue: str, status: ChargeStatus) -> None:
    ports = await _unknown(FakeAcquirer(loses_answers=1))
    ports.acquirer.book["p-1"] = Stored(status)

    async with payment_worker(client, ports, task_queue=task_queue):
        result = await execute_workflow(client, ChargeResolution.run, _resolution(), task_queue=task_queue, wait=WAIT)

    assert result.status is status
    assert ports.charges.status_of("p-1") == status


async def test_charge_that_turns_out_declined_fails_by_its_own_type(client: Client, task_queue: str) -> None:
    ports = await _unknown(FakeAcquirer(declines=True, loses_answers=1))

    async with payment_worker(client, ports, task_queue=task_queue):
        with pytest.raises(WorkflowFailureError) as raised:
            await execute_workflow(client, ChargeResolution.run, _resolution(), task_queue=task_queue, wait=WAIT)

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == PaymentFailure.DECLINED


@pytest.mark.parametrize("within_seconds", [2, -1], ids=["soon", "past already"])
async def test_charge_stays_unknown_past_the_moment_up_to_which_an_answer_is_of_use(
    client: Client, task_queue: str, within_seconds: float
) -> None:
    ports = await _unknown(FakeAcquirer(away_for=1_000))

    async with payment_worker(client, ports, task_queue=task_queue):
        result = await execute_workflow(
            client,
            ChargeResolution.run,
            _resolution(within_seconds=within_seconds),
            task_queue=task_queue,
            wait=WAIT,
        )

    assert result.status is ChargeStatus.UNKNOWN
    assert ports.charges.status_of("p-1") is Stored.UNKNOWN


async def test_resolution_that_nobody_needs_any_more_is_cancelled(client: Client, task_queue: str) -> None:
    ports = await _unknown(FakeAcquirer(away_for=1_000))

    async with payment_worker(client, ports, task_queue=task_queue):
        handle = await start_workflow(client, ChargeResolution.run, _resolution(), task_queue=task_queue)

        async def is_asking() -> bool:
            return "find" in ports.acquirer.calls

        await eventually(is_asking, within_seconds=10)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_input_that_is_none_fails_instead_of_staying_open(client: Client, task_queue: str) -> None:
    async with payment_worker(client, PaymentPorts(), task_queue=task_queue):
        handle = await client.start_workflow(
            WORKFLOW_TYPE, {"tenant": "buyers"}, id=f"buyers:{task_queue}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "ValidationError"
