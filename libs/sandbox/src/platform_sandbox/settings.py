"""What can be set for the acquirer."""

import base64
import binascii
from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class AcquirerSettings(BaseSettings):
    """The acquirer's variables begin with `ACQUIRER_`."""

    model_config = SettingsConfigDict(env_prefix="ACQUIRER_", env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8090
    database_url: Annotated[str, Field(pattern=r"^sqlite:///.+$")] | None = None
    """`sqlite:///path`: this process alone keeps the book. None: a file under PARTNER_HOME/data."""
    slow_seconds: Annotated[float, Field(ge=0, le=60)] = 3
    """How long the answer to `tok_slow` takes."""
    expires_after_seconds: Annotated[float, Field(gt=0)] = 7 * 24 * 3600
    """After that time an authorisation that was not captured expires."""
    settles_after_seconds: Annotated[float, Field(ge=0)] = 2
    """How long a refund or payout is pending, where it is at first."""
    webhook_url: AnyHttpUrl | None = None
    """Who is told of every change; None: nobody, and the events wait in the book."""
    webhook_secret: SecretStr | None = None
    """What events are signed with: `whsec_` and 24 to 64 bytes in base64."""

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            prefix, _, key = secret.get_secret_value().partition("whsec_")
            try:
                size = len(base64.b64decode(key, validate=True))
            except binascii.Error:
                size = 0
            if prefix or not 24 <= size <= 64:  # noqa: PLR2004 - the sizes that Standard Webhooks names
                raise ValueError("a webhook secret is `whsec_` and 24 to 64 bytes in base64")
        return secret

    @model_validator(mode="after")
    def _has_both_or_none(self) -> Self:
        if (self.webhook_url is None) != (self.webhook_secret is None):
            raise ValueError("a webhook needs its URL and its secret: set both or none")
        return self
