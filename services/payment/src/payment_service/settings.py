"""What can be set for the payment service, beside what every service has."""

from datetime import timedelta
from typing import Annotated

from pydantic import AnyHttpUrl, Field
from pydantic_settings import SettingsConfigDict

from platform_runtime.settings import ServiceSettings


class PaymentSettings(ServiceSettings):
    """The payment service's variables begin with `PAYMENT_`."""

    model_config = SettingsConfigDict(env_prefix="PAYMENT_", env_ignore_empty=True, extra="ignore")

    internal_port: Annotated[int, Field(ge=0, le=65535)] = 9474
    acquirer_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8090")
    # Two calls and a database that is busy have to fit into the 10 s of an activity.
    acquirer_timeout_seconds: Annotated[float, Field(gt=0, le=3)] = 2
    """How long the acquirer may take for one answer; past it the outcome is unknown."""
    fee_basis_points: Annotated[int, Field(ge=0, le=10_000)] = 1_000
    """What the platform keeps of a sale, in hundredths of a per cent."""
    escalate_after_seconds: Annotated[float, Field(gt=0)] = 3_600
    """How long the provider may leave us without an answer about a charge or a refund before a person hears of it."""

    @property
    def escalate_after(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(seconds=self.escalate_after_seconds)
