"""Settings of the route that providers send events to."""

import binascii
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from platform_gateway.protection.protection_settings import OFF, checked_rate


def _words(secrets: SecretStr) -> list[str]:
    return secrets.get_secret_value().replace(",", " ").split()


def _standard(secrets: SecretStr | None) -> SecretStr | None:
    for secret in _words(secrets) if secrets is not None else ():
        try:
            Webhook(secret)
        except (binascii.Error, EmptyWebhookSecretError, ValueError):
            # Not the library's text, which could quote it.
            raise ValueError("a secret of Standard Webhooks is `whsec_` and base64") from None
    return secrets


class ProviderEventSettings(BaseSettings):
    """Whose events are taken in; the gateway's settings have these among their own."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_ignore_empty=True, extra="ignore")

    acquirer_webhook_secrets: Annotated[SecretStr | None, AfterValidator(_standard)] = None
    """What the acquirer signs with; several, with a comma between, while one replaces the other. None: no events."""
    stripe_webhook_secrets: SecretStr | None = None
    """The same of Stripe's endpoint."""
    provider_event_tolerance_seconds: Annotated[int, Field(ge=1, le=3600)] = 300
    """How far the time that was signed may be from ours, either way."""
    provider_events_in_flight: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Requests of one provider, or in its name, that this process works on at once."""
    provider_event_rate: Annotated[str, AfterValidator(checked_rate)] = "200/second"
    """Events of one provider whose signature is right: `100/second`, `5000/minute` or `off`."""

    def webhook_secrets(self) -> dict[str, list[str]]:
        """Return the secrets of each provider that has some."""
        given = {"acquirer": self.acquirer_webhook_secrets, "stripe": self.stripe_webhook_secrets}
        return {name: words for name, secrets in given.items() if secrets is not None and (words := _words(secrets))}

    def event_rate(self) -> str | None:
        """Return the rate of one provider; None: any."""
        return None if self.provider_event_rate == OFF else self.provider_event_rate
