"""A submission is checked, reviewed by a person who is not its submitter, and published or given back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from listing_service.domain.listings import ListingDetails
from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.listing_draft import ListingStatus
from platform_contracts.listing.publication import PublicationOutcome, PublicationResult, ReviewDecision, ReviewRefusal
from platform_contracts.memo import Progress
from platform_contracts.money import Money
from tests.fakes.listing import FakePartners, ListingPorts, listing_worker
from tests.fakes.listing_database import FakeListings
from tests.support.waiting import eventually
from tests.workflow.listing.publications import APPROVED, REJECTED, WAIT_SECONDS, Submission, listing_status


def _ports(*, status: StoredStatus = StoredStatus.DRAFT, listings: FakeListings | None = None) -> ListingPorts:
    ports = ListingPorts(listings=listings)
    ports.listings.add("teapot", status=status)
    return ports


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_approved_listing_is_published_told_of_and_counted(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = _ports()

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        waiting = await submission.progress()
        answer = await submission.review(APPROVED)
        result = await submission.result()
        told = await submission.notification("review-outcome")

    assert ports.analytics is not None
    assert waiting == Progress(step="in_review", waiting_for="review", deadline=waiting.deadline)
    assert answer == result
    assert result == PublicationResult(
        listing_id="teapot",
        submission_id=submission.submission_id,
        outcome=PublicationOutcome.PUBLISHED,
        listing_status=ListingStatus.PUBLISHED,
        reviewer_id="r-1",
    )
    assert listing_status(ports) is StoredStatus.PUBLISHED
    assert await submission.progress() == Progress(step="decided", cancellable=False)
    assert (told.user_id, told.message) == ("u-1", "Your listing teapot was published.")
    assert [(event.type, event.subject_id) for event in ports.analytics.events] == [("listing.published", "teapot")]


async def test_submission_tells_until_when_it_waits_for_its_review(own_client: Client, task_queue: str) -> None:
    ports = _ports()
    submitted_at = datetime.now(UTC)

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        waiting = await submission.progress()
        await submission.review(APPROVED)
        await submission.result()

    assert waiting.deadline is not None
    assert submitted_at <= waiting.deadline - timedelta(days=7) <= datetime.now(UTC)
    assert (await submission.progress()).deadline is None


async def test_rejected_listing_is_a_draft_again_and_can_be_submitted_anew(own_client: Client, task_queue: str) -> None:
    ports = _ports()

    async with listing_worker(own_client, ports, task_queue=task_queue):
        first = await Submission(own_client, task_queue, ports).start()
        await first.reaches("in_review")
        rejected = await first.review(REJECTED)
        await first.result()
        second = await Submission(own_client, task_queue, ports).start()
        await second.reaches("in_review")
        approved = await second.review(APPROVED)

    assert (rejected.outcome, rejected.reason) == (PublicationOutcome.REJECTED, "No picture.")
    assert rejected.listing_status is ListingStatus.DRAFT
    assert approved.listing_status is ListingStatus.PUBLISHED


async def test_checks_give_back_what_nobody_has_to_look_at_and_say_why(own_client: Client, task_queue: str) -> None:
    ports = ListingPorts()
    price = Money(minor_units=0, currency="EUR")
    ports.listings.add(
        "teapot",
        status=StoredStatus.DRAFT,
        details=ListingDetails(title="Stolen teapot", description="", price=price, stock=0),
    )

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        result = await submission.result()

    assert (result.outcome, result.listing_status) == (PublicationOutcome.REJECTED, ListingStatus.DRAFT)
    assert result.reviewer_id is None
    assert result.reason == (
        "The price must be above zero. There is nothing in stock. The word “stolen” is not allowed."
    )
    assert listing_status(ports) is StoredStatus.DRAFT


async def test_unknown_listing_fails_it(own_client: Client, task_queue: str) -> None:
    ports = ListingPorts()

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        failure_type = await submission.failure_type()

    assert failure_type == ListingFailure.UNKNOWN_LISTING


@pytest.mark.parametrize("status", [StoredStatus.IN_REVIEW, StoredStatus.PUBLISHED, StoredStatus.ARCHIVED])
async def test_listing_that_is_no_draft_fails_it_and_stays_what_it_is(
    own_client: Client, task_queue: str, status: StoredStatus
) -> None:
    ports = _ports(status=status)

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        failure_type = await submission.failure_type()

    assert failure_type == ListingFailure.NOT_A_DRAFT
    assert listing_status(ports) is status


async def test_partner_that_may_not_sell_publishes_nothing(own_client: Client, task_queue: str) -> None:
    ports = _ports()
    ports.partners = FakePartners(may_not_sell=["acme"])

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        failure_type = await submission.failure_type()

    assert failure_type == ListingFailure.PARTNER_MAY_NOT_SELL
    assert ports.listings.calls["take_into_review"] == 0


async def test_submitter_may_not_review(own_client: Client, task_queue: str) -> None:
    ports = _ports()

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        refusal = await submission.refusal(ReviewDecision(reviewer_id="u-1", approved=True))
        answer = await submission.review(APPROVED)

    assert refusal == ReviewRefusal.REVIEWER_IS_SUBMITTER
    assert answer.reviewer_id == "r-1"


async def test_decision_before_the_review_is_refused(own_client: Client, task_queue: str) -> None:
    ports = _ports()
    ports.partners = None

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("checking")
        refusal = await submission.refusal(APPROVED)
        await submission.handle.terminate()

    assert refusal == ReviewRefusal.NOT_IN_REVIEW


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_first_decision_counts_and_is_answered_alike_however_often_it_is_given(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = _ports(listings=FakeListings(away_for={"publish": 4}))

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        first = asyncio.create_task(submission.review(APPROVED))
        await submission.tries("publish")
        refusals = [await submission.refusal(each) for each in (REJECTED, APPROVED.model_copy(update={"reason": "!"}))]
        again = await submission.review(APPROVED)
        answer = await first
        result = await submission.result()

    assert refusals == [ReviewRefusal.ALREADY_DECIDED] * 2
    assert again == answer == result
    assert answer.outcome is PublicationOutcome.PUBLISHED


async def test_two_reviewers_at_once_get_one_decision(own_client: Client, task_queue: str) -> None:
    ports = _ports()
    other = ReviewDecision(reviewer_id="r-2", approved=False)

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        answers = await asyncio.gather(submission.review(APPROVED), submission.review(other), return_exceptions=True)
        result = await submission.result()

    assert len([answer for answer in answers if isinstance(answer, PublicationResult)]) == 1
    assert result in answers


async def test_listing_archived_during_the_review_stays_archived(own_client: Client, task_queue: str) -> None:
    ports = _ports()

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        ports.listings.listings["acme", "teapot"].status = StoredStatus.ARCHIVED
        answer = await submission.review(APPROVED)

    assert (answer.outcome, answer.listing_status) == (PublicationOutcome.REJECTED, ListingStatus.ARCHIVED)
    assert answer.reason == "The listing is archived by now."


async def test_reviewer_is_answered_at_once_while_analytics_is_away(own_client: Client, task_queue: str) -> None:
    ports = _ports()
    ports.analytics = None

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        async with asyncio.timeout(2):
            answer = await submission.review(APPROVED)
        result = await submission.result()

    assert result == answer


async def test_reviewers_are_reminded_once_and_may_still_decide(own_client: Client, task_queue: str) -> None:
    ports = ListingPorts(remind_after=timedelta(milliseconds=200))
    ports.listings.add("teapot", status=StoredStatus.DRAFT)

    async with listing_worker(own_client, ports, task_queue=task_queue):
        submission = await Submission(own_client, task_queue, ports).start()
        await submission.reaches("in_review")
        reminder = await eventually(lambda: submission.notification("review-reminder"), within_seconds=WAIT_SECONDS)
        answer = await submission.review(APPROVED)

    assert answer.outcome is PublicationOutcome.PUBLISHED
    assert (reminder.tenant, reminder.user_id, reminder.type) == ("acme", "reviewers", "info")
    assert "“Teapot”" in reminder.message


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
@pytest.mark.parametrize("remind_after_seconds", [0.2, 100], ids=["reminded", "not reminded"])
async def test_submission_that_nobody_decides_on_is_a_draft_again_after_the_deadline(
    own_client: Client, task_queue: str, remind_after_seconds: float, max_cached_workflows: int
) -> None:
    ports = ListingPorts(remind_after=timedelta(seconds=remind_after_seconds), overdue_after=timedelta(seconds=0.6))
    ports.listings.add("teapot", status=StoredStatus.DRAFT)

    async with listing_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        submission = await Submission(own_client, task_queue, ports).start()
        failure_type = await submission.failure_type()

    assert failure_type == ListingFailure.REVIEW_OVERDUE
    assert listing_status(ports) is StoredStatus.DRAFT
