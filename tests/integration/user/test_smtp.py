"""Mails over real SMTP: what a mail server gets, and what its answers mean."""

import asyncio
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.headerregistry import Address
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.integration.user.samples import Mailpit
from tests.support.network import free_port
from user_service.ports import Mail, MailNotTakenError, MailRejectedError
from user_service.providers import smtp
from user_service.providers.smtp import Security, SmtpMailer, SmtpServer, message_id

SENDER = Address(display_name="Partner Platform", addr_spec="no-reply@partner.example")


def _mailer(port: int, security: Security = "none", *, password: str | None = None) -> SmtpMailer:
    username = None if password is None else "postman"
    server = SmtpServer(host="127.0.0.1", port=port, security=security, username=username, password=password)
    return SmtpMailer(server, sender=SENDER)


def _mail(*, body: str = "Hello\n") -> Mail:
    return Mail(
        tenant="acme",
        notification_id=f"n-{uuid4().hex[:12]}",
        to="ada@example.com",
        subject="Grüße aus Łódź",
        body=body,
        date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


async def test_mail_arrives_as_it_was_written(mailpit: Mailpit) -> None:
    mail = _mail(body=f"Hello Ada,\n\n.a line that begins with a dot\n{'long ' * 400}\n👋 Łódź\n")

    await _mailer(mailpit.port).send(mail)

    (arrived,) = await mailpit.mails(mail.notification_id)
    assert arrived["text"].replace("\r\n", "\n").rstrip() == mail.body.rstrip()
    assert arrived["From"] == "Partner Platform <no-reply@partner.example>"
    assert arrived["To"] == "ada@example.com"
    assert arrived["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert arrived["Content-Type"].startswith("text/plain")
    assert "utf-8" in arrived["Content-Type"]


async def test_mail_that_is_sent_twice_is_known_by_its_message_id(mailpit: Mailpit) -> None:
    mail = _mail()

    await _mailer(mailpit.port).send(mail)
    await _mailer(mailpit.port).send(mail)

    first, second = await mailpit.mails(mail.notification_id)
    expected = message_id(tenant="acme", notification_id=mail.notification_id, domain="partner.example")
    assert first["Message-Id"] == second["Message-Id"] == expected


async def test_refused_recipient_is_refused_for_good(mailpit: Mailpit) -> None:
    mail = _mail()
    await mailpit.fail("Recipient", 550)

    with pytest.raises(MailRejectedError) as raised:
        await _mailer(mailpit.port).send(mail)

    assert raised.value.code == 550
    assert await mailpit.mails(mail.notification_id) == []


@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        pytest.param("Recipient", 451, id="recipient-for-now"),
        pytest.param("Sender", 451, id="sender-for-now"),
        # A sender that is set wrong is ours to mend, and no fault of the mail.
        pytest.param("Sender", 553, id="sender-for-good"),
    ],
)
async def test_mail_that_is_not_taken_now_may_be_later(mailpit: Mailpit, trigger: str, code: int) -> None:
    mail = _mail()
    await mailpit.fail(trigger, code)

    with pytest.raises(MailNotTakenError):
        await _mailer(mailpit.port).send(mail)
    await mailpit.work()
    await _mailer(mailpit.port).send(mail)

    assert len(await mailpit.mails(mail.notification_id)) == 1


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Return where the spans of the provider go in this test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(smtp, "_tracer", provider.get_tracer("test"))
    return exporter


async def test_span_of_a_mail_says_where_it_went_and_not_to_whom(mailpit: Mailpit, spans: InMemorySpanExporter) -> None:
    mail = _mail()

    await _mailer(mailpit.port).send(mail)

    (span,) = spans.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == ("smtp.send", SpanKind.CLIENT, StatusCode.UNSET)
    assert span.attributes == {
        "server.address": "127.0.0.1",
        "server.port": mailpit.port,
        "network.protocol.name": "smtp",
        "messaging.message.id": message_id(
            tenant="acme", notification_id=mail.notification_id, domain="partner.example"
        ),
    }


async def test_span_of_a_refused_mail_is_an_error_that_quotes_no_address(
    mailpit: Mailpit, spans: InMemorySpanExporter
) -> None:
    await mailpit.fail("Recipient", 550)

    with pytest.raises(MailRejectedError):
        await _mailer(mailpit.port).send(_mail())

    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "550"
    assert "ada@" not in span.to_json()


async def test_server_that_is_away_may_come_back() -> None:
    with pytest.raises(MailNotTakenError):
        await _mailer(free_port()).send(_mail())


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_is_never_sent_unencrypted_where_encryption_was_asked_for(
    mailpit: Mailpit, security: Security
) -> None:
    mail = _mail()

    with pytest.raises(MailNotTakenError):
        await _mailer(mailpit.port, security).send(mail)

    assert await mailpit.mails(mail.notification_id) == []


async def test_log_in_that_the_server_does_not_offer_may_be_mended(mailpit: Mailpit) -> None:
    with pytest.raises(MailNotTakenError) as raised:
        await _mailer(mailpit.port, password="s3cret").send(_mail())

    assert "s3cret" not in str(raised.value)


def _as_logged(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


@asynccontextmanager
async def _server(answer: Callable[[bytes], bytes | None]) -> AsyncGenerator[int]:
    """Run a server that gives one answer to each command; None hangs up, b"" says nothing. Yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        in_text = False
        while line := await reader.readline():
            if in_text and line != b".\r\n":
                continue
            in_text = line.upper() == b"DATA\r\n"
            reply = answer(b"." if line == b".\r\n" else line.upper().strip())
            if reply is None:
                break
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


def _answers(**replies: bytes | None) -> Callable[[bytes], bytes | None]:
    usual = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
    special = {name.encode().replace(b"END", b"."): reply for name, reply in replies.items()}

    def answer(command: bytes) -> bytes | None:
        word = command.split(b" ")[0]
        return special.get(word, usual.get(word, b"250 fine\r\n"))

    return answer


async def test_refused_text_is_refused_for_good() -> None:
    async with _server(_answers(END=b"554 5.7.1 spam for ada@example.com\r\n")) as port:
        with pytest.raises(MailRejectedError) as raised:
            await _mailer(port).send(_mail())

    assert raised.value.code == 554
    assert "ada@" not in _as_logged(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_answers(END=b"451 later, ada@example.com\r\n"), id="for-now"),
        pytest.param(_answers(END=None), id="hangs-up-at-the-end"),
        pytest.param(_answers(MAIL=None), id="hangs-up-at-the-start"),
        pytest.param(_answers(END=b"nonsense for ada@example.com\r\n"), id="talks-nonsense"),
        pytest.param(_answers(EHLO=b"421 busy\r\n", HELO=b"421 busy\r\n"), id="is-busy"),
    ],
)
async def test_unclear_end_is_tried_again_and_quotes_no_address(answer: Callable[[bytes], bytes | None]) -> None:
    async with _server(answer) as port:
        with pytest.raises(MailNotTakenError) as raised:
            await _mailer(port).send(_mail())

    assert "ada@" not in _as_logged(raised.value)


async def test_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_COMMAND_SECONDS", 0.2)

    async with _server(_answers(MAIL=b"")) as port:
        with pytest.raises(MailNotTakenError):
            await asyncio.wait_for(_mailer(port).send(_mail()), 10)


async def test_server_that_dribbles_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_SEND_SECONDS", 0.3)

    async with _server(_answers(END=b"")) as port:
        with pytest.raises(MailNotTakenError):
            await asyncio.wait_for(_mailer(port).send(_mail()), 10)
