"""Compare the providers' books with the ledger, and give back what was taken for nothing."""

from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.reconciliation import CheckLedger, Reconcile, ReconciliationActivities
    from payment_service.workflows.reconciliation_orphans import settle_orphans
    from platform_contracts.memo import Progress
    from platform_contracts.payment.reconciliation import (
        WORKFLOW_TYPE,
        OrphansPosition,
        Reconciliation,
        ReconciliationInput,
        ReconciliationResult,
        ReconciliationStep,
    )
    from platform_workflow_tools.activity_options import BATCH, ActivityOptions
    from platform_workflow_tools.progress import report_progress


class _LongOptions(ActivityOptions):
    heartbeat_timeout: timedelta


_LONG: Final[_LongOptions] = {
    **BATCH,
    # After days without a run there is a lot to read.
    "start_to_close_timeout": timedelta(minutes=30),
    # A worker that dies is noticed after this long; the longest step between two heartbeats is a page of a provider.
    "heartbeat_timeout": timedelta(seconds=60),
}


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ReconciliationWorkflow(Reconciliation):
    """Compare, check, then settle the orphans: a provider that does not answer keeps nobody's money back."""

    @workflow.run
    async def run(self, reconciliation: ReconciliationInput) -> ReconciliationResult:
        """Reconcile; it can be cancelled at any time, for the next run makes up for it."""
        found, failure = reconciliation.continued, _told(reconciliation.not_compared)
        if found is None:
            found, failure = await self._compared()
        report_progress(Progress(step=ReconciliationStep.SETTLING_ORPHANS))
        position = await settle_orphans(reconciliation.orphans or OrphansPosition())
        if position.after is not None:
            not_compared = None if failure is None else _type_of(failure)
            workflow.continue_as_new(ReconciliationInput(continued=found, orphans=position, not_compared=not_compared))
        if failure is not None:
            raise failure
        report_progress(Progress(step=ReconciliationStep.RECONCILED, cancellable=False))
        return found.model_copy(update={"orphans_asked": position.asked, "orphans_settled": position.settled})

    async def _compared(self) -> tuple[ReconciliationResult, FailureError | None]:
        found, failure, run_id = ReconciliationResult(), None, workflow.info().run_id
        report_progress(Progress(step=ReconciliationStep.COMPARING))
        try:
            found = await workflow.execute_activity_method(
                ReconciliationActivities.reconcile, Reconcile(run_id=run_id), **_LONG
            )
        except ActivityError as error:
            failure = error
        report_progress(Progress(step=ReconciliationStep.CHECKING_LEDGER))
        checked = await workflow.execute_activity_method(
            ReconciliationActivities.check_ledger,
            CheckLedger(run_id=run_id),
            **_LONG,
        )
        return found.model_copy(update={"ledger_differences": checked.differences}), failure


def _told(not_compared: str | None) -> FailureError | None:
    """Return the failure that an earlier part of the run has left to the end."""
    if not_compared is None:
        return None
    return ApplicationError("the comparison did not come about", type=not_compared, non_retryable=True)


def _type_of(failure: FailureError) -> str:
    cause = failure.cause
    return (cause.type if isinstance(cause, ApplicationError) else None) or type(cause or failure).__name__
