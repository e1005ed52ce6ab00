"""How submissions ended, in the database."""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from listing_service.domain.listings import EndedSubmission, ListingStatus, SubmissionEnd
from listing_service.persistence.tables import SUBMISSIONS
from platform_runtime.database import upsert


async def keep_end(connection: AsyncConnection, tenant: str, submission_id: str, ended: EndedSubmission) -> None:
    """Keep how a submission ended, if it had not ended before."""
    await connection.execute(
        upsert(connection, SUBMISSIONS)
        .values(
            tenant=tenant,
            submission_id=submission_id,
            listing_id=ended.listing_id,
            listing_status=ended.listing_status,
            approved=ended.end.approved,
            reviewer_id=ended.end.reviewer_id,
            reason=ended.end.reason,
            failure=ended.end.failure,
        )
        .on_conflict_do_nothing()
    )


def has_ended(tenant: str, submission_id: str) -> ColumnElement[bool]:
    """Return the condition that the end of the submission is kept."""
    return exists().where(SUBMISSIONS.c.tenant == tenant, SUBMISSIONS.c.submission_id == submission_id)


async def find_ended(connection: AsyncConnection, tenant: str, submission_id: str) -> EndedSubmission | None:
    """Return how a submission ended; None when it has not."""
    query = select(SUBMISSIONS).where(SUBMISSIONS.c.tenant == tenant, SUBMISSIONS.c.submission_id == submission_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return EndedSubmission(
        listing_id=row.listing_id,
        listing_status=None if row.listing_status is None else ListingStatus(row.listing_status),
        end=SubmissionEnd(approved=row.approved, reviewer_id=row.reviewer_id, reason=row.reason, failure=row.failure),
    )
