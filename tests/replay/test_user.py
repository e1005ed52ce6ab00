"""What the workflows of the user service did, on every branch; the code of today has to be able to go on from there."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from platform_contracts import memo
from platform_contracts.memo import Progress
from platform_contracts.user.notification import (
    Notification,
    NotificationInput,
    notification_workflow_id,
)
from platform_contracts.user.user_onboarding import (
    WORKFLOW_TYPE,
    AccountStatus,
    UserOnboarding,
    UserOnboardingInput,
    UserOnboardingResult,
    UserPersonalDetails,
)
from platform_workflow_tools import activity_options
from tests.fakes.user import FakeAccounts, FakeMailer, UserPorts, user_worker
from tests.support.histories import Scenario, record, recorded_histories, replay
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually
from user_service.ports import MailNotTakenError, MailRejectedError
from user_service.workflows.notification import NotificationWorkflow
from user_service.workflows.user_onboarding import UserOnboardingWorkflow

DOMAIN = "user"
FOREVER = 1_000_000
WAIT_SECONDS = 30

Handle = WorkflowHandle[Any, Any]


def _onboarding(user_id: str, *, email: str = "ada@example.com") -> UserOnboardingInput:
    details = UserPersonalDetails(email=email, name="Ada")
    return UserOnboardingInput(tenant="acme", user_id=user_id, details=details)


async def _start_onboarding(client: Client, task_queue: str, onboarding: UserOnboardingInput) -> Handle:
    # Not the id of the contract: a scenario may be one of several onboardings of its user.
    workflow_id = f"acme:user:user-onboarding:{uuid4().hex[:12]}"
    return await client.start_workflow(UserOnboarding.run, onboarding, id=workflow_id, task_queue=task_queue)


async def _start_notification(
    client: Client, task_queue: str, *, notification_type: str, user_id: str, notification_id: str | None = None
) -> Handle:
    notification = NotificationInput(
        tenant="acme",
        notification_id=notification_id or f"n-{uuid4().hex[:12]}",
        user_id=user_id,
        type=notification_type,
        message="Hello",
    )
    workflow_id = notification_workflow_id(tenant="acme", notification_id=notification.notification_id)
    return await client.start_workflow(Notification.run, notification, id=workflow_id, task_queue=task_queue)


async def _closed(handle: Handle) -> Handle:
    try:
        await handle.result()
    except WorkflowFailureError:
        return handle
    return handle


async def _step(handle: Handle) -> str:
    progress = await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)
    return progress.step


async def _cancelled_when(handle: Handle, question: Callable[[], Awaitable[bool]]) -> None:
    await eventually(question, within_seconds=WAIT_SECONDS)
    await handle.cancel()


def _onboarded(ports: Callable[[], UserPorts], *, email: str = "ada@example.com") -> Scenario:
    """Return a scenario that onboards a new user."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with user_worker(client, ports(), task_queue=task_queue):
            onboarding = _onboarding(f"u-{uuid4().hex[:12]}", email=email)
            return await _closed(await _start_onboarding(client, task_queue, onboarding))

    return scenario


async def _onboarded_again(client: Client, task_queue: str) -> Handle:
    user_id = f"u-{uuid4().hex[:12]}"
    async with user_worker(client, UserPorts(), task_queue=task_queue):
        await _closed(await _start_onboarding(client, task_queue, _onboarding(user_id)))
        return await _closed(await _start_onboarding(client, task_queue, _onboarding(user_id)))


async def _refused_for_other_details(client: Client, task_queue: str) -> Handle:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    async with user_worker(client, ports, task_queue=task_queue):
        onboarding = _onboarding("u-1", email="eve@example.com")
        return await _closed(await _start_onboarding(client, task_queue, onboarding))


async def _onboarding_cancelled(client: Client, task_queue: str) -> Handle:
    accounts = FakeAccounts(create_away_for=FOREVER)

    async def is_trying() -> bool:
        return accounts.creates > 1

    async with user_worker(client, UserPorts(accounts=accounts), task_queue=task_queue):
        handle = await _start_onboarding(client, task_queue, _onboarding(f"u-{uuid4().hex[:12]}"))
        await _cancelled_when(handle, is_trying)
        return await _closed(handle)


async def _onboarding_cancelled_too_late(client: Client, task_queue: str) -> Handle:
    accounts = FakeAccounts(activate_away_for=3)

    async def is_trying() -> bool:
        return accounts.activations > 1

    async with user_worker(client, UserPorts(accounts=accounts), task_queue=task_queue):
        handle = await _start_onboarding(client, task_queue, _onboarding(f"u-{uuid4().hex[:12]}"))
        await _cancelled_when(handle, is_trying)
        return await _closed(handle)


async def _onboarding_cancelled_while_analytics_is_away(client: Client, task_queue: str) -> Handle:
    async def is_welcoming() -> bool:
        return await _step(handle) == "welcoming"

    async with user_worker(client, UserPorts(analytics=None), task_queue=task_queue):
        handle = await _start_onboarding(client, task_queue, _onboarding(f"u-{uuid4().hex[:12]}"))
        await _cancelled_when(handle, is_welcoming)
        return await _closed(handle)


def _notified(
    ports: Callable[[], UserPorts] = UserPorts, *, notification_type: str = "info", user_id: str = "u-1"
) -> Scenario:
    """Return a scenario that notifies a user; u-1 has an account."""

    async def scenario(client: Client, task_queue: str) -> Handle:
        async with _worker_with_account(client, ports(), task_queue):
            return await _closed(
                await _start_notification(client, task_queue, notification_type=notification_type, user_id=user_id)
            )

    return scenario


async def _mail_given_up(client: Client, task_queue: str) -> Handle:
    ports = UserPorts(mailer=FakeMailer(always=MailNotTakenError("reply 451")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(activity_options.DELIVERY, "schedule_to_close_timeout", timedelta(seconds=2))
        async with _worker_with_account(client, ports, task_queue):
            return await _closed(await _start_notification(client, task_queue, notification_type="info", user_id="u-1"))


async def _notification_cancelled(client: Client, task_queue: str) -> Handle:
    ports = UserPorts(mailer=FakeMailer(always=MailNotTakenError("reply 451")))

    async def is_trying() -> bool:
        return ports.mailer.attempts > 1

    async with _worker_with_account(client, ports, task_queue):
        handle = await _start_notification(client, task_queue, notification_type="info", user_id="u-1")
        await _cancelled_when(handle, is_trying)
        return await _closed(handle)


async def _notification_cancelled_before_a_worker_took_it_up(client: Client, task_queue: str) -> Handle:
    handle = await _start_notification(client, task_queue, notification_type="info", user_id="u-1")
    await handle.cancel()
    async with _worker_with_account(client, UserPorts(), task_queue):
        return await _closed(handle)


async def _notification_cancelled_and_asked_for_again(client: Client, task_queue: str) -> Handle:
    notification_id = f"n-{uuid4().hex[:12]}"
    asked: dict[str, Any] = {"notification_type": "info", "user_id": "u-1", "notification_id": notification_id}
    handle = await _start_notification(client, task_queue, **asked)
    await handle.cancel()
    async with _worker_with_account(client, UserPorts(), task_queue):
        await _closed(handle)
        return await _closed(await _start_notification(client, task_queue, **asked))


async def _notification_cancelled_too_late(client: Client, task_queue: str) -> Handle:
    async def is_notified() -> bool:
        return await _step(handle) == "notified"

    async with _worker_with_account(client, UserPorts(analytics=None), task_queue):
        handle = await _start_notification(client, task_queue, notification_type="info", user_id="u-1")
        await _cancelled_when(handle, is_notified)
        return await _closed(handle)


@asynccontextmanager
async def _worker_with_account(client: Client, ports: UserPorts, task_queue: str) -> AsyncGenerator[None]:
    ports.accounts.add_active("u-1")
    async with user_worker(client, ports, task_queue=task_queue):
        yield


SCENARIOS: dict[str, Scenario] = {
    "user_onboarding-onboarded": _onboarded(UserPorts),
    "user_onboarding-onboarded_again": _onboarded_again,
    "user_onboarding-onboarded_while_analytics_is_away": _onboarded(lambda: UserPorts(analytics=None)),
    "user_onboarding-refused_as_invalid": _onboarded(UserPorts, email="no address"),
    "user_onboarding-refused_for_other_details": _refused_for_other_details,
    "user_onboarding-cancelled": _onboarding_cancelled,
    "user_onboarding-cancelled_too_late": _onboarding_cancelled_too_late,
    "user_onboarding-cancelled_while_analytics_is_away": _onboarding_cancelled_while_analytics_is_away,
    "notification-delivered": _notified(),
    "notification-delivered_while_analytics_is_away": _notified(lambda: UserPorts(analytics=None)),
    "notification-delivered_in_app_only": _notified(notification_type="in_app"),
    "notification-without_an_address": _notified(user_id="nobody"),
    "notification-refused_as_unknown": _notified(notification_type="sms"),
    "notification-mail_rejected": _notified(lambda: UserPorts(mailer=FakeMailer(MailRejectedError(550)))),
    "notification-mail_taken_later": _notified(lambda: UserPorts(mailer=FakeMailer(MailNotTakenError("reply 451")))),
    "notification-mail_given_up": _mail_given_up,
    "notification-mail_given_up_for_good": _mail_given_up,
    "notification-cancelled": _notification_cancelled,
    "notification-cancelled_before_a_worker_took_it_up": _notification_cancelled_before_a_worker_took_it_up,
    "notification-cancelled_too_late": _notification_cancelled_too_late,
    # Since a cancelled one is kept.
    "notification-cancelled_for_good": _notification_cancelled,
    "notification-cancelled_for_good_before_a_worker_took_it_up": _notification_cancelled_before_a_worker_took_it_up,
    "notification-cancelled_and_asked_for_again": _notification_cancelled_and_asked_for_again,
}


# Recording runs every scenario on a real server; the waits of the branches without analytics take seconds each.
@pytest.mark.timeout(300)
async def test_every_scenario_has_a_history(
    temporal_server: WorkflowEnvironment, *, regenerate: bool, traced: None
) -> None:
    if regenerate:
        # The stand-in for analytics polls its one queue, so it does that in a namespace of its own.
        await record(await new_namespace(temporal_server), domain=DOMAIN, scenarios=SCENARIOS)

    found = {path.stem for path in recorded_histories(DOMAIN)}

    assert found == set(SCENARIOS), "record the histories with `python3 noxfile.py regenerate`"


@pytest.mark.parametrize("name", SCENARIOS)
async def test_code_of_today_can_go_on_from_the_recorded_run(name: str, traced: None) -> None:
    outcome = await replay(DOMAIN, name, workflows=[UserOnboardingWorkflow, NotificationWorkflow])

    assert outcome is None, outcome


@workflow.defn(name=WORKFLOW_TYPE)
class _OtherOnboarding(UserOnboarding):
    @workflow.run
    async def run(self, onboarding: UserOnboardingInput) -> UserOnboardingResult:
        await workflow.sleep(1)
        return UserOnboardingResult(
            user_id=onboarding.user_id,
            account_status=AccountStatus.ACTIVE,
            onboarded_at=workflow.now(),
            welcome_notification_id="welcome",
        )


async def test_code_that_does_something_else_is_noticed(traced: None) -> None:
    outcome = await replay(DOMAIN, "user_onboarding-onboarded", workflows=[_OtherOnboarding])

    assert outcome is not None
    assert "workflow.patched" in outcome
