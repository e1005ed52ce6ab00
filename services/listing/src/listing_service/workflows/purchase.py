"""Sell: reserve, authorise, confirm, capture, or undo all of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, FailureError
from temporalio.exceptions import TimeoutError as TemporalTimeoutError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from listing_service.activities.purchases import MovePurchase, PurchaseActivities, Reservation, ReserveStock
    from listing_service.workflows import patches
    from listing_service.workflows.purchase_tail import tell
    from platform_contracts.listing.failures import ListingFailure
    from platform_contracts.listing.purchase import (
        PURCHASE_CANCELLED,
        WORKFLOW_TYPE,
        CompensationResolution,
        CompensationResolved,
        Purchase,
        PurchaseInput,
        PurchaseResult,
        PurchaseStatus,
        PurchaseStep,
    )
    from platform_contracts.memo import Progress
    from platform_contracts.payment.charge import (
        AUTHORISE,
        CAPTURE,
        VOID,
        AuthoriseRequest,
        ChargeRequest,
        ChargeResult,
        ChargeStatus,
    )
    from platform_contracts.payment.charge_resolution import (
        ChargeResolution,
        ChargeResolutionInput,
        charge_resolution_workflow_id,
    )
    from platform_contracts.payment.charge_void import ChargeVoid, charge_void_workflow_id
    from platform_contracts.task_queues import TaskQueue
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.published import call
    from platform_workflow_tools.saga import Saga
    from platform_workflow_tools.uninterrupted import uninterrupted

_SHARE_OF_HOLD: Final = 0.8
"""How much of the hold the payment may use up: the rest is for confirming before the hold lapses."""

_VOID_PICK_UP: Final = timedelta(seconds=10)
"""How long compensation waits for a payment worker before it leaves the void to a workflow of payment's own."""


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PurchaseWorkflow(Purchase):
    """The saga across listing, payment, user and analytics. Its pivot is confirm."""

    @workflow.init
    def __init__(self, purchase: PurchaseInput) -> None:
        """Begin without anything reserved."""
        self._purchase = purchase
        self._saga = Saga(undoing=PurchaseStep.UNDOING)
        self._result: PurchaseResult | None = None
        self._failure: ApplicationError | None = None

    @workflow.run
    async def run(self, purchase: PurchaseInput) -> PurchaseResult:
        """Sell, or leave nothing behind."""
        try:
            self._result = await self._sell()
        except (FailureError, asyncio.CancelledError) as error:
            # Those who wait for the outcome have it before the workflow ends.
            self._failure = _as_answer(error)
            await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
            raise
        await uninterrupted(tell(purchase, self._result))
        await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
        return self._result

    async def _sell(self) -> PurchaseResult:
        if workflow.cancellation_reason() is not None and workflow.patched(patches.EARLY_CANCEL_IS_KEPT):
            # It was cancelled before a worker took it up: there is nothing to undo, but an end to keep.
            report_progress(Progress(step=PurchaseStep.UNDOING, cancellable=False))
            await uninterrupted(self._release())
        async with self._saga as saga:
            reservation = await saga.step(PurchaseStep.RESERVING, self._reserve, undo=self._release)
            if reservation.is_sold:
                # It was sold before, by a run that Temporal has forgotten since: this is its answer.
                return self._captured(reservation)
            await saga.step(PurchaseStep.AUTHORISING, lambda: self._authorise(reservation), undo=self._void)
            saga.pivot()
            await saga.step(PurchaseStep.CONFIRMING, self._confirm, undo=self._unconfirm)
            await saga.step(PurchaseStep.CAPTURING, self._capture)
            await saga.step(PurchaseStep.CAPTURED, self._mark_sold)
        return self._captured(reservation)

    @workflow.update
    async def outcome(self) -> PurchaseResult:
        """Return the result as soon as it is captured."""
        await workflow.wait_condition(lambda: self._result is not None or self._failure is not None)
        if self._result is None:
            raise self._failure or AssertionError("no outcome")
        return self._result

    @workflow.update
    async def resolve_compensation(self, resolution: CompensationResolution) -> CompensationResolved:
        """Go on without the compensation that is stuck."""
        step = self._saga.resolve()
        workflow.logger.warning("compensation.resolved", extra={"step": step, "operator_id": resolution.operator_id})
        return CompensationResolved(step=None if step is None else PurchaseStep(step))

    # The steps, in the order of the story, each with what undoes it.

    async def _reserve(self) -> Reservation:
        purchase = self._purchase
        return await workflow.execute_activity_method(
            PurchaseActivities.reserve,
            ReserveStock(
                tenant=purchase.tenant,
                purchase_id=purchase.purchase_id,
                buyer_id=purchase.buyer_id,
                lines=purchase.lines,
            ),
            **activity_options.DATABASE_WRITE,
        )

    async def _release(self) -> None:
        """Give the stock back, and have it kept why: the same purchase, made again, has the same outcome."""
        is_cancelled = workflow.cancellation_reason() is not None
        failure = self._saga.failure_type or (PURCHASE_CANCELLED if is_cancelled else None)
        await workflow.execute_activity_method(
            PurchaseActivities.release,
            MovePurchase(tenant=self._purchase.tenant, purchase_id=self._purchase.purchase_id, failure=failure),
            **activity_options.UNTIL_DONE,
        )

    async def _authorise(self, reservation: Reservation) -> None:
        """Authorise while the hold leaves time for it; an unknown outcome is asked about, never guessed."""
        until = self._payment_deadline(reservation)
        try:
            charge = await call(AUTHORISE, self._charge(reservation), within=until - workflow.now())
            if charge.status is ChargeStatus.UNKNOWN:
                charge = await self._resolve_charge(until)
        except (ActivityError, ChildWorkflowError) as error:
            if isinstance(error.cause, ApplicationError):
                raise
            # Out of time; or an operator has ended the ChargeResolution. Either way it is an end that can be kept.
            raise _payment_unavailable() from error
        # It is captured already when an earlier run of this purchase has come that far.
        if charge.status not in (ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED):
            raise _payment_unavailable()

    async def _resolve_charge(self, until: datetime) -> ChargeResult:
        report_progress(Progress(step=PurchaseStep.RESOLVING_CHARGE))
        purchase = self._purchase
        return await workflow.execute_child_workflow(
            ChargeResolution.run,
            ChargeResolutionInput(tenant=purchase.tenant, operation_id=purchase.purchase_id, until=until),
            id=charge_resolution_workflow_id(tenant=purchase.tenant, operation_id=purchase.purchase_id),
            task_queue=TaskQueue.PAYMENT,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            # Also when no payment worker is there to look at the clock.
            execution_timeout=until - workflow.now(),
        )

    async def _void(self) -> None:
        """Void at the acquirer by key, whatever we know of the charge; never give up, and never wait for workers."""
        try:
            await call(VOID, self._this_charge, pick_up_within=_VOID_PICK_UP)
        except ActivityError as error:
            if not isinstance(error.cause, TemporalTimeoutError):
                raise
            await workflow.start_child_workflow(
                ChargeVoid.run,
                self._this_charge,
                id=charge_void_workflow_id(tenant=self._purchase.tenant, operation_id=self._purchase.purchase_id),
                task_queue=TaskQueue.PAYMENT,
                parent_close_policy=ParentClosePolicy.ABANDON,
            )

    async def _confirm(self) -> None:
        await workflow.execute_activity_method(
            PurchaseActivities.confirm, self._this_purchase, **activity_options.UNTIL_DONE
        )

    async def _unconfirm(self) -> None:
        await workflow.execute_activity_method(
            PurchaseActivities.unconfirm, self._this_purchase, **activity_options.UNTIL_DONE
        )

    async def _capture(self) -> None:
        await call(CAPTURE, self._this_charge)

    async def _mark_sold(self) -> None:
        await workflow.execute_activity_method(
            PurchaseActivities.sell, self._this_purchase, **activity_options.UNTIL_DONE
        )

    # What the steps are made of.

    def _captured(self, reservation: Reservation) -> PurchaseResult:
        return PurchaseResult(
            purchase_id=self._purchase.purchase_id, status=PurchaseStatus.CAPTURED, total=reservation.total
        )

    @property
    def _this_purchase(self) -> MovePurchase:
        return MovePurchase(tenant=self._purchase.tenant, purchase_id=self._purchase.purchase_id)

    @property
    def _this_charge(self) -> ChargeRequest:
        return ChargeRequest(tenant=self._purchase.tenant, operation_id=self._purchase.purchase_id)

    def _charge(self, reservation: Reservation) -> AuthoriseRequest:
        return AuthoriseRequest(
            tenant=self._purchase.tenant,
            operation_id=self._purchase.purchase_id,
            payment_token=self._purchase.payment_token,
            amount=reservation.total,
            shares=reservation.shares,
        )

    def _payment_deadline(self, reservation: Reservation) -> datetime:
        left = reservation.held_until - workflow.now()
        if left <= timedelta(0):
            raise _payment_unavailable()
        return workflow.now() + left * _SHARE_OF_HOLD


def _payment_unavailable() -> ApplicationError:
    return ApplicationError(
        "no payment came about before the reservation was over",
        type=ListingFailure.PAYMENT_UNAVAILABLE,
        non_retryable=True,
    )


def _as_answer(error: BaseException) -> ApplicationError:
    """Return what those who wait for the outcome are told."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause is not None:
        error = error.cause
    if isinstance(error, ApplicationError):
        return ApplicationError(str(error), type=error.type, non_retryable=True)
    if workflow.cancellation_reason() is not None:
        return ApplicationError("the purchase was cancelled", type=PURCHASE_CANCELLED, non_retryable=True)
    return ApplicationError("the purchase failed", non_retryable=True)
