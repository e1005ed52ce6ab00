"""What can be set for the payment service, beside what every service has."""

import re
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from platform_runtime.settings import ServiceSettings


class PaymentSettings(ServiceSettings):
    """The payment service's variables begin with `PAYMENT_`."""

    model_config = SettingsConfigDict(env_prefix="PAYMENT_", env_ignore_empty=True, extra="ignore")

    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9474
    provider: Literal["acquirer", "stripe"] = "acquirer"
    """Who takes money from cards, gives it back, and pays partners out."""
    acquirer_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8090")
    # Two calls and a database that is busy have to fit into the 10 s of an activity.
    acquirer_timeout_seconds: Annotated[float, Field(gt=0, le=3)] = 2
    """How long the acquirer may take for one answer; past it the outcome is unknown."""
    stripe_api_key: Annotated[SecretStr | None, Field(validate_default=True)] = None
    """A secret or restricted key of Stripe; whether it is one for tests tells its own name."""
    stripe_url: AnyHttpUrl = AnyHttpUrl("https://api.stripe.com")
    # A charge is commonly two calls, and a confirmation asks a bank: an activity has 10 s for them.
    stripe_timeout_seconds: Annotated[float, Field(gt=0, le=8)] = 4
    """How long Stripe may take for one answer; past it the outcome is unknown."""
    fee_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 1_000
    """What the platform keeps of a sale, in hundredths of a per cent."""

    @field_validator("stripe_api_key")
    @classmethod
    def _stripe_needs_its_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None:
            if info.data.get("provider") == "stripe":
                raise ValueError("PAYMENT_PROVIDER=stripe needs it")
        elif not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", key.get_secret_value()):
            raise ValueError("a key of Stripe for a server begins with sk_test_, sk_live_, rk_test_ or rk_live_")
        return key
