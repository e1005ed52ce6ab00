from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from payment_service.domain.refunds import RefundStatus as Stored
from platform_contracts import memo
from platform_contracts.analytics.record_events import RECORD_EVENTS
from platform_contracts.memo import Progress
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.refund import Refund, RefundStatus
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user.notification import WORKFLOW_TYPE as NOTIFICATION
from platform_contracts.user.notification import (
    Notification,
    NotificationInput,
    NotificationResult,
    notification_workflow_id,
)
from platform_runtime.sandbox import workflow_runner
from platform_runtime.workflow_calls import execute_workflow, start_workflow
from tests.fakes.analytics import InMemoryEvents
from tests.fakes.payment import euros
from tests.fakes.payment_refunds import FakeRefundProvider, RefundPorts, refund_input, refund_worker
from tests.support.waiting import eventually

WAIT = timedelta(seconds=60)


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_refund_is_paid_back_though_nobody_is_there_to_tell_of_it(
    client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = RefundPorts(provider=FakeRefundProvider(loses_answers=1))

    async with refund_worker(client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start_workflow(client, Refund.run, refund_input(buyer_id="ada"), task_queue=task_queue)
        result = await handle.result()

    assert (result.status, result.amount) == (RefundStatus.SUCCEEDED, euros(2_000))
    assert ports.provider.paid_back == ["r-1"]
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    assert progress == Progress(step="refunded", cancellable=False)
