"""The ports of the user service in memory, a stand-in for analytics, and a worker that runs on them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from platform_contracts.analytics.events import Event
from platform_contracts.analytics.record_events import RECORD_EVENTS, RecordEventsRequest, RecordEventsResult
from platform_runtime.sandbox import workflow_runner
from user_service.activities.accounts import AccountActivities
from user_service.activities.notifications import NotificationActivities
from user_service.domain import templates
from user_service.domain.account_rules import checked_details
from user_service.domain.accounts import (
    AccountDetails,
    AccountDetailsDifferError,
    AccountStatus,
    Recipient,
    StoredAccount,
)
from user_service.domain.notifications import InboxEntry, InboxPosition, MailOutcome
from user_service.ports import Mail
from user_service.workflows.notification import NotificationWorkflow
from user_service.workflows.user_onboarding import UserOnboardingWorkflow


@dataclass
class FakeAccount:
    """One account in memory."""

    details: AccountDetails
    created_at: datetime
    onboarded_at: datetime | None = None
    email_enabled: bool = True


class FakeAccounts:
    """Keeps accounts in a dictionary; each of its writes can be away for some calls."""

    def __init__(self, *, create_away_for: int = 0, activate_away_for: int = 0) -> None:
        """Refuse this many calls first."""
        self.accounts: dict[tuple[str, str], FakeAccount] = {}
        self.creates = 0
        self.activations = 0
        self._create_away_for = create_away_for
        self._activate_away_for = activate_away_for

    def add_active(
        self, user_id: str, *, tenant: str = "acme", email: str = "ada@example.com", email_enabled: bool = True
    ) -> None:
        """Have an active account."""
        moment = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
        self.accounts[tenant, user_id] = FakeAccount(
            AccountDetails(email=email, name="Ada"), moment, moment, email_enabled
        )

    async def create(self, *, tenant: str, user_id: str, details: AccountDetails, now: datetime) -> None:
        self.creates += 1
        if self.creates <= self._create_away_for:
            raise ConnectionError("the database is away")
        account = self.accounts.setdefault((tenant, user_id), FakeAccount(details, now))
        if account.onboarded_at is None:
            account.details = details
        if account.details != details:
            raise AccountDetailsDifferError(user_id)

    async def activate(self, *, tenant: str, user_id: str, now: datetime) -> datetime:
        self.activations += 1
        if self.activations <= self._activate_away_for:
            raise ConnectionError("the database is away")
        account = self.accounts[tenant, user_id]
        account.onboarded_at = account.onboarded_at or now
        return account.onboarded_at

    async def recipient(self, *, tenant: str, user_id: str) -> Recipient | None:
        account = self.accounts.get((tenant, user_id))
        if account is None or account.onboarded_at is None:
            return None
        return Recipient(email=account.details.email, name=account.details.name, email_enabled=account.email_enabled)

    async def find(self, *, tenant: str, user_id: str) -> StoredAccount | None:
        account = self.accounts.get((tenant, user_id))
        if account is None:
            return None
        is_active = account.onboarded_at is not None
        return StoredAccount(
            user_id=user_id,
            status=AccountStatus.ACTIVE if is_active else AccountStatus.PENDING,
            created_at=account.created_at,
            email_enabled=account.email_enabled if is_active else None,
        )


class FakeInboxes:
    """Keeps inboxes in a dictionary; can be away."""

    def __init__(self) -> None:
        """Begin empty."""
        self.entries: dict[tuple[str, str], tuple[str, InboxEntry]] = {}
        self.is_away = False
        self.attempts = 0

    async def deliver(self, *, tenant: str, user_id: str, entry: InboxEntry) -> None:
        self.attempts += 1
        if self.is_away:
            raise ConnectionError("the database is away")
        self.entries.setdefault((tenant, entry.notification_id), (user_id, entry))

    async def page(self, *, tenant: str, user_id: str, limit: int, after: InboxPosition | None) -> Sequence[InboxEntry]:
        theirs = [
            entry
            for (owner, _), (user, entry) in self.entries.items()
            if (owner, user) == (tenant, user_id)
            and (
                after is None
                or (entry.delivered_at, entry.notification_id) < (after.delivered_at, after.notification_id)
            )
        ]
        return sorted(theirs, key=lambda entry: (entry.delivered_at, entry.notification_id), reverse=True)[:limit]


class FakeSentMails:
    """Remembers what was sent; can forget to, like a worker that is killed before it could write it down."""

    def __init__(self, *, away_for_records: int = 0) -> None:
        """Refuse this many records first."""
        self.outcomes: dict[tuple[str, str], MailOutcome] = {}
        self._away_for_records = away_for_records

    async def outcome(self, *, tenant: str, notification_id: str) -> MailOutcome | None:
        return self.outcomes.get((tenant, notification_id))

    async def record(self, *, tenant: str, notification_id: str, outcome: MailOutcome, now: datetime) -> MailOutcome:
        if self._away_for_records > 0:
            self._away_for_records -= 1
            raise ConnectionError("the database is away")
        return self.outcomes.setdefault((tenant, notification_id), outcome)


class FakeMailer:
    """Takes mails, or raises what it was told to, in this order."""

    def __init__(self, *failures: Exception, always: Exception | None = None) -> None:
        """Fail with these first, or with the same one always."""
        self.mails: list[Mail] = []
        self.attempts = 0
        self._failures = list(failures)
        self._always = always

    def heals(self) -> None:
        """Take every mail from now on."""
        self._always = None
        self._failures.clear()

    async def send(self, mail: Mail) -> None:
        self.attempts += 1
        if self._always is not None:
            raise self._always
        if self._failures:
            raise self._failures.pop(0)
        self.mails.append(mail)


class FakeAnalytics:
    """The published activity of analytics, with its own memory."""

    def __init__(self) -> None:
        """Begin without events."""
        self.events: list[Event] = []

    @activity.defn(name=RECORD_EVENTS.name)
    async def record_events(self, request: RecordEventsRequest) -> RecordEventsResult:
        """Remember the events."""
        self.events.extend(request.events)
        return RecordEventsResult(recorded=len(request.events), duplicates=0)


@dataclass
class UserPorts:
    """All fakes of the user service together."""

    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    inboxes: FakeInboxes = field(default_factory=FakeInboxes)
    sent_mails: FakeSentMails = field(default_factory=FakeSentMails)
    mailer: FakeMailer = field(default_factory=FakeMailer)
    analytics: FakeAnalytics | None = field(default_factory=FakeAnalytics)
    """None: nobody works for analytics."""

    def account_activities(self) -> AccountActivities:
        """Return the real activities on these ports."""
        return AccountActivities(self.accounts, checked_details)

    def notification_activities(self) -> NotificationActivities:
        """Return the real activities on these ports."""
        return NotificationActivities(
            accounts=self.accounts,
            inboxes=self.inboxes,
            sent_mails=self.sent_mails,
            mailer=self.mailer,
            templates=templates,
        )


@asynccontextmanager
async def user_worker(
    client: Client, ports: UserPorts, *, task_queue: str, max_cached_workflows: int = 1000
) -> AsyncGenerator[None]:
    """Run the real workflows and activities on fake ports, and the stand-in for analytics beside them.

    The queue of analytics has one name, so the client's namespace has to be the test's own.
    """
    of_accounts, of_notifications = ports.account_activities(), ports.notification_activities()
    async with AsyncExitStack() as stack:
        if ports.analytics is not None:
            await stack.enter_async_context(
                Worker(client, task_queue=RECORD_EVENTS.task_queue, activities=[ports.analytics.record_events])
            )
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=task_queue,
                workflows=[UserOnboardingWorkflow, NotificationWorkflow],
                activities=[
                    of_accounts.create_account,
                    of_accounts.activate_account,
                    of_notifications.deliver_in_app,
                    of_notifications.give_up_email,
                    of_notifications.cancel_notification,
                    of_notifications.send_email,
                ],
                workflow_runner=workflow_runner(),
                max_cached_workflows=max_cached_workflows,
                graceful_shutdown_timeout=timedelta(seconds=1),
            )
        )
        yield
