"""The texts of the notifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from user_service.domain.notifications import KINDS, RenderedNotification, UnknownNotificationTypeError
from user_service.domain.templates import mail_body, render


@pytest.mark.parametrize("notification_type", sorted(KINDS))
def test_every_type_has_a_text_with_the_message_in_it(notification_type: str) -> None:
    text = render(notification_type, "Your parcel is here.")

    assert "Your parcel is here." in text.body
    assert text.subject


def test_type_without_a_text_is_unknown() -> None:
    with pytest.raises(UnknownNotificationTypeError):
        render("sms", "Hello")


def test_welcome_needs_no_message() -> None:
    assert render("welcome", "").body == "Welcome! Your account is ready."


@pytest.mark.parametrize(
    "message", ["{{ 7 * 7 }}", "{% for x in y %}", "{{ self.__class__ }}", "<b>&amp;</b>", "{# x #}"]
)
def test_message_that_looks_like_a_template_is_text(message: str) -> None:
    assert render("info", message).body == message


def test_lines_of_a_message_are_kept_and_what_cannot_be_shown_is_left_out() -> None:
    text = render("info", "one\r\ntwo\rthree\tfour\x00\x1b\ud800")

    assert text.body == "one\ntwo\nthree\tfour"


@given(message=st.text(max_size=300), notification_type=st.sampled_from(sorted(KINDS)))
def test_no_message_gets_into_the_subject_or_breaks_the_text(message: str, notification_type: str) -> None:
    text = render(notification_type, message)

    assert text.subject == render(notification_type, "").subject
    assert "\n" not in text.subject
    assert "\0" not in text.body
    assert text.body.encode().decode() == text.body


def test_mail_greets_its_reader_by_name() -> None:
    letter = mail_body(RenderedNotification(subject="Hi", body="The body {{ name }}"), name="Ada {{ body }}")

    assert letter.startswith("Hello Ada {{ body }},\n\nThe body {{ name }}\n")
    assert letter.endswith("\n")
