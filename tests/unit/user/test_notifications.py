"""Which notifications there are and who gets them by e-mail."""

import pytest

from user_service.domain.notifications import KINDS, UnknownNotificationTypeError, is_wanted_by_email, kind_of


@pytest.mark.parametrize("notification_type", ["sms", "", "EMAIL", "email ", "mail"])
def test_unknown_type_is_refused_with_its_name(notification_type: str) -> None:
    with pytest.raises(UnknownNotificationTypeError) as raised:
        kind_of(notification_type)

    assert raised.value.notification_type == notification_type


@pytest.mark.parametrize("notification_type", ["email", "info", "alert", "welcome"])
def test_who_wants_e_mail_gets_it(notification_type: str) -> None:
    assert is_wanted_by_email(kind_of(notification_type), email_enabled=True)


@pytest.mark.parametrize("notification_type", ["email", "info", "welcome"])
def test_who_wants_no_e_mail_gets_none(notification_type: str) -> None:
    assert not is_wanted_by_email(kind_of(notification_type), email_enabled=False)


def test_alert_reaches_who_wants_no_e_mail() -> None:
    assert is_wanted_by_email(kind_of("alert"), email_enabled=False)


@pytest.mark.parametrize("email_enabled", [True, False])
def test_in_app_stays_in_the_app(email_enabled: bool) -> None:
    assert not is_wanted_by_email(kind_of("in_app"), email_enabled=email_enabled)


def test_there_are_these_types() -> None:
    assert set(KINDS) == {"email", "info", "alert", "welcome", "in_app"}
