"""A submission can be withdrawn until it is decided; the listing is then a draft again, whatever happens meanwhile."""

import asyncio

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError

from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts.listing.publication import PublicationOutcome, ReviewRefusal
from platform_contracts.memo import Compensation, Progress
from tests.fakes.listing import ListingPorts, listing_worker
from tests.fakes.listing_database import FakeListings
from tests.workflow.listing.publications import APPROVED, Submission, listing_status


def _ports(away_for: dict[str, int] | None = None) -> ListingPorts:
    ports = ListingPorts(listings=FakeListings(away_for=away_for))
    ports.listings.add("teapot", status=StoredStatus.DRAFT)
    return ports


async def _withdrawn(submission: Submission) -> Progress:
    with pytest.raises(WorkflowFailureError) as raised:
        await submission.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert (await submission.handle.describe()).status is WorkflowExecutionStatus.CANCELED
    return await submission.progress()


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_cancel_during_the_review_withdraws_it(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = _ports()

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        await submission.handle.cancel()
        progress = await _withdrawn(submission)

    assert progress == Progress(step="returning_to_draft", cancellable=False, compensation=Compensation.DONE)
    assert listing_status(ports) is StoredStatus.DRAFT


async def test_cancel_while_nobody_says_whether_the_partner_may_sell_ends_it(
    own_client: Client, task_queue: str
) -> None:
    ports = _ports()
    ports.partners = None

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("checking")
        await submission.handle.cancel()
        await _withdrawn(submission)

    assert listing_status(ports) is StoredStatus.DRAFT


async def test_cancel_during_the_checks_lets_them_end_and_withdraws_it_then(
    own_client: Client, task_queue: str
) -> None:
    ports = _ports({"take_into_review": 4})

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.tries("take_into_review")
        await submission.handle.cancel()
        await _withdrawn(submission)

    assert ports.listings.calls["take_into_review"] == 5
    assert listing_status(ports) is StoredStatus.DRAFT


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_second_cancel_does_not_stop_the_withdrawal_and_a_decision_is_refused_then(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = _ports({"return_to_draft": 4})

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        await submission.handle.cancel()
        await submission.tries("return_to_draft")
        refusal = await submission.refusal(APPROVED)
        await submission.handle.cancel()
        await _withdrawn(submission)

    assert refusal == ReviewRefusal.NOT_IN_REVIEW
    assert listing_status(ports) is StoredStatus.DRAFT


async def test_cancel_after_the_decision_comes_too_late(own_client: Client, task_queue: str) -> None:
    ports = _ports({"publish": 4})

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        answer = asyncio.create_task(submission.review(APPROVED))
        await submission.tries("publish")
        progress = await submission.progress()
        await submission.handle.cancel()
        result = await submission.result()

    assert progress == Progress(step="publishing", cancellable=False)
    assert result.outcome is PublicationOutcome.PUBLISHED
    assert await answer == result


async def test_decision_and_cancel_at_once_end_in_one_of_the_two_and_the_reviewer_is_told(
    own_client: Client, task_queue: str
) -> None:
    for _ in range(5):
        ports = _ports()
        async with listing_worker(own_client, ports, task_queue=f"{task_queue}-{_}"):
            submission = await Submission(own_client, f"{task_queue}-{_}", ports).start()
            await submission.reaches("in_review")
            _cancelled, answer = await asyncio.gather(
                submission.handle.cancel(), submission.review(APPROVED), return_exceptions=True
            )
            outcome = (await asyncio.gather(submission.result(), return_exceptions=True))[0]

        if listing_status(ports) is StoredStatus.PUBLISHED:
            assert answer == outcome
        else:
            assert listing_status(ports) is StoredStatus.DRAFT
            assert isinstance(outcome, WorkflowFailureError)
            assert isinstance(answer, WorkflowUpdateFailedError)
            assert isinstance(answer.cause, ApplicationError)
            assert answer.cause.type == ReviewRefusal.NOT_IN_REVIEW
