"""The mail as it goes over the wire."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP

from hypothesis import given
from hypothesis import strategies as st

from user_service.ports import Mail
from user_service.providers.smtp import SmtpMailer, SmtpServer, message_id

SENDER = Address(display_name="Partner Platform", addr_spec="no-reply@partner.example")


def _mail(**changes: str) -> Mail:
    values = {"tenant": "acme", "notification_id": "n-1", "to": "ada@example.com", "subject": "Hi", "body": "Hello\n"}
    return Mail(**{**values, **changes}, date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def _mailer() -> SmtpMailer:
    return SmtpMailer(SmtpServer(host="localhost"), sender=SENDER)


def test_mail_has_the_headers_a_reader_and_a_support_desk_need() -> None:
    message = _mailer().message(_mail(subject="Grüße"))

    assert message["From"] == "Partner Platform <no-reply@partner.example>"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == "Grüße"
    assert message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert message["X-Notification-Id"] == "n-1"
    assert message["Message-ID"] == message_id(tenant="acme", notification_id="n-1", domain="partner.example")
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"


def test_repeated_mail_has_the_same_message_id_and_every_other_mail_another() -> None:
    ids = {
        message_id(tenant=tenant, notification_id=notification_id, domain="partner.example")
        for tenant in ("acme", "other")
        for notification_id in ("n-1", "n-2", "n-1")
    }

    assert len(ids) == 4


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), max_size=500))
def test_text_arrives_as_it_was_written(line: str) -> None:
    sent = _mailer().message(_mail(body=f"{line}\nlast\n"))

    arrived = message_from_bytes(sent.as_bytes(), policy=SMTP)
    assert arrived.get_content().replace("\r\n", "\n") == f"{line}\nlast\n"
    assert max(len(wire_line) for wire_line in sent.as_bytes().split(b"\r\n")) <= 998
