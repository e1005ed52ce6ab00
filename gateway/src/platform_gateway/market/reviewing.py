"""Decide on a submission: an update, which counts only once a worker has accepted it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError

from platform_contracts.listing.publication import (
    Publication,
    PublicationInput,
    PublicationResult,
    ReviewDecision,
    ReviewRefusal,
    publication_workflow_id,
)
from platform_gateway.fingerprint import fingerprint
from platform_gateway.market.listing_models import Decision, ReviewRequest
from platform_gateway.operations.blocked_by import blocked_by
from platform_gateway.operations.describing import describe
from platform_gateway.operations.status import failure_type
from platform_gateway.operations.temporal_calls import (
    ATTEMPT,
    ENDED_BEFORE_ANSWERING,
    calling_temporal,
    is_missing_workflow,
)
from platform_gateway.operations.waiting import Wait, within
from platform_gateway.problems import Kind, OperationFailure, Problem
from platform_gateway.rest_models import WaitingFor, WaitingForWorker

ACCEPT_SECONDS: Final = 2.3
"""How long the workflow may take to accept it: longer than a worker needs, and with the other calls of the request
below the bound of all of them."""

_RESULT_SECONDS: Final = 10.0
"""How long an accepted decision may take to come to something; it is durable, so no longer is 202."""

_REFUSALS: Final = {
    ReviewRefusal.NOT_IN_REVIEW: Kind.NOT_IN_REVIEW,
    ReviewRefusal.ALREADY_DECIDED: Kind.ALREADY_DECIDED,
    ReviewRefusal.REVIEWER_IS_SUBMITTER: Kind.REVIEWER_IS_SUBMITTER,
    # It was accepted, and then the submission ended by itself.
    ENDED_BEFORE_ANSWERING: Kind.NOT_IN_REVIEW,
}


@dataclass(frozen=True)
class Review:
    """A decision on a submission, on behalf of a tenant."""

    tenant: str
    listing_id: str
    submission_id: str
    body: ReviewRequest
    idempotency_key: str | None

    @property
    def decision(self) -> ReviewDecision:
        """The decision as the workflow takes it."""
        return ReviewDecision.model_validate(self.body.model_dump(by_alias=False))

    @property
    def update_id(self) -> str:
        """The id under which the same decision is taken once.

        The body is part of it: a key that comes again with another decision must not get the answer to the first.
        """
        return fingerprint(self.body, submissionId=self.submission_id, key=self.idempotency_key or "")


@dataclass(frozen=True)
class Reviewed:
    """A decision that was taken."""

    workflow_id: str
    run_id: str
    result: PublicationResult | None
    """None: it is being carried out."""


@dataclass(frozen=True)
class _Submission:
    """What the history tells of a submission; it needs no worker."""

    publication: PublicationInput
    decision: ReviewDecision | None


async def review_submission(
    client: Client, review: Review, *, wait_seconds: float | None = None, unless: Sequence[Wait] = ()
) -> Reviewed:
    """Give the decision to the submission, and return what came of it.

    Sending the same decision again is safe, whatever was answered: the workflow takes one decision.

    Args:
        client: the connection to Temporal.
        review: the decision, and on what.
        wait_seconds: how long to wait for the result of what was accepted; None: as long as it usually takes.
        unless: what ends the waiting for the result early; the decision counts all the same.

    Raises:
        Problem: `UNKNOWN_SUBMISSION`; `REVIEWER_IS_SUBMITTER`; `NOT_IN_REVIEW` or `ALREADY_DECIDED` with what was
            decided; `NO_WORKER` with `blockedBy` when no worker accepts it in time; `TEMPORAL_AWAY`.
    """
    workflow_id = publication_workflow_id(tenant=review.tenant, submission_id=review.submission_id)
    handle = client.get_workflow_handle_for(Publication.run, workflow_id)
    seconds = _RESULT_SECONDS if wait_seconds is None else wait_seconds
    try:
        async with calling_temporal():
            await _check_listing(client, handle, review)
            update = await _accepted(client, handle, review)
        result = None if update is None else await within(_answer(update), seconds, unless)
    except WorkflowUpdateFailedError as error:
        async with calling_temporal():
            raise await _refused(client, handle, failure_type(error.cause)) from None
    if update is None:
        return await _after_the_end(client, handle, review)
    return Reviewed(workflow_id, update.workflow_run_id or "", result)


async def _check_listing(client: Client, handle: WorkflowHandle[Any, PublicationResult], review: Review) -> None:
    try:
        submission = await _submission(client, handle)
    except RPCError as error:
        if is_missing_workflow(error):
            raise Problem(Kind.UNKNOWN_SUBMISSION) from None
        raise
    if submission.publication.listing_id != review.listing_id:
        raise Problem(Kind.UNKNOWN_SUBMISSION)


async def _accepted(
    client: Client, handle: WorkflowHandle[Any, PublicationResult], review: Review
) -> WorkflowUpdateHandle[PublicationResult] | None:
    """Return the update once it is accepted; None when the workflow has ended."""
    asked_at = datetime.now(UTC)
    try:
        async with asyncio.timeout(ACCEPT_SECONDS):
            return await handle.start_update(  # pyright: ignore[reportUnknownMemberType]
                Publication.review,
                review.decision,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                id=review.update_id,
            )
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise await nobody_took_it(client, handle.id, asked_at) from None
    except RPCError as error:
        if is_missing_workflow(error):
            return None
        raise


async def nobody_took_it(client: Client, workflow_id: str, asked_at: datetime) -> Problem:
    """Return the problem of a decision that no worker has accepted in time, with what it waits for."""
    found = await describe(client, workflow_id)
    blocked = blocked_by(found, await found.progress(), now=datetime.now(UTC))
    if blocked is None or isinstance(blocked, WaitingFor):
        # That it waits for a review is known; that nobody took this one is the news.
        blocked = WaitingForWorker(queue=found.info.task_queue, since=asked_at)
    return Problem(
        Kind.NO_WORKER,
        "The decision was not accepted in time. Send it again: it is taken once.",
        workflowId=found.workflow_id,
        runId=found.run_id,
        blockedBy=blocked.model_dump(mode="json"),
    )


async def _answer(update: WorkflowUpdateHandle[PublicationResult]) -> PublicationResult | None:
    try:
        return await update.result()
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
        # It was accepted, so it is not lost with the connection.
        return None


async def _after_the_end(client: Client, handle: WorkflowHandle[Any, PublicationResult], review: Review) -> Reviewed:
    """Answer a decision that comes after the submission has ended; the one that ended it gets its answer again."""
    async with calling_temporal():
        submission = await _submission(client, handle)
        if submission.decision == review.decision:
            try:
                result = await handle.result()
            except WorkflowFailureError:
                raise await _refused(client, handle, ReviewRefusal.NOT_IN_REVIEW) from None
            return Reviewed(handle.id, (await describe(client, handle.id)).run_id, result)
        is_decided = submission.decision is not None
        refusal = ReviewRefusal.ALREADY_DECIDED if is_decided else ReviewRefusal.NOT_IN_REVIEW
        raise await _refused(client, handle, refusal)


async def _refused(client: Client, handle: WorkflowHandle[Any, PublicationResult], refusal: str | None) -> Problem:
    kind = _REFUSALS.get(refusal or "")
    if kind is None:
        return OperationFailure(refusal, workflow_id=handle.id, run_id=None)
    if kind is Kind.REVIEWER_IS_SUBMITTER:
        return Problem(kind, workflowId=handle.id)
    decision = (await _submission(client, handle)).decision
    decided = None if decision is None else Decision.model_validate(decision.model_dump()).model_dump(mode="json")
    return Problem(kind, workflowId=handle.id, decided=decided)


async def _submission(client: Client, handle: WorkflowHandle[Any, PublicationResult]) -> _Submission:
    """Read what was submitted and what has been decided.

    Raises:
        RPCError: with NOT_FOUND when there is no such submission.
    """
    publication: PublicationInput | None = None
    decision: ReviewDecision | None = None
    async for event in handle.fetch_history_events(rpc_timeout=ATTEMPT):
        if event.HasField("workflow_execution_started_event_attributes"):
            started = event.workflow_execution_started_event_attributes
            (publication,) = await client.data_converter.decode(started.input.payloads, [PublicationInput])
        elif decision is None and _is_accepted_review(event):
            accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
            (decision,) = await client.data_converter.decode(accepted.input.args.payloads, [ReviewDecision])
    assert publication is not None, "a history begins with what started it"
    return _Submission(publication, decision)


def _is_accepted_review(event: HistoryEvent) -> bool:
    if not event.HasField("workflow_execution_update_accepted_event_attributes"):
        return False
    return event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name == "review"
