"""What has ended once ends alike in a run that knows nothing of the first: Temporal does not keep runs for ever."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from platform_contracts.user.notification import NOTIFICATION_CANCELLED, DeliveryReason, DeliveryStatus
from platform_workflow_tools import activity_options
from tests.fakes.user import FakeMailer, UserPorts, user_worker
from tests.support.waiting import eventually
from tests.workflow.user.notifications import WAIT_SECONDS, Handle, email, ports_with_account, result_of, start
from user_service.ports import MailNotTakenError

CACHED_AND_REPLAYED = pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])


def _new_id() -> str:
    return f"n-{uuid4().hex[:12]}"


def _unlucky() -> UserPorts:
    return ports_with_account(FakeMailer(always=MailNotTakenError("reply 451")))


async def _end(handle: Handle) -> WorkflowExecutionStatus | None:
    with suppress(WorkflowFailureError):
        await result_of(handle)
    return (await handle.describe()).status


async def _failure_type(handle: Handle) -> str | None:
    with pytest.raises(WorkflowFailureError) as raised:
        await result_of(handle)
    assert isinstance(raised.value.cause, ActivityError)
    assert isinstance(raised.value.cause.cause, ApplicationError)
    return raised.value.cause.cause.type


async def _cancelled_when(handle: Handle, holds: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return holds()

    await eventually(asked, within_seconds=WAIT_SECONDS, every_seconds=0.02)
    await handle.cancel()


@CACHED_AND_REPLAYED
async def test_mail_that_was_given_up_stays_so_in_a_run_that_knows_nothing_of_the_first(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch, max_cached_workflows: int
) -> None:
    monkeypatch.setitem(activity_options.DELIVERY, "schedule_to_close_timeout", timedelta(seconds=2))
    ports, notification_id = _unlucky(), _new_id()

    async with user_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        first = await result_of(await start(own_client, task_queue, notification_id=notification_id))
        ports.mailer.heals()
        again = await result_of(await start(own_client, task_queue, notification_id=notification_id))

    assert first.deliveries[1] == email(DeliveryStatus.FAILED, DeliveryReason.DEADLINE)
    assert again == first
    assert ports.mailer.mails == []


@CACHED_AND_REPLAYED
async def test_notification_that_was_cancelled_while_the_mail_was_tried_stays_cancelled(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports, notification_id = _unlucky(), _new_id()

    async with user_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start(own_client, task_queue, notification_id=notification_id)
        await _cancelled_when(handle, lambda: ports.mailer.attempts > 1)
        first = await _end(handle)
        ports.mailer.heals()
        again = await _failure_type(await start(own_client, task_queue, notification_id=notification_id))

    assert first is WorkflowExecutionStatus.CANCELED
    assert again == NOTIFICATION_CANCELLED
    assert len(ports.inboxes.entries) == 1
    assert ports.mailer.mails == []


@pytest.mark.parametrize("notification_type", ["info", "in_app"])
async def test_notification_that_was_cancelled_before_it_was_in_the_inbox_stays_out_of_it(
    own_client: Client, task_queue: str, notification_type: str
) -> None:
    ports, notification_id = ports_with_account(), _new_id()
    ports.inboxes.is_away = True

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(
            own_client, task_queue, notification_type=notification_type, notification_id=notification_id
        )
        await _cancelled_when(handle, lambda: ports.inboxes.attempts > 1)
        first = await _end(handle)
        ports.inboxes.is_away = False
        again = await _failure_type(
            await start(own_client, task_queue, notification_type=notification_type, notification_id=notification_id)
        )

    assert first is WorkflowExecutionStatus.CANCELED
    assert again == NOTIFICATION_CANCELLED
    assert ports.inboxes.entries == {}
    assert ports.mailer.attempts == 0


async def test_notification_that_was_cancelled_before_a_worker_took_it_up_stays_cancelled(
    own_client: Client, task_queue: str
) -> None:
    ports, notification_id = ports_with_account(), _new_id()
    handle = await start(own_client, task_queue, notification_id=notification_id)
    await handle.cancel()

    async with user_worker(own_client, ports, task_queue=task_queue):
        first = await _end(handle)
        again = await _failure_type(await start(own_client, task_queue, notification_id=notification_id))

    assert first is WorkflowExecutionStatus.CANCELED
    assert again == NOTIFICATION_CANCELLED
    assert ports.inboxes.entries == {}
    assert ports.mailer.attempts == 0


async def test_notification_that_was_delivered_stays_so_when_it_is_cancelled_in_another_run(
    own_client: Client, task_queue: str
) -> None:
    ports, notification_id = ports_with_account(), _new_id()
    async with user_worker(own_client, ports, task_queue=task_queue):
        first = await result_of(await start(own_client, task_queue, notification_id=notification_id))
    handle = await start(own_client, task_queue, notification_id=notification_id)
    await handle.cancel()

    async with user_worker(own_client, ports, task_queue=task_queue):
        again = await result_of(handle)

    assert again == first
    assert len(ports.mailer.mails) == 1


async def test_notification_whose_inbox_was_away_for_too_long_is_delivered_once_when_it_is_back(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports, notification_id = ports_with_account(), _new_id()
    ports.inboxes.is_away = True
    with monkeypatch.context() as impatience:
        impatience.setitem(activity_options.DATABASE_WRITE, "schedule_to_close_timeout", timedelta(seconds=1))
        async with user_worker(own_client, ports, task_queue=task_queue):
            first = await _end(await start(own_client, task_queue, notification_id=notification_id))
    ports.inboxes.is_away = False

    async with user_worker(own_client, ports, task_queue=task_queue):
        again = [
            await result_of(await start(own_client, task_queue, notification_id=notification_id)) for _ in range(2)
        ]

    assert first is WorkflowExecutionStatus.FAILED
    assert [each.deliveries[1].status for each in again] == [DeliveryStatus.SENT] * 2
    assert len(ports.inboxes.entries) == len(ports.mailer.mails) == 1
