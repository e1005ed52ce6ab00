"""What came of submissions and purchases stays, whatever is asked later."""

from typing import Any

import pytest

from listing_service.domain.listings import EndedSubmission, ListingStatus, NotADraftError, SubmissionEnd
from listing_service.domain.purchases import PurchaseDiffersError, PurchaseFailedError, PurchaseState
from tests.integration.listing.samples import NOON, TEAPOT, Market, order

OF: dict[str, Any] = {"tenant": "acme", "listing_id": "teapot"}
APPROVED = SubmissionEnd(approved=True, reviewer_id="grace", reason="fine")
FAILED = SubmissionEnd(failure="listing.ReviewOverdue")


@pytest.fixture
async def in_review(market: Market) -> Market:
    """Return a market with a teapot that is in review."""
    await market.listings.save_draft(**OF, details=TEAPOT, now=NOON)
    await market.listings.take_into_review(**OF, submission_id="s-1")
    return market


async def test_first_end_of_a_submission_stays(in_review: Market) -> None:
    listings = in_review.listings
    before = await listings.ended(tenant="acme", submission_id="s-1")

    await listings.publish(**OF, submission_id="s-1", now=NOON, end=APPROVED)
    await listings.return_to_draft(**OF, submission_id="s-1", end=FAILED)
    after = await listings.ended(tenant="acme", submission_id="s-1")

    assert before is None
    assert after == EndedSubmission(listing_id="teapot", listing_status=ListingStatus.PUBLISHED, end=APPROVED)
    assert await listings.ended(tenant="other", submission_id="s-1") is None


async def test_failure_of_a_submission_is_kept_where_there_is_no_listing(market: Market) -> None:
    await market.listings.return_to_draft(**OF, submission_id="s-1", end=FAILED)

    ended = await market.listings.ended(tenant="acme", submission_id="s-1")

    assert ended == EndedSubmission(listing_id="teapot", listing_status=None, end=FAILED)


async def test_submission_that_is_withdrawn_has_not_ended(in_review: Market) -> None:
    await in_review.listings.return_to_draft(**OF, submission_id="s-1")

    assert await in_review.listings.ended(tenant="acme", submission_id="s-1") is None


async def test_submission_that_has_ended_does_not_unmark_the_draft_of_a_later_one(in_review: Market) -> None:
    listings = in_review.listings
    await listings.return_to_draft(**OF, submission_id="s-1", end=FAILED)
    await listings.return_to_draft(**OF, submission_id="s-2")

    status = await listings.return_to_draft(**OF, submission_id="s-1", end=FAILED)

    assert status is ListingStatus.DRAFT
    with pytest.raises(NotADraftError):
        await listings.take_into_review(**OF, submission_id="s-2")


async def test_purchase_that_is_sold_is_found_as_it_was_sold(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])
    await market.confirm("p-1")
    await market.sell("p-1")

    again = await market.reserve("p-1", [order(quantity=2)])

    assert again.state is PurchaseState.SOLD
    assert await market.stock() == (1, 0, 2)


@pytest.mark.parametrize("was_reserved", [True, False])
async def test_first_failure_of_a_purchase_stays(market: Market, *, was_reserved: bool) -> None:
    await market.publish()
    if was_reserved:
        await market.reserve("p-1")
    await market.purchases.release(tenant="buyers", purchase_id="p-1", failure="payment.Declined")

    await market.purchases.release(tenant="buyers", purchase_id="p-1", failure="another")
    with pytest.raises(PurchaseFailedError) as raised:
        await market.reserve("p-1")

    assert raised.value.failure == "payment.Declined"
    assert await market.stock() == (3, 0, 0)


async def test_purchase_that_failed_is_not_taken_for_another(market: Market) -> None:
    await market.publish()
    await market.reserve("p-1", [order(quantity=2)])
    await market.purchases.release(tenant="buyers", purchase_id="p-1", failure="payment.Declined")

    with pytest.raises(PurchaseDiffersError):
        await market.reserve("p-1", [order(quantity=1)])
