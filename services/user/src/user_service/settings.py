"""What can be set for the user service, beside what every service has."""

from typing import Annotated

from pydantic import AnyUrl, Field, NameEmail, UrlConstraints
from pydantic_settings import SettingsConfigDict

from platform_runtime.settings import ServiceSettings

SmtpUrl = Annotated[
    AnyUrl,
    UrlConstraints(allowed_schemes=["smtp", "smtp+starttls", "smtps"], host_required=True, preserve_empty_path=True),
]


class UserSettings(ServiceSettings):
    """The user service's variables begin with `USER_`."""

    model_config = SettingsConfigDict(env_prefix="USER_", env_ignore_empty=True, extra="ignore")

    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9464
    smtp_url: SmtpUrl = AnyUrl("smtp://localhost:1025")
    """`smtp://` in plain text, `smtp+starttls://` and `smtps://` encrypted; `user:password@` to log in."""
    mail_from: NameEmail = NameEmail(name="Partner Platform", email="no-reply@partner.example")
    """Who the mails are from: an address, or `Name <address>`."""
