"""A process of its own that onboards and notifies users in a database, as another worker would."""

import asyncio
import sys
from datetime import UTC, datetime

from platform_runtime.database import Database
from user_service.domain.accounts import AccountDetails
from user_service.domain.notifications import InboxEntry, MailOutcome
from user_service.persistence.accounts import SqlAccounts
from user_service.persistence.notifications import SqlInboxes, SqlSentMails

USERS = 40


async def main(url: str, name: str) -> None:
    """Onboard users that every process onboards, and deliver each a notification of this process, eight at a time."""
    async with Database.opened(url) as database:
        accounts, inboxes, sent = SqlAccounts(database), SqlInboxes(database), SqlSentMails(database)
        room = asyncio.Semaphore(8)

        async def onboard(user_id: str) -> None:
            async with room:
                details = AccountDetails(email=f"{user_id}@example.com", name=user_id)
                now = datetime.now(UTC)
                await accounts.create(tenant="acme", user_id=user_id, details=details, now=now)
                await accounts.activate(tenant="acme", user_id=user_id, now=now)
                entry = InboxEntry(
                    notification_id=f"{name}-{user_id}", type="info", subject="Hi", body="Hello", delivered_at=now
                )
                await inboxes.deliver(tenant="acme", user_id=user_id, entry=entry)
                outcome = MailOutcome(status="sent")
                await sent.record(tenant="acme", notification_id=f"welcome-{user_id}", outcome=outcome, now=now)

        await asyncio.gather(*(onboard(f"u-{number}") for number in range(USERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
