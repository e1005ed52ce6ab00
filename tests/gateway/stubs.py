"""Workflows that keep the contracts of the user domain and do what a test wants, by the name or type they are given."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from platform_contracts.memo import Progress
from platform_contracts.task_queues import TaskQueue
from platform_contracts.user import notification, user_onboarding
from platform_contracts.user.failures import UserFailure
from platform_contracts.user.notification import (
    NOTIFICATION_CANCELLED,
    Channel,
    Delivery,
    DeliveryReason,
    DeliveryStatus,
    Notification,
    NotificationInput,
    NotificationResult,
)
from platform_contracts.user.user_onboarding import (
    AccountStatus,
    UserOnboarding,
    UserOnboardingInput,
    UserOnboardingResult,
)
from platform_workflow_tools.progress import report_progress

SECRET_TEXT = "host db-7.internal said no to ann@example.com"
"""What no answer of the gateway may repeat."""

WITHDRAWN = "withdrawn"
"""A notification of this type was cancelled in a run that Temporal has forgotten since."""

WAITS = "Waits"
PAST_THE_PIVOT = "Is past the pivot"
WAITS_FOR_A_PERSON = "Waits for a person"
FAILS = "Fails"
FAILS_UNEXPECTEDLY = "Fails unexpectedly"
FAILS_ONCE = "Fails once"
HAS_A_BUG = "Has a bug"
RETRIES = "Retries"
RETRIES_SLOWLY = "Retries slowly"
CALLS_NOBODY = "Calls nobody"
TAKES_A_SECOND = "Takes a second"

UNPOLLED_QUEUE = "queue-of-nobody"

DEADLINE = datetime(2027, 1, 1, tzinfo=UTC)
"""Until when a person is waited for."""

_failed: set[str] = set()
_attempts: Counter[str] = Counter()


@activity.defn(name="user.always_fails")
async def always_fails() -> None:
    raise ApplicationError(SECRET_TEXT, type="user.MailServerAway")


@activity.defn(name="user.fails_slowly")
async def fails_slowly() -> None:
    _attempts.update([activity.info().workflow_id or ""])
    await always_fails()


def attempts_of(workflow_id: str) -> int:
    """Return how often `fails_slowly` was tried for a workflow."""
    return _attempts[workflow_id]


async def _wait_forever() -> None:
    await workflow.wait_condition(lambda: False)


async def _waits() -> None:
    report_progress(Progress(step="creating_account"))
    await _wait_forever()


async def _past_the_pivot() -> None:
    report_progress(Progress(step="activating_account", cancellable=False))
    await _wait_forever()


async def _waits_for_a_person() -> None:
    report_progress(Progress(step="review", waiting_for="reviewer", deadline=DEADLINE))
    await _wait_forever()


async def _fails() -> None:
    raise ApplicationError(SECRET_TEXT, type=UserFailure.INVALID_ACCOUNT_DETAILS, non_retryable=True)


async def _fails_unexpectedly() -> None:
    await workflow.execute_activity(
        always_fails, start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=1)
    )


async def _fails_once() -> None:
    workflow_id = workflow.info().workflow_id
    if workflow_id not in _failed:
        _failed.add(workflow_id)
        await _fails()


async def _has_a_bug() -> None:
    raise KeyError(SECRET_TEXT)


async def _retries() -> None:
    await workflow.execute_activity(
        always_fails,
        start_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_interval=timedelta(seconds=30)),
    )


async def _retries_slowly() -> None:
    await workflow.execute_activity(
        fails_slowly,
        start_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(initial_interval=timedelta(minutes=10)),
    )


async def _calls_nobody() -> None:
    await workflow.execute_activity(
        "nobody.works", task_queue=UNPOLLED_QUEUE, start_to_close_timeout=timedelta(seconds=5)
    )


async def _takes_a_second() -> None:
    await workflow.sleep(1)


_BEHAVIOURS: dict[str, Callable[[], Awaitable[None]]] = {
    WAITS: _waits,
    PAST_THE_PIVOT: _past_the_pivot,
    WAITS_FOR_A_PERSON: _waits_for_a_person,
    FAILS: _fails,
    FAILS_UNEXPECTEDLY: _fails_unexpectedly,
    FAILS_ONCE: _fails_once,
    HAS_A_BUG: _has_a_bug,
    RETRIES: _retries,
    RETRIES_SLOWLY: _retries_slowly,
    CALLS_NOBODY: _calls_nobody,
    TAKES_A_SECOND: _takes_a_second,
}


@workflow.defn(name=user_onboarding.WORKFLOW_TYPE)
class UserOnboardingStub(UserOnboarding):
    @workflow.run
    async def run(self, onboarding: UserOnboardingInput) -> UserOnboardingResult:
        behaviour = _BEHAVIOURS.get(onboarding.details.name)
        if behaviour is not None:
            await behaviour()
        report_progress(Progress(step="onboarded", cancellable=False))
        return UserOnboardingResult(
            user_id=onboarding.user_id,
            account_status=AccountStatus.ACTIVE,
            onboarded_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
            welcome_notification_id=f"welcome-{onboarding.user_id}",
        )


@workflow.defn(name=notification.WORKFLOW_TYPE)
class NotificationStub(Notification):
    @workflow.run
    async def run(self, notification: NotificationInput) -> NotificationResult:
        if notification.type == "sms":
            raise ApplicationError(SECRET_TEXT, type=UserFailure.UNKNOWN_NOTIFICATION_TYPE, non_retryable=True)
        if notification.type == WITHDRAWN:
            raise ApplicationError(SECRET_TEXT, type=NOTIFICATION_CANCELLED, non_retryable=True)
        return NotificationResult(
            notification_id=notification.notification_id,
            deliveries=(
                Delivery(channel=Channel.IN_APP, status=DeliveryStatus.SENT),
                Delivery(channel=Channel.EMAIL, status=DeliveryStatus.SKIPPED, reason=DeliveryReason.NO_ADDRESS),
            ),
        )


def stub_worker(client: Client) -> Worker:
    """Return a worker that runs the stubs on the queue of the user domain."""
    return Worker(
        client,
        task_queue=TaskQueue.USER,
        workflows=[UserOnboardingStub, NotificationStub],
        activities=[always_fails, fails_slowly],
        workflow_runner=UnsandboxedWorkflowRunner(),
        # Without a name the SDK reads every loaded module to make one.
        build_id="stub",
    )
