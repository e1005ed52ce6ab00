"""Each channel delivers a notification once, and says what came of it."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from platform_contracts.user.failures import UserFailure
from platform_contracts.user.notification import (
    NOTIFICATION_CANCELLED,
    Channel,
    Delivery,
    DeliveryReason,
    DeliveryStatus,
)
from tests.fakes.user import FakeMailer, FakeSentMails, UserPorts
from user_service.activities.notifications import (
    CancelledNotification,
    CancelNotification,
    DeliverNotification,
    GiveUpEmail,
)
from user_service.ports import MailNotTakenError, MailRejectedError

GIVEN_UP = GiveUpEmail(tenant="acme", notification_id="n-1")
CANCELLED = CancelNotification(tenant="acme", notification_id="n-1")


def _request(notification_type: str = "info") -> DeliverNotification:
    return DeliverNotification(
        tenant="acme", notification_id="n-1", user_id="u-1", type=notification_type, message="Hello"
    )


def _email(status: DeliveryStatus, reason: DeliveryReason | None = None) -> Delivery:
    return Delivery(channel=Channel.EMAIL, status=status, reason=reason)


async def test_notification_is_in_the_inbox_once_however_often_it_is_delivered() -> None:
    ports = UserPorts()
    activities = ports.notification_activities()

    await ActivityEnvironment().run(activities.deliver_in_app, _request())
    first = dict(ports.inboxes.entries)
    await ActivityEnvironment().run(activities.deliver_in_app, _request())

    assert ports.inboxes.entries == first
    assert [entry.body for _, entry in first.values()] == ["Hello"]


@pytest.mark.parametrize(("notification_type", "is_for_email"), [("info", True), ("in_app", False)])
async def test_delivery_says_whether_the_type_is_for_email(notification_type: str, is_for_email: bool) -> None:
    activities = UserPorts().notification_activities()

    delivered = await ActivityEnvironment().run(activities.deliver_in_app, _request(notification_type))

    assert delivered.is_for_email is is_for_email


async def test_unknown_type_fails_for_good_and_delivers_nothing() -> None:
    ports = UserPorts()

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(ports.notification_activities().deliver_in_app, _request("sms"))

    assert raised.value.type == UserFailure.UNKNOWN_NOTIFICATION_TYPE
    assert raised.value.non_retryable
    assert ports.inboxes.entries == {}


async def test_mail_goes_to_the_address_of_the_account() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1", email="ada@example.com")

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert outcome == _email(DeliveryStatus.SENT)
    assert [(mail.to, mail.notification_id) for mail in ports.mailer.mails] == [("ada@example.com", "n-1")]
    assert ports.mailer.mails[0].body.startswith("Hello Ada,\n\nHello\n")


async def test_repeat_after_the_mail_was_recorded_sends_nothing() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()

    await ActivityEnvironment().run(activities.send_email, _request())
    again = await ActivityEnvironment().run(activities.send_email, _request())

    assert again == _email(DeliveryStatus.SENT)
    assert len(ports.mailer.mails) == 1


async def test_mail_that_could_not_be_recorded_is_sent_again_as_the_same_mail() -> None:
    ports = UserPorts(sent_mails=FakeSentMails(away_for_records=1))
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()

    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(activities.send_email, _request())
    await ActivityEnvironment().run(activities.send_email, _request())

    assert [(mail.tenant, mail.notification_id) for mail in ports.mailer.mails] == [("acme", "n-1")] * 2


async def test_unknown_user_has_no_address() -> None:
    ports = UserPorts()

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert outcome == _email(DeliveryStatus.SKIPPED, DeliveryReason.NO_ADDRESS)


async def test_user_of_another_tenant_has_no_address_here() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1", tenant="other")

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert outcome == _email(DeliveryStatus.SKIPPED, DeliveryReason.NO_ADDRESS)


async def test_preference_is_respected() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1", email_enabled=False)

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert outcome == _email(DeliveryStatus.SKIPPED, DeliveryReason.PREFERENCE)
    assert ports.mailer.attempts == 0


async def test_alert_is_sent_against_the_preference() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1", email_enabled=False)

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request("alert"))

    assert outcome == _email(DeliveryStatus.SENT)


async def test_refused_mail_is_an_outcome() -> None:
    ports = UserPorts(mailer=FakeMailer(MailRejectedError(550)))
    ports.accounts.add_active("u-1")

    outcome = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert outcome == _email(DeliveryStatus.FAILED, DeliveryReason.REJECTED)


@pytest.mark.parametrize("is_known", [False, True])
async def test_mail_that_was_skipped_stays_skipped_whatever_changes(*, is_known: bool) -> None:
    ports = UserPorts()
    if is_known:
        ports.accounts.add_active("u-1", email_enabled=False)
    first = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())
    ports.accounts.add_active("u-1", email_enabled=True)

    again = await ActivityEnvironment().run(ports.notification_activities().send_email, _request())

    assert first.status is DeliveryStatus.SKIPPED
    assert again == first
    assert ports.mailer.mails == []


async def test_mail_that_was_given_up_is_not_sent_any_more() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()

    given_up = await ActivityEnvironment().run(activities.give_up_email, GIVEN_UP)
    again = await ActivityEnvironment().run(activities.give_up_email, GIVEN_UP)
    sent = await ActivityEnvironment().run(activities.send_email, _request())

    assert given_up == again == sent == _email(DeliveryStatus.FAILED, DeliveryReason.DEADLINE)
    assert ports.mailer.attempts == 0


async def test_mail_that_was_sent_cannot_be_given_up() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()
    await ActivityEnvironment().run(activities.send_email, _request())

    given_up = await ActivityEnvironment().run(activities.give_up_email, GIVEN_UP)

    assert given_up == _email(DeliveryStatus.SENT)


async def test_notification_that_was_cancelled_reaches_nobody_any_more() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()

    cancelled = await ActivityEnvironment().run(activities.cancel_notification, CANCELLED)
    again = await ActivityEnvironment().run(activities.cancel_notification, CANCELLED)
    attempts = await asyncio.gather(
        ActivityEnvironment().run(activities.deliver_in_app, _request()),
        ActivityEnvironment().run(activities.deliver_in_app, _request("sms")),
        ActivityEnvironment().run(activities.send_email, _request()),
        ActivityEnvironment().run(activities.give_up_email, GIVEN_UP),
        return_exceptions=True,
    )

    assert cancelled == again == CancelledNotification(delivery=None)
    for attempt in attempts:
        assert isinstance(attempt, ApplicationError)
        assert (attempt.type, attempt.non_retryable) == (NOTIFICATION_CANCELLED, True)
    assert ports.inboxes.entries == {}
    assert ports.mailer.attempts == 0


async def test_notification_whose_mail_was_sent_cannot_be_cancelled() -> None:
    ports = UserPorts()
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()
    await ActivityEnvironment().run(activities.send_email, _request())

    cancelled = await ActivityEnvironment().run(activities.cancel_notification, CANCELLED)
    in_app = await ActivityEnvironment().run(activities.deliver_in_app, _request())

    assert cancelled.delivery == _email(DeliveryStatus.SENT)
    assert in_app.is_for_email


async def test_mail_that_was_not_taken_is_tried_again() -> None:
    ports = UserPorts(mailer=FakeMailer(MailNotTakenError("reply 451")))
    ports.accounts.add_active("u-1")
    activities = ports.notification_activities()

    with pytest.raises(MailNotTakenError):
        await ActivityEnvironment().run(activities.send_email, _request())
    outcome = await ActivityEnvironment().run(activities.send_email, _request())

    assert outcome == _email(DeliveryStatus.SENT)
