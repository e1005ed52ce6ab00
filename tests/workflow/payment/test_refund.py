"""A refund comes to its end whatever is silent, cancelled or away, and is told of without depending on that."""

from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from payment_service.domain.refunds import RefundStatus as Stored
from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.refund import WORKFLOW_TYPE, Refund, RefundInput, RefundResult, RefundStatus
from platform_contracts.user.notification import notification_workflow_id
from platform_runtime.workflow_calls import start_workflow
from tests.fakes.payment import euros
from tests.fakes.payment_refunds import FakeRefundProvider, RefundPorts, refund_input, refund_worker
from tests.support.waiting import eventually


def _refund(*, amount: int | None = None) -> RefundInput:
    return refund_input(f"r-{uuid4().hex[:12]}", amount=amount, buyer_id="ada")


async def _start(client: Client, refund: RefundInput, task_queue: str) -> WorkflowHandle[Refund, RefundResult]:
    return await start_workflow(client, Refund.run, refund, task_queue=task_queue)


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_refund_is_paid_back_once_and_told_of(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = RefundPorts(provider=FakeRefundProvider(loses_answers=1))
    refund = _refund(amount=500)

    async with refund_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await _start(own_client, refund, task_queue)
        result = await handle.result()

    assert (result.status, result.amount) == (RefundStatus.SUCCEEDED, euros(500))
    assert ports.provider.paid_back == [refund.refund_id]
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="refunded", cancellable=False)
    assert ports.analytics is not None
    assert [(event.type, event.subject_id) for event in ports.analytics.events] == [
        ("payment.refunded", refund.refund_id)
    ]
    told = own_client.get_workflow_handle(
        notification_workflow_id(tenant="buyers", notification_id=f"refund-buyers-{refund.refund_id}")
    )
    assert (await told.describe()).status is WorkflowExecutionStatus.RUNNING
    await told.terminate()


async def test_nobody_who_counts_or_is_told_holds_a_refund(own_client: Client, task_queue: str) -> None:
    ports = RefundPorts(analytics=None)
    refund = _refund()

    async with refund_worker(own_client, ports, task_queue=task_queue):
        handle = await _start(own_client, refund, task_queue)

        async def is_settled() -> bool:
            return ports.refunds.rows[refund.refund_id].status is Stored.SUCCEEDED

        await eventually(is_settled, within_seconds=10)
        result = await handle.result()

    assert result.status is RefundStatus.SUCCEEDED


async def test_refund_outlives_a_cancel(own_client: Client, task_queue: str) -> None:
    ports = RefundPorts(provider=FakeRefundProvider(away_for=2))
    refund = _refund()

    async with refund_worker(own_client, ports, task_queue=task_queue):
        handle = await _start(own_client, refund, task_queue)

        async def is_asking() -> bool:
            return "find_refund" in ports.provider.calls

        await eventually(is_asking, within_seconds=20)
        await handle.cancel()
        result = await handle.result()

    assert result.status is RefundStatus.SUCCEEDED
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


@pytest.mark.parametrize(
    ("ports", "amount", "failure"),
    [
        (RefundPorts(), 2_001, PaymentFailure.REFUND_EXCEEDS),
        (RefundPorts(provider=FakeRefundProvider(fails=True)), None, PaymentFailure.REFUND_FAILED),
    ],
    ids=["too much", "failed"],
)
async def test_refund_that_cannot_be_fails_by_its_own_type(
    own_client: Client, task_queue: str, ports: RefundPorts, amount: int | None, failure: PaymentFailure
) -> None:
    async with refund_worker(own_client, ports, task_queue=task_queue):
        handle = await _start(own_client, _refund(amount=amount), task_queue)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    cause = raised.value.cause
    bottom = cause if isinstance(cause, ApplicationError) else getattr(cause, "cause", None)
    assert isinstance(bottom, ApplicationError)
    assert bottom.type == failure
    assert ports.analytics is not None
    assert ports.analytics.events == []


async def test_input_that_is_none_fails_instead_of_staying_open(own_client: Client, task_queue: str) -> None:
    async with refund_worker(own_client, RefundPorts(), task_queue=task_queue):
        handle = await own_client.start_workflow(
            WORKFLOW_TYPE, {"tenant": "buyers"}, id=f"buyers:{task_queue}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "ValidationError"
