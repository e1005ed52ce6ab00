"""The texts of the notifications."""

import unicodedata
from typing import Final

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from user_service.domain.notifications import RenderedNotification, UnknownNotificationTypeError

_SUBJECTS: Final = {
    "email": "You have a new message",
    "info": "For your information",
    "alert": "Important: please read",
    "welcome": "Welcome to the partner platform",
    "in_app": "You have a new message",
}

_WELCOME: Final = """\
Welcome! Your account is ready.
{%- if message %}

{{ message }}
{%- endif %}
"""

_MAIL: Final = """\
Hello {{ name }},

{{ body }}

You get this mail because you have an account with the partner platform.
"""

_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(
    loader=DictLoader({**dict.fromkeys(_SUBJECTS, "{{ message }}"), "welcome": _WELCOME, "mail": _MAIL}),
    # What is made here is text/plain, in which nothing has to be escaped.
    autoescape=False,
    undefined=StrictUndefined,
)


def render(notification_type: str, message: str) -> RenderedNotification:
    """Return the notification's text as it stands in the inbox.

    The message is data: what looks like a template in it stays as it is. Characters that cannot be shown, and that
    PostgreSQL could not store, are left out.

    Raises:
        UnknownNotificationTypeError: when there is no text for the type.
    """
    subject = _SUBJECTS.get(notification_type)
    if subject is None:
        raise UnknownNotificationTypeError(notification_type)
    body = _ENVIRONMENT.get_template(notification_type).render(message=_readable(message))
    return RenderedNotification(subject=subject, body=body)


def mail_body(notification: RenderedNotification, *, name: str) -> str:
    """Return the notification as a letter to its user."""
    return _ENVIRONMENT.get_template("mail").render(body=notification.body, name=name) + "\n"


def _readable(message: str) -> str:
    lines = message.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        character for character in lines if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )
