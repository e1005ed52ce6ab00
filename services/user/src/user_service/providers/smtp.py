"""Hands mails to an SMTP server."""

import asyncio
import hashlib
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal

import aiosmtplib
from opentelemetry import trace

from user_service.ports import Mail, MailNotTakenError, MailRejectedError

Security = Literal["none", "starttls", "tls"]

_COMMAND_SECONDS: Final = 10.0
"""How long the server may take for one command."""

_SEND_SECONDS: Final = 25.0
"""How long all of it may take; below the activity's 30 s, so that what went wrong is said instead of a time-out."""

_FIRST_PERMANENT_CODE: Final = 500

_DEFAULT_PORTS: Final[dict[Security, int]] = {"none": 25, "starttls": 587, "tls": 465}

_tracer = trace.get_tracer(__name__)


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where the mail server is, and how to talk to it."""

    host: str
    port: int | None = None
    """None: the usual port for the security."""
    security: Security = "none"
    username: str | None = None
    password: str | None = None


class SmtpMailer:
    """The port `Mailer` over SMTP: one connection for each mail, none is held idle."""

    def __init__(self, server: SmtpServer, *, sender: Address) -> None:
        """Send through the server, in the name of the sender."""
        self._server = server
        self._port = server.port or _DEFAULT_PORTS[server.security]
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        """Hand the letter over; the same notification has the same Message-ID each time.

        Raises:
            MailRejectedError: when the server refused the recipient or the message for good.
            MailNotTakenError: when it was not taken this time.
        """
        message = self.message(mail)
        attributes = {
            "server.address": self._server.host,
            "server.port": self._port,
            "network.protocol.name": "smtp",
            "messaging.message.id": message["Message-ID"],
        }
        with _tracer.start_as_current_span(
            "smtp.send",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            # The text of a failure would come from a reply, which may quote the address.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._hand_over(message, to=mail.to)
            except (MailRejectedError, MailNotTakenError) as failure:
                span.set_attribute("error.type", _error_type(failure))
                span.set_status(trace.Status(trace.StatusCode.ERROR, str(failure)))
                raise

    def message(self, mail: Mail) -> EmailMessage:
        """Return the mail as it goes over the wire."""
        message = EmailMessage(policy=SMTP)
        message["Message-ID"] = message_id(
            tenant=mail.tenant, notification_id=mail.notification_id, domain=self._sender.domain
        )
        message["X-Notification-Id"] = mail.notification_id
        message["Date"] = mail.date
        message["From"] = self._sender
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message.set_content(mail.body, charset="utf-8")
        return message

    async def _hand_over(self, message: EmailMessage, *, to: str) -> None:
        server = self._server
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await aiosmtplib.send(
                    message,
                    sender=self._sender.addr_spec,
                    recipients=[to],
                    hostname=server.host,
                    port=self._port,
                    use_tls=server.security == "tls",
                    start_tls=server.security == "starttls",
                    username=server.username,
                    password=server.password,
                    timeout=_COMMAND_SECONDS,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            _raise_for(error.recipients[0].code)
        except aiosmtplib.SMTPDataError as error:
            _raise_for(error.code)
        except aiosmtplib.SMTPResponseException as error:
            # Refused before the mail was looked at: a log-in or a sender that is set wrong here, which can be mended.
            raise MailNotTakenError(f"{type(error).__name__} {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailNotTakenError(type(error).__name__) from None


def message_id(*, tenant: str, notification_id: str, domain: str) -> str:
    """Return the Message-ID of a notification: always the same, and telling nobody the ids it is made of."""
    digest = hashlib.sha256(f"{tenant}:{notification_id}".encode()).hexdigest()[:32]
    return f"<{digest}@{domain}>"


def _raise_for(code: int) -> None:
    if code >= _FIRST_PERMANENT_CODE:
        raise MailRejectedError(code) from None
    raise MailNotTakenError(f"reply {code}") from None


def _error_type(failure: MailRejectedError | MailNotTakenError) -> str:
    return str(failure.code) if isinstance(failure, MailRejectedError) else failure.reason
