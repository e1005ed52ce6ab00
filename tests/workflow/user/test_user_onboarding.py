"""A user is onboarded once, can be cancelled until the account is active, and nothing after that can fail."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from platform_contracts import memo
from platform_contracts.analytics.event_intake import event_intake_workflow_id
from platform_contracts.analytics.events import event_of
from platform_contracts.memo import Progress
from platform_contracts.user.failures import UserFailure
from platform_contracts.user.notification import Notification, notification_workflow_id
from platform_contracts.user.user_onboarding import (
    WORKFLOW_TYPE,
    AccountStatus,
    UserOnboarding,
    UserOnboardingInput,
    UserOnboardingResult,
    UserPersonalDetails,
)
from tests.fakes.user import FakeAccounts, UserPorts, user_worker
from tests.support.waiting import eventually

WAIT_SECONDS = 30
FOREVER = 1_000_000

Onboarding = WorkflowHandle[Any, UserOnboardingResult]


def _input(user_id: str, *, email: str = "ada@example.com") -> UserOnboardingInput:
    details = UserPersonalDetails(email=email, name="Ada")
    return UserOnboardingInput(tenant="acme", user_id=user_id, details=details)


async def _start(client: Client, task_queue: str, onboarding: UserOnboardingInput) -> Onboarding:
    return await client.start_workflow(
        UserOnboarding.run, onboarding, id=f"acme:test:{uuid4().hex[:12]}", task_queue=task_queue
    )


async def _result(handle: Onboarding) -> UserOnboardingResult:
    return await asyncio.wait_for(handle.result(), WAIT_SECONDS)


async def _progress(handle: WorkflowHandle[Any, Any]) -> Progress:
    return await (await handle.describe()).memo_value(memo.PROGRESS, type_hint=Progress)


async def _welcome(client: Client, notification_id: str) -> object:
    notification = client.get_workflow_handle_for(
        Notification.run, notification_workflow_id(tenant="acme", notification_id=notification_id)
    )
    return await asyncio.wait_for(notification.result(), WAIT_SECONDS)


async def _failure(handle: Onboarding) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as raised:
        await _result(handle)
    error = raised.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    return error.cause


async def _is_retried(handle: WorkflowHandle[Any, Any], activity_type: str) -> bool:
    pending = (await handle.describe()).raw_description.pending_activities
    return any(each.activity_type.name == activity_type and each.attempt > 1 for each in pending)


@asynccontextmanager
async def _retrying(
    client: Client, task_queue: str, user_id: str, activity_type: str, ports: UserPorts
) -> AsyncGenerator[Onboarding]:
    """Yield an onboarding that is held up by an activity that is tried again and again."""
    async with user_worker(client, ports, task_queue=task_queue):
        handle = await _start(client, task_queue, _input(user_id))
        await eventually(lambda: _is_retried(handle, activity_type), within_seconds=WAIT_SECONDS)
        yield handle


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_user_is_onboarded_welcomed_and_counted(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = UserPorts()
    user_id = f"u-{uuid4().hex[:12]}"

    async with user_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await _start(own_client, task_queue, _input(user_id))
        result = await _result(handle)
        await _welcome(own_client, result.welcome_notification_id)

    assert ports.analytics is not None
    assert result == UserOnboardingResult(
        user_id=user_id,
        account_status=AccountStatus.ACTIVE,
        onboarded_at=result.onboarded_at,
        welcome_notification_id=f"welcome-{user_id}",
    )
    assert ports.accounts.accounts["acme", user_id].onboarded_at == result.onboarded_at
    assert await _progress(handle) == Progress(step="onboarded", cancellable=False)
    assert [mail.to for mail in ports.mailer.mails] == ["ada@example.com"]
    assert {(event.type, event.subject_id) for event in ports.analytics.events} == {
        ("user.onboarded", user_id),
        ("user.notified", f"welcome-{user_id}"),
    }


async def test_repeated_onboarding_returns_the_first_result_and_welcomes_once(
    own_client: Client, task_queue: str
) -> None:
    ports = UserPorts()
    user_id = f"u-{uuid4().hex[:12]}"
    welcome = own_client.get_workflow_handle(
        notification_workflow_id(tenant="acme", notification_id=f"welcome-{user_id}")
    )

    async with user_worker(own_client, ports, task_queue=task_queue):
        first = await _result(await _start(own_client, task_queue, _input(user_id)))
        await _welcome(own_client, first.welcome_notification_id)
        first_run_id = (await welcome.describe()).run_id
        again = await _result(await _start(own_client, task_queue, _input(user_id)))

    assert again == first
    assert (await welcome.describe()).run_id == first_run_id
    assert len(ports.mailer.mails) == 1


async def test_onboarding_again_with_other_details_fails_and_keeps_the_account(
    own_client: Client, task_queue: str
) -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-known")

    async with user_worker(own_client, ports, task_queue=task_queue):
        failure = await _failure(await _start(own_client, task_queue, _input("u-known", email="eve@example.com")))

    assert failure.type == UserFailure.ACCOUNT_DETAILS_DIFFER
    assert ports.accounts.accounts["acme", "u-known"].details.email == "ada@example.com"


async def test_invalid_details_fail_the_onboarding_at_once(own_client: Client, task_queue: str) -> None:
    ports = UserPorts()

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await _start(own_client, task_queue, _input("u-1", email="no address"))
        failure = await _failure(handle)

    assert failure.type == UserFailure.INVALID_ACCOUNT_DETAILS
    assert await _progress(handle) == Progress(step="creating_account")


async def test_input_that_is_none_fails_the_onboarding_at_once(own_client: Client, task_queue: str) -> None:
    async with user_worker(own_client, UserPorts(), task_queue=task_queue):
        handle = await own_client.start_workflow(
            WORKFLOW_TYPE, {"tenant": "No Tenant", "user_id": "u-1"}, id=f"bad-{uuid4()}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), WAIT_SECONDS)

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "ValidationError"


async def test_cancel_before_the_account_is_active_ends_it_and_another_try_may_have_other_details(
    own_client: Client, task_queue: str
) -> None:
    user_id = f"u-{uuid4().hex[:12]}"
    accounts = FakeAccounts(create_away_for=FOREVER)

    async with _retrying(own_client, task_queue, user_id, "user.create_account", UserPorts(accounts=accounts)) as first:
        await first.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await _result(first)
    ports = UserPorts()
    async with user_worker(own_client, ports, task_queue=task_queue):
        other = _input(user_id, email="ada@elsewhere.example.com")
        result = await _result(await _start(own_client, task_queue, other))

    assert isinstance(raised.value.cause, CancelledError)
    assert (await first.describe()).status is WorkflowExecutionStatus.CANCELED
    assert accounts.activations == 0
    assert result.account_status is AccountStatus.ACTIVE


async def test_cancel_while_the_account_becomes_active_comes_too_late(own_client: Client, task_queue: str) -> None:
    user_id = f"u-{uuid4().hex[:12]}"
    ports = UserPorts(accounts=FakeAccounts(activate_away_for=4))

    async with _retrying(own_client, task_queue, user_id, "user.activate_account", ports) as handle:
        progress = await _progress(handle)
        await handle.cancel()
        result = await _result(handle)
        await _welcome(own_client, result.welcome_notification_id)

    assert progress == Progress(step="activating_account", cancellable=False)
    assert result.account_status is AccountStatus.ACTIVE
    assert len(ports.mailer.mails) == 1


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_cancel_while_analytics_is_away_comes_too_late_and_loses_no_event(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    user_id = f"u-{uuid4().hex[:12]}"
    ports = UserPorts(analytics=None)

    async def is_welcoming() -> bool:
        return (await _progress(handle)).step == "welcoming"

    async with user_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await _start(own_client, task_queue, _input(user_id))
        await eventually(is_welcoming, within_seconds=WAIT_SECONDS)
        await handle.cancel()
        result = await _result(handle)
        await _welcome(own_client, result.welcome_notification_id)

    event = event_of(tenant="acme", event_type="user.onboarded", subject_id=user_id, occurred_at=result.onboarded_at)
    intake = own_client.get_workflow_handle(event_intake_workflow_id(tenant="acme", events=[event]))
    assert (await intake.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_welcome_of_a_user_with_a_long_id_has_an_id_that_fits(own_client: Client, task_queue: str) -> None:
    ports = UserPorts()
    user_id = f"{uuid4().hex}{uuid4().hex}"

    async with user_worker(own_client, ports, task_queue=task_queue):
        result = await _result(await _start(own_client, task_queue, _input(user_id)))
        await _welcome(own_client, result.welcome_notification_id)

    assert len(result.welcome_notification_id) <= 64
    assert len(ports.mailer.mails) == 1
