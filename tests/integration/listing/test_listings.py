"""A listing goes from draft to archive, each step once, and only for the submission that has it in review."""

from typing import Any

import pytest

from listing_service.domain.listings import (
    ListingDiffersError,
    ListingStatus,
    NotADraftError,
    UnknownListingError,
)
from tests.integration.listing.samples import NOON, TEAPOT, Market, details

OF: dict[str, Any] = {"tenant": "acme", "listing_id": "teapot"}


async def _draft(market: Market) -> ListingStatus:
    return await market.listings.save_draft(**OF, details=TEAPOT, now=NOON)


async def test_draft_is_stored_as_it_was_given_with_all_its_stock_available(market: Market) -> None:
    status = await _draft(market)

    stored = await market.stored()
    assert status is ListingStatus.DRAFT
    assert stored.details == TEAPOT
    assert (stored.available, stored.held, stored.sold) == (3, 0, 0)


async def test_saving_a_draft_again_tells_where_the_listing_stands(market: Market) -> None:
    await market.publish()

    status = await _draft(market)

    assert status is ListingStatus.PUBLISHED


async def test_listing_of_this_id_with_other_contents_is_kept(market: Market) -> None:
    await _draft(market)

    with pytest.raises(ListingDiffersError):
        await market.listings.save_draft(**OF, details=details(minor_units=1), now=NOON)

    assert (await market.stored()).details == TEAPOT


async def test_each_tenant_has_listings_of_its_own(market: Market) -> None:
    await _draft(market)
    await market.listings.save_draft(tenant="other", listing_id="teapot", details=details(stock=9), now=NOON)

    assert (await market.stored()).details.stock == 3
    assert (await market.stored(seller="other")).details.stock == 9


async def test_review_ends_with_a_published_listing(market: Market) -> None:
    await _draft(market)

    await market.listings.take_into_review(**OF, submission_id="s-1")
    await market.listings.take_into_review(**OF, submission_id="s-1")
    status = await market.listings.publish(**OF, submission_id="s-1", now=NOON)
    again = await market.listings.publish(**OF, submission_id="s-1", now=NOON)

    assert (status, again) == (ListingStatus.PUBLISHED, ListingStatus.PUBLISHED)


async def test_listing_has_one_review_at_a_time(market: Market) -> None:
    await _draft(market)
    await market.listings.take_into_review(**OF, submission_id="s-1")

    with pytest.raises(NotADraftError):
        await market.listings.take_into_review(**OF, submission_id="s-2")
    other = await market.listings.publish(**OF, submission_id="s-2", now=NOON)
    given_back = await market.listings.return_to_draft(**OF, submission_id="s-2")

    assert (other, given_back) == (ListingStatus.IN_REVIEW, ListingStatus.IN_REVIEW)


async def test_draft_that_was_given_back_can_be_submitted_anew_but_not_by_the_same_submission(market: Market) -> None:
    await _draft(market)
    await market.listings.take_into_review(**OF, submission_id="s-1")
    status = await market.listings.return_to_draft(**OF, submission_id="s-1")

    with pytest.raises(NotADraftError):
        await market.listings.take_into_review(**OF, submission_id="s-1")
    await market.listings.take_into_review(**OF, submission_id="s-2")

    assert status is ListingStatus.DRAFT
    assert (await market.stored()).status is ListingStatus.IN_REVIEW


async def test_submission_that_was_given_back_first_is_not_taken_in_when_it_arrives(market: Market) -> None:
    await _draft(market)

    await market.listings.return_to_draft(**OF, submission_id="s-1")
    with pytest.raises(NotADraftError):
        await market.listings.take_into_review(**OF, submission_id="s-1")

    assert (await market.stored()).status is ListingStatus.DRAFT


async def test_archived_listing_stays_archived(market: Market) -> None:
    await _draft(market)
    await market.listings.take_into_review(**OF, submission_id="s-1")

    await market.listings.archive(**OF, now=NOON)
    await market.listings.archive(**OF, now=NOON)
    published = await market.listings.publish(**OF, submission_id="s-1", now=NOON)
    given_back = await market.listings.return_to_draft(**OF, submission_id="s-1")

    assert (published, given_back) == (ListingStatus.ARCHIVED, ListingStatus.ARCHIVED)


async def test_listing_that_is_none_cannot_be_changed(market: Market) -> None:
    with pytest.raises(UnknownListingError):
        await market.listings.take_into_review(**OF, submission_id="s-1")
    with pytest.raises(UnknownListingError):
        await market.listings.publish(**OF, submission_id="s-1", now=NOON)
    with pytest.raises(UnknownListingError):
        await market.listings.archive(**OF, now=NOON)

    assert await market.listings.return_to_draft(**OF, submission_id="s-1") is None
    assert await market.listings.find(**OF) is None


async def test_listings_are_read_page_by_page_by_id_and_status(market: Market) -> None:
    for listing_id in ("b", "B", "a-1", "a.1", "~"):
        await market.publish(listing_id)
    await market.listings.archive(tenant="acme", listing_id="b", now=NOON)
    await market.publish("a", seller="other")

    first = await market.listings.page(tenant="acme", status=None, limit=3, after=None)
    rest = await market.listings.page(tenant="acme", status=None, limit=3, after=first[-1].listing_id)
    archived = await market.listings.page(tenant="acme", status=ListingStatus.ARCHIVED, limit=3, after=None)

    assert [each.listing_id for each in (*first, *rest)] == ["B", "a-1", "a.1", "b", "~"]
    assert [each.listing_id for each in archived] == ["b"]
