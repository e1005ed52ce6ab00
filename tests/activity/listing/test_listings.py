"""Listings come on the market and leave it, each step once, however often it is tried."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from listing_service.activities.listings import End, KeptEnd, ListingKey, ListingState, SaveDraft, SubmittedListing
from listing_service.domain.listings import ListingDetails as StoredDetails
from listing_service.domain.listings import ListingStatus as StoredStatus
from platform_contracts.listing.failures import ListingFailure
from platform_contracts.listing.listing_draft import ListingDetails, ListingStatus
from platform_contracts.listing.publication import SUBMISSION_CANCELLED
from platform_contracts.money import Money
from tests.fakes.listing import ListingPorts
from tests.fakes.listing_database import FakeListings

EUR_12_50 = Money(minor_units=1250, currency="EUR")
SUBMITTED = SubmittedListing(tenant="acme", listing_id="teapot", submission_id="s-1")


def _draft(title: str = " Teapot ", price: Money = EUR_12_50) -> SaveDraft:
    details = ListingDetails(title=title, price=price, stock=3)
    return SaveDraft(tenant="acme", listing_id="teapot", details=details)


async def _run(activity: Any, request: Any) -> Any:
    return await ActivityEnvironment().run(activity, request)


async def _failure(activity: Any, request: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await _run(activity, request)
    assert raised.value.non_retryable
    assert raised.value.category is ApplicationErrorCategory.BENIGN
    return raised.value


async def test_draft_is_saved_in_one_spelling_and_a_repeat_in_another_one_is_the_same() -> None:
    ports = ListingPorts()

    first = await _run(ports.listing_activities().save_draft, _draft())
    again = await _run(ports.listing_activities().save_draft, _draft("Teapot"))

    assert first == again == ListingState(status=ListingStatus.DRAFT)
    assert ports.listings.listings["acme", "teapot"].details.title == "Teapot"


async def test_other_contents_and_impossible_ones_fail_for_good() -> None:
    ports = ListingPorts()
    await _run(ports.listing_activities().save_draft, _draft())

    differs = await _failure(ports.listing_activities().save_draft, _draft("Other"))
    invalid = await _failure(ports.listing_activities().save_draft, _draft(price=EUR_12_50.times(-1)))

    assert (differs.type, invalid.type) == (ListingFailure.LISTING_DIFFERS, ListingFailure.INVALID_LISTING)


async def test_draft_in_order_is_taken_into_review_with_the_times_that_are_set() -> None:
    ports = ListingPorts(remind_after=timedelta(hours=1), overdue_after=timedelta(hours=2))
    listing = ports.listings.add("teapot", status=StoredStatus.DRAFT)

    first = await _run(ports.listing_activities().check_listing, SUBMITTED)
    again = await _run(ports.listing_activities().check_listing, SUBMITTED)

    assert first == again
    assert (first.problems, first.title) == ((), "Teapot")
    assert (first.remind_after, first.overdue_after) == (timedelta(hours=1), timedelta(hours=2))
    assert listing.status is StoredStatus.IN_REVIEW


async def test_draft_with_problems_stays_a_draft() -> None:
    ports = ListingPorts()
    details = StoredDetails(title="XL", description="", price=EUR_12_50, stock=3)
    listing = ports.listings.add("teapot", details=details, status=StoredStatus.DRAFT)

    checked = await _run(ports.listing_activities().check_listing, SUBMITTED)

    assert checked.problems == ("The title needs at least 3 characters.",)
    assert listing.status is StoredStatus.DRAFT


@pytest.mark.parametrize("title", ["Teapot", "XL"], ids=["in order", "with problems"])
async def test_listing_that_is_no_draft_cannot_be_submitted(title: str) -> None:
    ports = ListingPorts()
    details = StoredDetails(title=title, description="", price=EUR_12_50, stock=3)
    ports.listings.add("teapot", details=details, status=StoredStatus.ARCHIVED)

    failure = await _failure(ports.listing_activities().check_listing, SUBMITTED)

    assert failure.type == ListingFailure.NOT_A_DRAFT


async def test_unknown_listing_cannot_be_submitted_published_or_archived_but_given_back() -> None:
    activities = ListingPorts().listing_activities()
    key = ListingKey(tenant="acme", listing_id="teapot")

    failures = [
        await _failure(activity, request)
        for activity, request in (
            (activities.check_listing, SUBMITTED),
            (activities.publish, SUBMITTED),
            (activities.archive, key),
        )
    ]
    given_back = await _run(activities.return_to_draft, SUBMITTED)

    assert [failure.type for failure in failures] == [ListingFailure.UNKNOWN_LISTING] * 3
    assert given_back == ListingState(status=None)


async def test_check_that_arrives_after_its_listing_was_given_back_changes_nothing() -> None:
    ports = ListingPorts()
    listing = ports.listings.add("teapot", status=StoredStatus.DRAFT)
    await _run(ports.listing_activities().return_to_draft, SUBMITTED)

    failure = await _failure(ports.listing_activities().check_listing, SUBMITTED)

    assert failure.type == ListingFailure.NOT_A_DRAFT
    assert listing.status is StoredStatus.DRAFT


async def test_end_of_a_submission_is_found_and_its_listing_left_alone() -> None:
    ports = ListingPorts()
    listing = ports.listings.add("teapot", status=StoredStatus.DRAFT)
    activities = ports.listing_activities()
    before = await _run(activities.find_end, SUBMITTED)
    cancelled = SUBMITTED.model_copy(update={"end": End(failure=SUBMISSION_CANCELLED)})
    await _run(activities.return_to_draft, cancelled)
    listing.submission_id = "s-2"

    failure = await _failure(activities.find_end, SUBMITTED)
    await _run(activities.return_to_draft, cancelled)

    assert before == KeptEnd(end=None)
    assert failure.type == SUBMISSION_CANCELLED
    assert (listing.status, listing.submission_id) == (StoredStatus.DRAFT, "s-2")


async def test_end_of_a_submission_of_another_listing_is_not_told() -> None:
    ports = ListingPorts()
    activities = ports.listing_activities()
    await _run(activities.return_to_draft, SUBMITTED.model_copy(update={"end": End(reason="No picture.")}))

    failure = await _failure(activities.find_end, SUBMITTED.model_copy(update={"listing_id": "cup"}))

    assert failure.type == ListingFailure.NOT_A_DRAFT


async def test_database_that_is_away_is_tried_again() -> None:
    ports = ListingPorts(listings=FakeListings(away_for={"save_draft": 1}))

    with pytest.raises(ConnectionError):
        await _run(ports.listing_activities().save_draft, _draft())
