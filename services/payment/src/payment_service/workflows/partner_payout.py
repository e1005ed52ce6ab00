"""Pay a partner: reserve, wait until it may be sent, send it once, and follow it to its end."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.payouts import (
        PayoutActivities,
        PayoutKey,
        PayoutMove,
        PayoutState,
        PayoutTimings,
        ReservedPayout,
    )
    from payment_service.workflows.partner_payout_tail import remind_reviewers, tell_partner
    from platform_contracts.memo import Progress
    from platform_contracts.payment.partner_payout import (
        PAYOUT_CHANGED,
        WORKFLOW_TYPE,
        PartnerPayout,
        PartnerPayoutInput,
        PartnerPayoutResult,
        PartnerPayoutStep,
        PayoutDecision,
        PayoutRefusal,
        PayoutReview,
        PayoutReviewOutcome,
        PayoutStatus,
    )
    from platform_contracts.user.partner_capabilities import PARTNER_CAPABILITIES, PartnerCapabilitiesRequest
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.published import call
    from platform_workflow_tools.saga import Saga
    from platform_workflow_tools.uninterrupted import uninterrupted

_APPROVALS: Final = 2
_MAY_GO_ON: Final = (PayoutStatus.RESERVED, PayoutStatus.HELD, PayoutStatus.IN_REVIEW)
_ASKING: Final = timedelta(minutes=1)
"""How long another service or the provider is asked at a stretch; after that it is waited, longer each time."""
_LONGEST_HOLD: Final = timedelta(days=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
"""Whoever knows more sends `payout_changed`; so these bound the history rather than the wait."""


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PartnerPayoutWorkflow(PartnerPayout):
    """Whatever ends it before it is sent, the balance is restored; what is sent is followed until its end is known."""

    @workflow.init
    def __init__(self, payout: PartnerPayoutInput) -> None:
        """Begin without decisions."""
        self._payout = payout
        self._saga = Saga(undoing=PartnerPayoutStep.RETURNING_TO_BALANCE)
        self._requested_by = payout.requested_by
        self._in_review = False
        self._decisions: list[PayoutDecision] = []
        self._look_now = False

    @workflow.run
    async def run(self, payout: PartnerPayoutInput) -> PartnerPayoutResult:  # noqa: ARG002 - kept by `__init__`
        """Bring the payout to its end, and tell the partner."""
        try:
            state = await self._paid_or_carried()
        except (FailureError, asyncio.CancelledError):
            await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
            raise
        await uninterrupted(self._tell(state))
        return PartnerPayoutResult(
            payout_id=self._payout.payout_id,
            status=state.status,
            amount=state.amount,
            withheld=state.withheld,
            carried=state.carried,
        )

    @workflow.update
    async def decide(self, decision: PayoutDecision) -> PayoutReview:
        """Take the decision; it counts from here on."""
        self._decisions.append(decision)
        return PayoutReview(
            payout_id=self._payout.payout_id,
            outcome=self._outcome or PayoutReviewOutcome.WAITING_FOR_SECOND,
            decisions=tuple(self._decisions),
        )

    @decide.validator
    def refuse_decision(self, decision: PayoutDecision) -> None:
        """Refuse who asked for it, who has decided already, and what comes before or after the review."""
        if decision.reviewer_id == self._requested_by:
            raise _refusal(PayoutRefusal.REVIEWER_IS_REQUESTER, "who asked for it may not approve it")
        has_decided = any(each.reviewer_id == decision.reviewer_id for each in self._decisions)
        if has_decided or self._outcome is not None:
            raise _refusal(PayoutRefusal.ALREADY_DECIDED, "it has been decided")
        if not self._in_review:
            raise _refusal(PayoutRefusal.NOT_IN_REVIEW, "the payout is not in review")

    @workflow.signal(name=PAYOUT_CHANGED)
    def payout_changed(self) -> None:
        """Look again now."""
        self._look_now = True

    async def _paid_or_carried(self) -> PayoutState:
        async with self._saga as saga:
            reserved = await saga.step(PartnerPayoutStep.RESERVING, self._reserve, undo=self._cancel)
            self._requested_by = reserved.requested_by
            if reserved.state.status in _MAY_GO_ON:
                await self._until_allowed(reserved.timings)
                if reserved.needs_review:
                    ended = await self._reviewed(reserved)
                    if ended is not None:
                        return await self._end(ended)
                    # It may have taken days.
                    await self._until_allowed(reserved.timings)
            elif reserved.state.status is not PayoutStatus.SENDING:
                # It ended before, in a run that Temporal has forgotten since, or there was nothing to pay.
                return reserved.state
            saga.pivot()
            begun = await saga.step(PartnerPayoutStep.SENDING, self._begin)
        return await self._followed(begun, reserved.timings)

    async def _until_allowed(self, timings: PayoutTimings) -> None:
        """Wait for as long as the partner may not be paid, and ask again now and then."""
        pause = timings.recheck_after
        while not await self._is_allowed():
            self._saga.stop_if_cancelled()
            await uninterrupted(self._move(PayoutStatus.HELD))
            self._saga.stop_if_cancelled()
            report_progress(
                Progress(
                    step=PartnerPayoutStep.HELD, waiting_for="partner_capabilities", deadline=workflow.now() + pause
                )
            )
            await self._looked_for(pause)
            pause = min(2 * pause, _LONGEST_HOLD)
        self._saga.stop_if_cancelled()

    async def _is_allowed(self) -> bool:
        request = PartnerCapabilitiesRequest(tenant=self._payout.tenant)
        try:
            capabilities = await uninterrupted(call(PARTNER_CAPABILITIES, request, within=_ASKING))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # Nobody said that it may be paid.
            return False
        return capabilities.can_be_paid

    async def _reviewed(self, reserved: ReservedPayout) -> PayoutStatus | None:
        """Wait for the decisions; return None when it is approved, else how it ends.

        Only this wait and that of a hold are interrupted by a cancel.
        """
        timings = reserved.timings
        self._saga.stop_if_cancelled()
        await uninterrupted(self._move(PayoutStatus.IN_REVIEW))
        self._saga.stop_if_cancelled()
        overdue_at = workflow.now() + timings.overdue_after
        report_progress(Progress(step=PartnerPayoutStep.IN_REVIEW, waiting_for="review", deadline=overdue_at))
        self._in_review = True
        try:
            if timings.remind_after < timings.overdue_after:
                await self._decided_before(workflow.now() + timings.remind_after)
                if self._outcome is None:
                    await uninterrupted(self._remind(reserved))
                    self._saga.stop_if_cancelled()
            await self._decided_before(overdue_at)
        finally:
            self._in_review = False
        if self._outcome is PayoutReviewOutcome.APPROVED:
            return None
        return PayoutStatus.EXPIRED if self._outcome is None else PayoutStatus.REJECTED

    @property
    def _outcome(self) -> PayoutReviewOutcome | None:
        """What the decisions come to; None while they come to nothing yet."""
        if any(not each.approved for each in self._decisions):
            return PayoutReviewOutcome.REJECTED
        return PayoutReviewOutcome.APPROVED if len(self._decisions) >= _APPROVALS else None

    async def _decided_before(self, moment: datetime) -> None:
        try:
            await workflow.wait_condition(lambda: self._outcome is not None, timeout=moment - workflow.now())
        except TimeoutError:
            # A decision may have come in the same moment.
            return

    async def _end(self, status: PayoutStatus) -> PayoutState:
        """Restore the balance; from here on there is nothing to cancel."""
        self._saga.pivot()
        return await self._saga.step(PartnerPayoutStep.RETURNING_TO_BALANCE, lambda: self._given_back(status))

    async def _followed(self, begun: PayoutState, timings: PayoutTimings) -> PayoutState:
        """Send it, and ask the provider until it says how it ended; nothing interrupts it."""
        state, pause = begun, timings.look_after
        unresolved_at: datetime | None = workflow.now() + timings.unresolved_after
        while state.status is PayoutStatus.SENDING:
            self._look_now = False
            state = await uninterrupted(self._sent()) or state
            if state.status is not PayoutStatus.SENDING:
                break
            if unresolved_at is not None and workflow.now() >= unresolved_at:
                await uninterrupted(self._escalate())
                unresolved_at = None
            report_progress(Progress(step=PartnerPayoutStep.AT_PROVIDER, cancellable=False, waiting_for="provider"))
            left = pause if unresolved_at is None else max(unresolved_at - workflow.now(), timedelta(0))
            await uninterrupted(self._looked_for(min(pause, left)))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return state

    async def _looked_for(self, pause: timedelta) -> None:
        try:
            await workflow.wait_condition(lambda: self._look_now, timeout=pause)
        except TimeoutError:
            return
        self._look_now = False

    async def _sent(self) -> PayoutState | None:
        """Return how it stands at the provider; None when that could not be found out."""
        try:
            return await workflow.execute_activity_method(
                PayoutActivities.send_payout,
                self._key,
                start_to_close_timeout=activity_options.DATABASE_WRITE["start_to_close_timeout"],
                schedule_to_close_timeout=_ASKING,
                retry_policy=activity_options.DATABASE_WRITE["retry_policy"],
            )
        except ActivityError as error:
            workflow.logger.warning("payout.unknown", extra={"reason": type(error.cause).__name__})
            return None

    async def _reserve(self) -> ReservedPayout:
        return await workflow.execute_activity_method(
            PayoutActivities.reserve_payout, self._payout, **activity_options.DATABASE_WRITE
        )

    async def _begin(self) -> PayoutState:
        return await workflow.execute_activity_method(
            PayoutActivities.begin_payout, self._key, **activity_options.UNTIL_DONE
        )

    async def _move(self, to: PayoutStatus) -> None:
        await workflow.execute_activity_method(
            PayoutActivities.hold_payout, self._to(to), **activity_options.DATABASE_WRITE
        )

    async def _cancel(self) -> None:
        await workflow.execute_activity_method(
            PayoutActivities.give_back_payout, self._to(PayoutStatus.CANCELLED), **activity_options.UNTIL_DONE
        )

    async def _given_back(self, status: PayoutStatus) -> PayoutState:
        state = await workflow.execute_activity_method(
            PayoutActivities.give_back_payout, self._to(status), **activity_options.UNTIL_DONE
        )
        assert state is not None, "it was reserved"
        return state

    async def _escalate(self) -> None:
        await workflow.execute_activity_method(
            PayoutActivities.escalate_payout, self._key, **activity_options.UNTIL_DONE
        )

    async def _remind(self, reserved: ReservedPayout) -> None:
        await remind_reviewers(
            partner=self._payout.tenant, payout_id=self._payout.payout_id, amount=reserved.state.amount
        )

    async def _tell(self, state: PayoutState) -> None:
        report_progress(Progress(step=PartnerPayoutStep.SETTLED, cancellable=False))
        await tell_partner(
            partner=self._payout.tenant, payout_id=self._payout.payout_id, status=state.status, amount=state.amount
        )
        await workflow.wait_condition(workflow.all_handlers_finished)

    @property
    def _key(self) -> PayoutKey:
        return PayoutKey(tenant=self._payout.tenant, payout_id=self._payout.payout_id)

    def _to(self, status: PayoutStatus) -> PayoutMove:
        return PayoutMove(tenant=self._payout.tenant, payout_id=self._payout.payout_id, to=status)


def _refusal(refusal: PayoutRefusal, message: str) -> ApplicationError:
    return ApplicationError(message, type=refusal, non_retryable=True)
