"""Inboxes and sent mails in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, literal, select, tuple_

from platform_runtime.database import Database, UtcDateTime, upsert
from user_service.domain.notifications import InboxEntry, InboxPosition, MailOutcome
from user_service.persistence.tables import DELIVERIES, INBOX_ENTRIES

_EMAIL: Final = "email"


class SqlInboxes:
    """The port `Inboxes` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the inboxes in the database."""
        self._database = database

    async def deliver(self, *, tenant: str, user_id: str, entry: InboxEntry) -> None:
        """Put the entry into the user's inbox, unless one of its id was delivered before."""
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, INBOX_ENTRIES)
                .values(
                    tenant=tenant,
                    notification_id=entry.notification_id,
                    user_id=user_id,
                    type=entry.type,
                    subject=entry.subject,
                    body=entry.body,
                    delivered_at=entry.delivered_at,
                )
                .on_conflict_do_nothing()
            )

    async def page(self, *, tenant: str, user_id: str, limit: int, after: InboxPosition | None) -> Sequence[InboxEntry]:
        """Return at most `limit` entries, newest first; those after a position, or the first ones."""
        table = INBOX_ENTRIES.c
        query = (
            select(INBOX_ENTRIES)
            .where(table.tenant == tenant, table.user_id == user_id)
            .order_by(table.delivered_at.desc(), table.notification_id.desc())
            .limit(limit)
        )
        if after is not None:
            # Two entries of the same moment are told apart by their ids, so that none is shown twice or left out.
            position = tuple_(literal(after.delivered_at, UtcDateTime), literal(after.notification_id))
            query = query.where(tuple_(table.delivered_at, table.notification_id) < position)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            InboxEntry(
                notification_id=row.notification_id,
                type=row.type,
                subject=row.subject,
                body=row.body,
                delivered_at=row.delivered_at,
            )
            for row in rows
        ]


class SqlSentMails:
    """The port `SentMails` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep in the database what was sent."""
        self._database = database

    async def outcome(self, *, tenant: str, notification_id: str) -> MailOutcome | None:
        """Return what came of the notification; None while that is open."""
        async with self._database.read() as connection:
            query = select(DELIVERIES).where(_is_mail(tenant, notification_id))
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else MailOutcome(status=row.status, reason=row.reason)

    async def record(self, *, tenant: str, notification_id: str, outcome: MailOutcome, now: datetime) -> MailOutcome:
        """Remember what came of the notification, and return what is remembered: what was recorded first stays."""
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, DELIVERIES)
                .values(
                    tenant=tenant,
                    notification_id=notification_id,
                    channel=_EMAIL,
                    sent_at=now,
                    status=outcome.status,
                    reason=outcome.reason,
                )
                .on_conflict_do_nothing()
            )
            row = (await connection.execute(select(DELIVERIES).where(_is_mail(tenant, notification_id)))).one()
        return MailOutcome(status=row.status, reason=row.reason)


def _is_mail(tenant: str, notification_id: str) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.tenant == tenant,
        DELIVERIES.c.notification_id == notification_id,
        DELIVERIES.c.channel == _EMAIL,
    )
