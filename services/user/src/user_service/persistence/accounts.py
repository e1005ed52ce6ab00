"""Accounts and preferences in the database."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update

from platform_runtime.database import Database, upsert
from user_service.domain.accounts import (
    AccountDetails,
    AccountDetailsDifferError,
    AccountStatus,
    Recipient,
    StoredAccount,
)
from user_service.persistence.tables import ACCOUNTS, PREFERENCES

_THEIR_PREFERENCES = and_(PREFERENCES.c.tenant == ACCOUNTS.c.tenant, PREFERENCES.c.user_id == ACCOUNTS.c.user_id)


class SqlAccounts:
    """The port `Accounts` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the accounts in the database."""
        self._database = database

    async def create(self, *, tenant: str, user_id: str, details: AccountDetails, now: datetime) -> None:
        """Create the account, pending; of one that is pending already, replace the details.

        Raises:
            AccountDetailsDifferError: when it is active with other details.
        """
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, ACCOUNTS)
                .values(
                    tenant=tenant,
                    user_id=user_id,
                    email=details.email,
                    name=details.name,
                    status=AccountStatus.PENDING,
                    created_at=now,
                )
                .on_conflict_do_update(
                    index_elements=[ACCOUNTS.c.tenant, ACCOUNTS.c.user_id],
                    set_={"email": details.email, "name": details.name},
                    where=ACCOUNTS.c.status == AccountStatus.PENDING,
                )
            )
            # Whoever wrote last, an account has these details now, or it is active and keeps its own for good.
            stored = (
                await connection.execute(select(ACCOUNTS.c.email, ACCOUNTS.c.name).where(_is(tenant, user_id)))
            ).one()
        if (stored.email, stored.name) != (details.email, details.name):
            raise AccountDetailsDifferError(user_id)

    async def activate(self, *, tenant: str, user_id: str, now: datetime) -> datetime:
        """Make the account active with default preferences, and return since when it is.

        Raises:
            LookupError: when there is no account.
        """
        async with self._database.write() as connection:
            await connection.execute(
                update(ACCOUNTS)
                .where(_is(tenant, user_id), ACCOUNTS.c.status == AccountStatus.PENDING)
                .values(status=AccountStatus.ACTIVE, onboarded_at=now)
            )
            onboarded_at = (
                await connection.execute(select(ACCOUNTS.c.onboarded_at).where(_is(tenant, user_id)))
            ).scalar_one_or_none()
            if onboarded_at is None:
                raise LookupError(f"there is no account of user {user_id} to activate")
            await connection.execute(
                upsert(connection, PREFERENCES)
                .values(tenant=tenant, user_id=user_id, email_enabled=True)
                .on_conflict_do_nothing()
            )
        return onboarded_at

    async def recipient(self, *, tenant: str, user_id: str) -> Recipient | None:
        """Return where the user takes e-mail; None without an active account."""
        query = (
            select(ACCOUNTS.c.email, ACCOUNTS.c.name, PREFERENCES.c.email_enabled)
            .join(PREFERENCES, _THEIR_PREFERENCES)
            .where(_is(tenant, user_id), ACCOUNTS.c.status == AccountStatus.ACTIVE)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Recipient(email=row.email, name=row.name, email_enabled=row.email_enabled)

    async def find(self, *, tenant: str, user_id: str) -> StoredAccount | None:
        """Return the account; None when there is none."""
        query = (
            select(ACCOUNTS.c.status, ACCOUNTS.c.created_at, PREFERENCES.c.email_enabled)
            .outerjoin(PREFERENCES, _THEIR_PREFERENCES)
            .where(_is(tenant, user_id))
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return StoredAccount(
            user_id=user_id,
            status=AccountStatus(row.status),
            created_at=row.created_at,
            email_enabled=row.email_enabled,
        )


def _is(tenant: str, user_id: str) -> ColumnElement[bool]:
    return and_(ACCOUNTS.c.tenant == tenant, ACCOUNTS.c.user_id == user_id)
