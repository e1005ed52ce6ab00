"""A notification is delivered on every channel that is open; no channel holds up or fails the other."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from platform_contracts.analytics.event_intake import event_intake_workflow_id
from platform_contracts.analytics.events import event_of
from platform_contracts.memo import Progress
from platform_contracts.user.failures import UserFailure
from platform_contracts.user.notification import (
    WORKFLOW_TYPE,
    DeliveryReason,
    DeliveryStatus,
)
from platform_workflow_tools import activity_options
from tests.fakes.user import FakeMailer, FakeSentMails, user_worker
from tests.support.waiting import eventually
from tests.workflow.user.notifications import (
    WAIT_SECONDS,
    by_email_of,
    email,
    ports_with_account,
    progress_of,
    result_of,
    start,
)
from user_service.ports import MailNotTakenError, MailRejectedError


@pytest.mark.parametrize("max_cached_workflows", [1000, 0], ids=["cached", "replayed"])
async def test_notification_is_in_the_inbox_and_in_the_mail_and_is_counted(
    own_client: Client, task_queue: str, max_cached_workflows: int
) -> None:
    ports = ports_with_account()

    async with user_worker(own_client, ports, task_queue=task_queue, max_cached_workflows=max_cached_workflows):
        handle = await start(own_client, task_queue)
        by_email = await by_email_of(handle)

    assert ports.analytics is not None
    assert by_email == email(DeliveryStatus.SENT)
    assert [entry.body for _, entry in ports.inboxes.entries.values()] == ["Hello"]
    assert [event.type for event in ports.analytics.events] == ["user.notified"]
    assert await progress_of(handle) == Progress(step="notified", cancellable=False)


async def test_unknown_type_fails_the_notification_at_once(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account()

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(own_client, task_queue, notification_type="sms")
        with pytest.raises(WorkflowFailureError) as raised:
            await result_of(handle)

    assert isinstance(raised.value.cause, ActivityError)
    assert isinstance(raised.value.cause.cause, ApplicationError)
    assert raised.value.cause.cause.type == UserFailure.UNKNOWN_NOTIFICATION_TYPE
    assert ports.mailer.attempts == 0


async def test_input_that_is_none_fails_the_notification_at_once(own_client: Client, task_queue: str) -> None:
    async with user_worker(own_client, ports_with_account(), task_queue=task_queue):
        handle = await own_client.start_workflow(
            WORKFLOW_TYPE, {"tenant": "acme"}, id=f"bad-{uuid4()}", task_queue=task_queue
        )
        with pytest.raises(WorkflowFailureError) as raised:
            await asyncio.wait_for(handle.result(), WAIT_SECONDS)

    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "ValidationError"


async def test_in_app_notification_sends_no_mail(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account()

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue, notification_type="in_app"))

    assert by_email == email(DeliveryStatus.SKIPPED, DeliveryReason.NOT_FOR_THIS_TYPE)
    assert ports.mailer.attempts == 0


async def test_unknown_user_finds_it_in_the_app(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account()

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue, user_id="nobody"))

    assert by_email == email(DeliveryStatus.SKIPPED, DeliveryReason.NO_ADDRESS)
    assert [user_id for user_id, _ in ports.inboxes.entries.values()] == ["nobody"]


async def test_user_who_wants_no_mail_gets_none(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account(email_enabled=False)

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue))

    assert by_email == email(DeliveryStatus.SKIPPED, DeliveryReason.PREFERENCE)


async def test_refused_mail_is_in_the_result_and_fails_nothing(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account(FakeMailer(MailRejectedError(550)))

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue))

    assert by_email == email(DeliveryStatus.FAILED, DeliveryReason.REJECTED)


async def test_mail_is_tried_again_until_it_is_taken(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account(FakeMailer(MailNotTakenError("reply 451")))

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue))

    assert by_email == email(DeliveryStatus.SENT)
    assert ports.mailer.attempts == 2


async def test_mail_that_nobody_takes_in_time_is_given_up(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(activity_options.DELIVERY, "schedule_to_close_timeout", timedelta(seconds=2))
    ports = ports_with_account(FakeMailer(always=MailNotTakenError("reply 451")))

    async with user_worker(own_client, ports, task_queue=task_queue):
        by_email = await by_email_of(await start(own_client, task_queue))

    assert by_email == email(DeliveryStatus.FAILED, DeliveryReason.DEADLINE)


async def test_cancel_comes_too_late_for_a_mail_that_is_given_up(
    own_client: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(activity_options.DELIVERY, "schedule_to_close_timeout", timedelta(seconds=1))
    ports = ports_with_account(FakeMailer(always=MailNotTakenError("reply 451")))
    ports.sent_mails = FakeSentMails(away_for_records=4)

    async def is_given_up() -> bool:
        return not (await progress_of(handle)).cancellable

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(own_client, task_queue)
        await eventually(is_given_up, within_seconds=WAIT_SECONDS)
        await handle.cancel()
        by_email = await by_email_of(handle)

    assert by_email == email(DeliveryStatus.FAILED, DeliveryReason.DEADLINE)


async def test_cancel_while_the_mail_is_tried_again_ends_it_and_leaves_the_inbox(
    own_client: Client, task_queue: str
) -> None:
    ports = ports_with_account(FakeMailer(always=MailNotTakenError("reply 451")))

    async def is_tried_again() -> bool:
        return ports.mailer.attempts > 1

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(own_client, task_queue)
        await eventually(is_tried_again, within_seconds=WAIT_SECONDS)
        progress = await progress_of(handle)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as raised:
            await result_of(handle)

    assert progress == Progress(step="sending_email", cancellable=True)
    assert isinstance(raised.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert len(ports.inboxes.entries) == 1


async def test_cancel_after_the_delivery_comes_too_late_and_loses_no_event(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account(analytics=False)

    async def is_notified() -> bool:
        return (await progress_of(handle)).step == "notified"

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(own_client, task_queue)
        await eventually(is_notified, within_seconds=WAIT_SECONDS)
        await handle.cancel()
        by_email = await by_email_of(handle)

    assert by_email == email(DeliveryStatus.SENT)
    event = event_of(
        tenant="acme",
        event_type="user.notified",
        subject_id=(await handle.result()).notification_id,
        occurred_at=datetime.now(UTC),
    )
    intake = own_client.get_workflow_handle(event_intake_workflow_id(tenant="acme", events=[event]))
    assert (await intake.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_history_knows_neither_the_address_nor_the_name(own_client: Client, task_queue: str) -> None:
    ports = ports_with_account(FakeMailer(MailNotTakenError("reply 451")))

    async with user_worker(own_client, ports, task_queue=task_queue):
        handle = await start(own_client, task_queue)
        await result_of(handle)

    history = b"".join(event.SerializeToString() for event in (await handle.fetch_history()).events)
    assert b"n-" in history
    assert b"ada@example.com" not in history
    assert b"Ada" not in history
