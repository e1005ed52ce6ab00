"""Decide on a payout: an update, which counts only once a worker has accepted it; two people have to approve."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError

from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PartnerPayoutInput,
    PartnerPayoutResult,
    PayoutDecision,
    PayoutRefusal,
    PayoutReview,
    partner_payout_workflow_id,
)
from platform_gateway.fingerprint import fingerprint
from platform_gateway.market.payout_models import PayoutDecision as ShownDecision
from platform_gateway.market.payout_models import PayoutDecisionRequest, PayoutVerdict
from platform_gateway.market.payout_models import PayoutReview as ShownReview
from platform_gateway.market.reviewing import ACCEPT_SECONDS, nobody_took_it
from platform_gateway.operations.status import failure_type
from platform_gateway.operations.temporal_calls import (
    ATTEMPT,
    ENDED_BEFORE_ANSWERING,
    calling_temporal,
    is_missing_workflow,
)
from platform_gateway.problems import Kind, OperationFailure, Problem

_UPDATE: Final = "decide"

_REFUSALS: Final = {
    PayoutRefusal.NOT_IN_REVIEW: Kind.PAYOUT_NOT_IN_REVIEW,
    PayoutRefusal.ALREADY_DECIDED: Kind.PAYOUT_ALREADY_DECIDED,
    PayoutRefusal.REVIEWER_IS_REQUESTER: Kind.REVIEWER_IS_REQUESTER,
    # It was accepted, and then the payout ended by itself.
    ENDED_BEFORE_ANSWERING: Kind.PAYOUT_NOT_IN_REVIEW,
}


@dataclass(frozen=True)
class PayoutDeciding:
    """One person's decision on a payout to a tenant."""

    tenant: str
    payout_id: str
    body: PayoutDecisionRequest
    reviewer_id: str
    idempotency_key: str | None

    @property
    def decision(self) -> PayoutDecision:
        """The decision as the workflow takes it."""
        return PayoutDecision(
            reviewer_id=self.reviewer_id,
            approved=self.body.decision is PayoutVerdict.APPROVE,
            comment=self.body.comment,
        )

    def update_id(self) -> str:
        """Return the id under which the request is taken once; without a key each one is a decision of its own.

        Body and reviewer are part of it: a key that comes again with others must not get the answer to the first.
        """
        if self.idempotency_key is None:
            return uuid4().hex
        of = {"payoutId": self.payout_id, "reviewer": self.reviewer_id, "key": self.idempotency_key}
        return fingerprint(self.body, **of)


@dataclass(frozen=True)
class DecidedPayout:
    """The review after a decision that was taken."""

    review: ShownReview
    replayed: bool
    """Whether an earlier request had given it."""


@dataclass(frozen=True)
class _Known:
    """What the history tells of a payout; it needs no worker."""

    payout: PartnerPayoutInput
    decisions: tuple[PayoutDecision, ...]
    answers: dict[str, PayoutReview]
    """What each update was answered, by its id."""


async def decide_payout(client: Client, deciding: PayoutDeciding) -> DecidedPayout:
    """Give the decision to the payout, and return where its review stands.

    Raises:
        Problem: `UNKNOWN_PAYOUT`; `REVIEWER_IS_REQUESTER`; `PAYOUT_NOT_IN_REVIEW` or `PAYOUT_ALREADY_DECIDED` with what
            was decided; `NO_WORKER` with `blockedBy` when no worker accepts it in time; `TEMPORAL_AWAY`.
    """
    workflow_id = partner_payout_workflow_id(tenant=deciding.tenant, payout_id=deciding.payout_id)
    handle = client.get_workflow_handle_for(PartnerPayout.run, workflow_id)
    update_id = deciding.update_id()
    async with calling_temporal():
        known = await _known(client, handle)
        if update_id in known.answers:
            return DecidedPayout(_shown(known.answers[update_id]), replayed=True)
        if deciding.reviewer_id == known.payout.requested_by:
            raise Problem(Kind.REVIEWER_IS_REQUESTER, workflowId=workflow_id)
        try:
            review = await _accepted(client, handle, deciding.decision, update_id)
        except WorkflowUpdateFailedError as error:
            raise await _refused(client, handle, failure_type(error.cause)) from None
        if review is None:
            raise await _after_the_end(client, handle)
        return DecidedPayout(_shown(review), replayed=False)


async def _accepted(
    client: Client,
    handle: WorkflowHandle[Any, PartnerPayoutResult],
    decision: PayoutDecision,
    update_id: str,
) -> PayoutReview | None:
    """Return the answer, which comes with the acceptance; None when the workflow has ended."""
    asked_at = datetime.now(UTC)
    try:
        async with asyncio.timeout(ACCEPT_SECONDS):
            return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
                PartnerPayout.decide, decision, id=update_id
            )
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise await nobody_took_it(client, handle.id, asked_at) from None
    except RPCError as error:
        if is_missing_workflow(error):
            return None
        raise


async def _after_the_end(client: Client, handle: WorkflowHandle[Any, PartnerPayoutResult]) -> Problem:
    known = await _known(client, handle)
    is_decided = bool(known.decisions)
    return _problem(known, handle.id, PayoutRefusal.ALREADY_DECIDED if is_decided else PayoutRefusal.NOT_IN_REVIEW)


async def _refused(client: Client, handle: WorkflowHandle[Any, PartnerPayoutResult], refusal: str | None) -> Problem:
    return _problem(await _known(client, handle), handle.id, refusal)


def _problem(known: _Known, workflow_id: str, refusal: str | None) -> Problem:
    kind = _REFUSALS.get(refusal or "")
    if kind is None:
        return OperationFailure(refusal, workflow_id=workflow_id, run_id=None)
    if kind is Kind.REVIEWER_IS_REQUESTER:
        return Problem(kind, workflowId=workflow_id)
    decisions = [_shown_decision(each).model_dump(mode="json") for each in known.decisions]
    return Problem(kind, workflowId=workflow_id, decisions=decisions or None)


async def _known(client: Client, handle: WorkflowHandle[Any, PartnerPayoutResult]) -> _Known:
    """Read who asked for the payout, and what has been decided.

    Raises:
        Problem: `UNKNOWN_PAYOUT` when there is no such payout.
    """
    payout: PartnerPayoutInput | None = None
    decisions: list[PayoutDecision] = []
    ids: dict[int, str] = {}
    answers: dict[str, PayoutReview] = {}
    try:
        async for event in handle.fetch_history_events(rpc_timeout=ATTEMPT):
            if event.HasField("workflow_execution_started_event_attributes"):
                started = event.workflow_execution_started_event_attributes
                (payout,) = await client.data_converter.decode(started.input.payloads, [PartnerPayoutInput])
            elif event.HasField("workflow_execution_update_accepted_event_attributes"):
                request = event.workflow_execution_update_accepted_event_attributes.accepted_request
                if request.input.name == _UPDATE:
                    ids[event.event_id] = request.meta.update_id
                    decisions += await client.data_converter.decode(request.input.args.payloads, [PayoutDecision])
            elif event.HasField("workflow_execution_update_completed_event_attributes"):
                completed = event.workflow_execution_update_completed_event_attributes
                if completed.accepted_event_id in ids and completed.outcome.HasField("success"):
                    payloads = completed.outcome.success.payloads
                    (answer,) = await client.data_converter.decode(payloads, [PayoutReview])
                    answers[ids[completed.accepted_event_id]] = answer
    except RPCError as error:
        if is_missing_workflow(error):
            raise Problem(Kind.UNKNOWN_PAYOUT) from None
        raise
    assert payout is not None, "a history begins with what started it"
    return _Known(payout, tuple(decisions), answers)


def _shown(review: PayoutReview) -> ShownReview:
    return ShownReview(
        payout_id=review.payout_id,
        outcome=review.outcome,
        decisions=tuple(_shown_decision(each) for each in review.decisions),
    )


def _shown_decision(decision: PayoutDecision) -> ShownDecision:
    return ShownDecision(
        reviewer_id=decision.reviewer_id,
        decision=PayoutVerdict.APPROVE if decision.approved else PayoutVerdict.REJECT,
        comment=decision.comment,
    )
