"""A workflow that keeps the contract of refunds and does what a test wants, by the reason that it is given."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from platform_contracts.money import Money
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.payment.refund import WORKFLOW_TYPE, Refund, RefundInput, RefundResult, RefundStatus
from platform_contracts.task_queues import TaskQueue
from tests.gateway.stubs import SECRET_TEXT

FAILURES_BY_REASON = {
    "uncaptured": PaymentFailure.NOT_CAPTURED,
    "too much": PaymentFailure.REFUND_EXCEEDS,
    "odd": PaymentFailure.INVALID_REFUND,
    "refused": PaymentFailure.REFUND_FAILED,
}


@workflow.defn(name=WORKFLOW_TYPE)
class RefundStub(Refund):
    @workflow.run
    async def run(self, refund: RefundInput) -> RefundResult:
        if refund.reason in FAILURES_BY_REASON:
            raise ApplicationError(SECRET_TEXT, type=FAILURES_BY_REASON[refund.reason], non_retryable=True)
        return RefundResult(
            refund_id=refund.refund_id,
            charge_id=refund.charge_id,
            status=RefundStatus.SUCCEEDED,
            amount=refund.amount or Money(minor_units=1250, currency="EUR"),
        )


@asynccontextmanager
async def payment_stub_worker(client: Client) -> AsyncGenerator[None]:
    """Run the stub while the block runs."""
    async with Worker(
        client,
        task_queue=TaskQueue.PAYMENT,
        workflows=[RefundStub],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=1),
    ):
        yield
