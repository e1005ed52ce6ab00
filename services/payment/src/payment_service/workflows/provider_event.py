"""Take in what a payment provider tells: write it down, ask the provider, apply what it says."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from payment_service.activities.charge_events import ChargeEventActivities
    from payment_service.activities.dispute_events import DisputeEventActivities
    from payment_service.activities.provider_events import (
        EventFact,
        ProviderEventActivities,
        Settlement,
        Verdict,
    )
    from payment_service.activities.refund_events import RefundEventActivities
    from payment_service.domain.provider import FactKind
    from payment_service.domain.provider_events import EventReason, EventStatus
    from payment_service.workflows import patches
    from platform_contracts.identifiers import idempotency_key_id
    from platform_contracts.memo import Progress
    from platform_contracts.payment.dispute import Dispute, DisputeInput, DisputeStatus, dispute_workflow_id
    from platform_contracts.payment.failures import PaymentFailure
    from platform_contracts.payment.partner_payout import PayoutStatus
    from platform_contracts.payment.payout_sync import PayoutSync, PayoutSyncInput, payout_sync_workflow_id
    from platform_contracts.payment.provider_event import (
        WORKFLOW_TYPE,
        ProviderEvent,
        ProviderEventInput,
        ProviderEventResult,
        ProviderEventStatus,
        ProviderEventStep,
    )
    from platform_workflow_tools import activity_options
    from platform_workflow_tools.progress import report_progress
    from platform_workflow_tools.uninterrupted import uninterrupted

ASK_AGAIN_AFTER: Final = (timedelta(seconds=1), timedelta(seconds=3))
"""A provider may tell of a change before its own answers show it: only what lasts is a contradiction."""

_PAYOUT_AGREES_WITH: Final[Mapping[FactKind, frozenset[PayoutStatus]]] = {
    FactKind.PAYOUT_PAID: frozenset({PayoutStatus.PAID, PayoutStatus.RETURNED}),
    FactKind.PAYOUT_FAILED: frozenset({PayoutStatus.FAILED, PayoutStatus.RETURNED}),
}
"""How a payout of ours can stand once the provider was asked about what it tells of."""

_DISPUTE_STATUS: Final[Mapping[FactKind, DisputeStatus]] = {
    FactKind.DISPUTE_OPENED: DisputeStatus.OPENED,
    FactKind.DISPUTE_WON: DisputeStatus.WON,
    FactKind.DISPUTE_LOST: DisputeStatus.LOST,
}

_APPLIED: Final = Verdict(status=EventStatus.APPLIED)
_UNKNOWN_MOVEMENT: Final = Verdict(status=EventStatus.QUARANTINED, reason=EventReason.UNKNOWN_MOVEMENT)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ProviderEventWorkflow(ProviderEvent):
    """Take the event in to its end: its provider was told that we have it, and will not send it again."""

    @workflow.run
    async def run(self, event: ProviderEventInput) -> ProviderEventResult:
        """Take the event in."""
        report_progress(Progress(step=ProviderEventStep.RECORDING, cancellable=False))
        verdict = await uninterrupted(self._taken_in(event))
        report_progress(Progress(step=ProviderEventStep.SETTLED, cancellable=False))
        return ProviderEventResult(
            provider=event.provider,
            event_id=event.event_id,
            status=ProviderEventStatus(verdict.status),
            reason=verdict.reason,
        )

    async def _taken_in(self, event: ProviderEventInput) -> Verdict:
        try:
            taken = await workflow.execute_activity_method(
                ProviderEventActivities.record_provider_event, event, **activity_options.UNTIL_DONE
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == PaymentFailure.UNKNOWN_PROVIDER_EVENT:
                # The operator's mistake, told without the activity around it.
                raise error.cause from None
            raise
        if taken.fact is None:
            return Verdict(status=taken.status, reason=taken.reason)
        report_progress(Progress(step=ProviderEventStep.ASKING_PROVIDER, cancellable=False, waiting_for=event.provider))
        verdict = await self._looked_up(taken.fact)
        return await workflow.execute_activity_method(
            ProviderEventActivities.settle_provider_event,
            Settlement(
                provider=event.provider,
                event_id=event.event_id,
                verdict=verdict,
                tenant=taken.fact.tenant,
                redrive=event.redrive,
            ),
            **activity_options.UNTIL_DONE,
        )

    async def _looked_up(self, fact: EventFact) -> Verdict:
        look = _LOOKS.get(fact.kind)
        if look is None:
            return Verdict(status=EventStatus.IGNORED, reason=EventReason.NOBODY_ASKS)
        try:
            verdict = await look(fact)
            for pause in ASK_AGAIN_AFTER:
                if verdict.status is not EventStatus.CONTRADICTED:
                    break
                await workflow.sleep(pause)
                verdict = await look(fact)
        except (ActivityError, ChildWorkflowError) as error:
            # Tried for a day: a person decides when it is tried again, and nothing is lost meanwhile.
            workflow.logger.warning("provider_event.not_applied", extra={"reason": type(error.cause).__name__})
            return Verdict(status=EventStatus.QUARANTINED, reason=EventReason.NOT_APPLIED)
        return verdict


async def _charge(fact: EventFact) -> Verdict:
    return await workflow.execute_activity_method(
        ChargeEventActivities.apply_charge_event, fact, **activity_options.DATABASE_WRITE
    )


async def _refund(fact: EventFact) -> Verdict:
    return await workflow.execute_activity_method(
        RefundEventActivities.apply_refund_event, fact, **activity_options.DATABASE_WRITE
    )


async def _dispute(fact: EventFact) -> Verdict:
    if not workflow.patched(patches.DISPUTES_ARE_LOOKED_UP):
        return await _dispute_as_told(fact)
    found = await workflow.execute_activity_method(
        DisputeEventActivities.look_up_dispute, fact, **activity_options.DATABASE_WRITE
    )
    return found.verdict if found.dispute is None else await _applied(found.dispute)


async def _dispute_as_told(fact: EventFact) -> Verdict:
    if fact.tenant is None or fact.subject is None or fact.charge_id is None or fact.amount is None:
        return _UNKNOWN_MOVEMENT
    dispute = DisputeInput(
        tenant=fact.tenant,
        dispute_id=fact.subject,
        charge_id=fact.charge_id,
        status=_DISPUTE_STATUS[fact.kind],
        amount=fact.amount,
    )
    return await _applied(dispute)


async def _applied(dispute: DisputeInput) -> Verdict:
    try:
        await workflow.execute_child_workflow(
            Dispute.run,
            dispute,
            id=dispute_workflow_id(tenant=dispute.tenant, dispute_id=dispute.dispute_id, status=dispute.status),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )
    except WorkflowAlreadyStartedError:
        # Another event has told the same, and that is on its way.
        return _APPLIED
    except ChildWorkflowError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == PaymentFailure.UNKNOWN_CHARGE:
            # A person was told about the dispute.
            return Verdict(status=EventStatus.QUARANTINED, reason=EventReason.BOOKS_DIFFER)
        raise
    return _APPLIED


async def _payout(fact: EventFact) -> Verdict:
    if fact.tenant is None or fact.subject is None:
        return _UNKNOWN_MOVEMENT
    found = await workflow.execute_child_workflow(
        PayoutSync.run,
        PayoutSyncInput(tenant=fact.tenant, payout_id=fact.subject),
        id=payout_sync_workflow_id(tenant=fact.tenant, sync_id=idempotency_key_id(workflow.info().workflow_id)),
    )
    if found.status is None:
        return _UNKNOWN_MOVEMENT
    if found.status in _PAYOUT_AGREES_WITH[fact.kind]:
        return _APPLIED
    return Verdict(status=EventStatus.CONTRADICTED, reason=EventReason.PROVIDER_DISAGREES)


_LOOKS: Final[Mapping[FactKind, Callable[[EventFact], Awaitable[Verdict]]]] = {
    FactKind.CHARGE_AUTHORISED: _charge,
    FactKind.CHARGE_DECLINED: _charge,
    FactKind.CHARGE_CAPTURED: _charge,
    FactKind.CHARGE_VOIDED: _charge,
    FactKind.CHARGE_EXPIRED: _charge,
    FactKind.REFUND_SUCCEEDED: _refund,
    FactKind.REFUND_FAILED: _refund,
    FactKind.DISPUTE_OPENED: _dispute,
    FactKind.DISPUTE_WON: _dispute,
    FactKind.DISPUTE_LOST: _dispute,
    FactKind.PAYOUT_PAID: _payout,
    FactKind.PAYOUT_FAILED: _payout,
}
"""How it is found out what is true of an event, by what it tells; for any other nobody asks."""
