"""Listings in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from listing_service.domain.listings import (
    EndedSubmission,
    ListingDetails,
    ListingDiffersError,
    ListingStatus,
    NotADraftError,
    StoredListing,
    SubmissionEnd,
    UnknownListingError,
)
from listing_service.persistence.submissions import find_ended, has_ended, keep_end
from listing_service.persistence.tables import LISTINGS
from platform_contracts.money import Money
from platform_runtime.database import Database, upsert


class SqlListings:
    """The port `Listings` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the listings in the database."""
        self._database = database

    async def save_draft(
        self, *, tenant: str, listing_id: str, details: ListingDetails, now: datetime
    ) -> ListingStatus:
        """Save a new draft, and return where the listing stands; a repeat changes nothing.

        Raises:
            ListingDiffersError: when there is one of this id with other contents.
        """
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, LISTINGS)
                .values(
                    tenant=tenant,
                    listing_id=listing_id,
                    title=details.title,
                    description=details.description,
                    price_minor_units=details.price.minor_units,
                    currency=details.price.currency,
                    exponent=details.price.exponent,
                    status=ListingStatus.DRAFT,
                    stock=details.stock,
                    available=details.stock,
                    held=0,
                    sold=0,
                    drafted_at=now,
                )
                .on_conflict_do_nothing()
            )
            stored = _listing((await connection.execute(select(LISTINGS).where(_is(tenant, listing_id)))).one())
        if stored.details != details:
            raise ListingDiffersError(listing_id)
        return stored.status

    async def take_into_review(self, *, tenant: str, listing_id: str, submission_id: str) -> None:
        """Make the draft one in review, for this submission; a repeat changes nothing.

        Raises:
            UnknownListingError: when there is none.
            NotADraftError: when it is no draft, or when this submission has been given back already.
        """
        async with self._database.write() as connection:
            await connection.execute(
                update(LISTINGS)
                .where(
                    _is(tenant, listing_id),
                    LISTINGS.c.status == ListingStatus.DRAFT,
                    # An attempt that comes late must not take in what its workflow has given back.
                    or_(LISTINGS.c.submission_id.is_(None), LISTINGS.c.submission_id != submission_id),
                )
                .values(status=ListingStatus.IN_REVIEW, submission_id=submission_id)
            )
            query = select(LISTINGS.c.status, LISTINGS.c.submission_id).where(_is(tenant, listing_id))
            stored = (await connection.execute(query)).one_or_none()
        if stored is None:
            raise UnknownListingError(listing_id)
        if (stored.status, stored.submission_id) != (ListingStatus.IN_REVIEW, submission_id):
            raise NotADraftError(listing_id)

    async def ended(self, *, tenant: str, submission_id: str) -> EndedSubmission | None:
        """Return what came of a submission; None while it goes on, and where there is none."""
        async with self._database.read() as connection:
            return await find_ended(connection, tenant, submission_id)

    async def publish(
        self, *, tenant: str, listing_id: str, submission_id: str, now: datetime, end: SubmissionEnd | None = None
    ) -> ListingStatus:
        """Publish the listing if it is in review for this submission, and return where it stands then.

        With it the end of the submission is kept, the first one for good.

        Raises:
            UnknownListingError: when there is none.
        """
        statement = (
            update(LISTINGS)
            .where(_is_in_review(tenant, listing_id, submission_id))
            .values(status=ListingStatus.PUBLISHED, published_at=now)
        )
        status = await self._submitted(statement, tenant, listing_id, submission_id, end)
        if status is None:
            raise UnknownListingError(listing_id)
        return status

    async def return_to_draft(
        self, *, tenant: str, listing_id: str, submission_id: str, end: SubmissionEnd | None = None
    ) -> ListingStatus | None:
        """Make the listing a draft again if it is in review for this submission, and return where it stands then.

        With it the end of the submission is kept, the first one for good; None for one that may be made again. From
        then on this submission cannot take it into review any more, and one that has ended changes nothing. None where
        there is no such listing.
        """
        statement = (
            update(LISTINGS)
            .where(
                or_(
                    _is_in_review(tenant, listing_id, submission_id),
                    and_(
                        _is(tenant, listing_id),
                        LISTINGS.c.status == ListingStatus.DRAFT,
                        # By now the draft may be marked for another submission, whose late attempts it has to refuse.
                        not_(has_ended(tenant, submission_id)),
                    ),
                )
            )
            .values(status=ListingStatus.DRAFT, submission_id=submission_id)
        )
        return await self._submitted(statement, tenant, listing_id, submission_id, end)

    async def archive(self, *, tenant: str, listing_id: str, now: datetime) -> None:
        """Take the listing off the market for good; a repeat changes nothing.

        Raises:
            UnknownListingError: when there is none.
        """
        statement = (
            update(LISTINGS)
            .where(_is(tenant, listing_id), LISTINGS.c.status != ListingStatus.ARCHIVED)
            .values(status=ListingStatus.ARCHIVED, archived_at=now)
        )
        async with self._database.write() as connection:
            if await _changed(connection, statement, tenant, listing_id) is None:
                raise UnknownListingError(listing_id)

    async def find(self, *, tenant: str, listing_id: str) -> StoredListing | None:
        """Return the listing; None when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(LISTINGS).where(_is(tenant, listing_id)))).one_or_none()
        return None if row is None else _listing(row)

    async def page(
        self, *, tenant: str, status: ListingStatus | None, limit: int, after: str | None
    ) -> Sequence[StoredListing]:
        """Return at most `limit` listings by id; those after an id, or the first ones."""
        query = select(LISTINGS).where(LISTINGS.c.tenant == tenant).order_by(LISTINGS.c.listing_id).limit(limit)
        if status is not None:
            query = query.where(LISTINGS.c.status == status)
        if after is not None:
            query = query.where(LISTINGS.c.listing_id > after)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_listing(row) for row in rows]

    async def _submitted(
        self, statement: Any, tenant: str, listing_id: str, submission_id: str, end: SubmissionEnd | None
    ) -> ListingStatus | None:
        """Change the listing for a submission and keep the end of that, in one transaction."""
        async with self._database.write() as connection:
            status = await _changed(connection, statement, tenant, listing_id)
            if end is not None:
                ended = EndedSubmission(listing_id=listing_id, listing_status=status, end=end)
                await keep_end(connection, tenant, submission_id, ended)
        return status


async def _changed(connection: AsyncConnection, statement: Any, tenant: str, listing_id: str) -> ListingStatus | None:
    """Run the conditional update, and return where the listing stands after it; None where there is none."""
    await connection.execute(statement)
    status = await connection.scalar(select(LISTINGS.c.status).where(_is(tenant, listing_id)))
    return None if status is None else ListingStatus(status)


def _is(tenant: str, listing_id: str) -> ColumnElement[bool]:
    return and_(LISTINGS.c.tenant == tenant, LISTINGS.c.listing_id == listing_id)


def _is_in_review(tenant: str, listing_id: str, submission_id: str) -> ColumnElement[bool]:
    return and_(
        _is(tenant, listing_id),
        LISTINGS.c.status == ListingStatus.IN_REVIEW,
        LISTINGS.c.submission_id == submission_id,
    )


def _listing(row: Row[Any]) -> StoredListing:
    return StoredListing(
        listing_id=row.listing_id,
        details=ListingDetails(
            title=row.title,
            description=row.description,
            price=Money(minor_units=row.price_minor_units, currency=row.currency, exponent=row.exponent),
            stock=row.stock,
        ),
        status=ListingStatus(row.status),
        available=row.available,
        held=row.held,
        sold=row.sold,
    )
