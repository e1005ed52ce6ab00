"""Give back what was captured."""

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.refunds import RefundActivities, SettleRefund
    from payment_service.workflows.refund_tail import tell
    from platform_contracts.memo import Progress
    from platform_contracts.payment.failures import PaymentFailure
    from platform_contracts.payment.refund import (
        WORKFLOW_TYPE,
        Refund,
        RefundInput,
        RefundResult,
        RefundStatus,
        RefundStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class RefundWorkflow(Refund):
    """Keep back, pay back, post. What has been asked of a provider cannot be taken back, so no cancel stops it."""

    @workflow.run
    async def run(self, refund: RefundInput) -> RefundResult:
        """Refund, then tell."""
        result = await uninterrupted(self._refund(refund))
        report_progress(Progress(step=RefundStep.TELLING, cancellable=False))
        await uninterrupted(tell(refund, result))
        report_progress(Progress(step=RefundStep.REFUNDED, cancellable=False))
        return result

    async def _refund(self, refund: RefundInput) -> RefundResult:
        report_progress(Progress(step=RefundStep.REQUESTING, cancellable=False))
        await workflow.execute_activity_method(
            RefundActivities.request_refund, refund, **activity_options.DATABASE_WRITE
        )
        report_progress(Progress(step=RefundStep.REFUNDING, cancellable=False, waiting_for="acquirer"))
        result = await workflow.execute_activity_method(
            RefundActivities.settle_refund,
            SettleRefund(tenant=refund.tenant, refund_id=refund.refund_id),
            **activity_options.UNTIL_TOLD,
        )
        if result.status is RefundStatus.FAILED:
            raise ApplicationError(
                "the provider does not pay it back", type=PaymentFailure.REFUND_FAILED, non_retryable=True
            )
        return result
