"""What can be set for the payment service, beside what every service has."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from payment_service.activities.payouts import PayoutTimings
from payment_service.domain.payouts import PayoutPlan, PayoutSchedule
from platform_runtime.settings import ServiceSettings

_DAY_SECONDS: Final = 24 * 60 * 60
_YEAR_SECONDS: Final = 365 * _DAY_SECONDS


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
    escalate_after_seconds: Annotated[float, Field(gt=0)] = 3_600
    """How long the provider may leave us without an answer about a charge or a refund before a person hears of it."""
    payout_period_seconds: Annotated[int, Field(ge=1, le=31 * _DAY_SECONDS)] = _DAY_SECONDS
    """How often payouts are started; each run pays what was payable at the beginning of its period, in UTC."""
    payout_schedule: Literal["daily", "weekly", "manual"] = "daily"
    """When a partner is paid that has no plan of its own; so it is with all up to the reserve."""
    payout_minimum_minor_units: Annotated[int, Field(ge=1)] = 1
    """Less is carried to the next payout."""
    payout_delay_days: Annotated[int, Field(ge=0, le=365)] = 7
    """How long a sale has to be in the balance before it is paid."""
    payout_review_above_minor_units: Annotated[int, Field(ge=0)] = 1_000_000
    """Two people have to approve what is above."""
    payout_reserve_basis_points: Annotated[int, Field(ge=0, le=9_999)] = 0
    """What of each payout is kept back, in hundredths of a per cent."""
    payout_reserve_days: Annotated[int, Field(ge=0, le=730)] = 90
    """How long it is kept back."""
    payout_review_reminder_seconds: Annotated[float, Field(ge=1, le=_YEAR_SECONDS)] = _DAY_SECONDS
    """When the reviewers are reminded of a payout; past the deadline: never."""
    payout_review_deadline_seconds: Annotated[float, Field(ge=1, le=_YEAR_SECONDS)] = 7 * _DAY_SECONDS
    """When a payout that too few have decided on ends, and the balance is restored."""
    payout_recheck_seconds: Annotated[float, Field(ge=0.1, le=_DAY_SECONDS)] = 3_600
    """When it is asked again whether a partner may be paid that may not; each time twice as late, up to a day."""
    payout_look_seconds: Annotated[float, Field(ge=0.1, le=_DAY_SECONDS)] = 60
    """When the provider is asked again what became of a payout; each time twice as late, up to six hours."""
    payout_unresolved_seconds: Annotated[float, Field(ge=1, le=_YEAR_SECONDS)] = 5 * _DAY_SECONDS
    """When a person hears of a payout of which the provider has not said how it ended."""

    reconciliation_period_seconds: Annotated[int, Field(ge=10, le=_DAY_SECONDS)] = 3_600
    """How often the provider's book is compared with the ledger."""
    # Above the 10 s of an activity: what it has written bears the time at which it began.
    reconciliation_settling_seconds: Annotated[float, Field(ge=0, le=_DAY_SECONDS)] = 120
    """How long a movement may take to be in both books; what is younger is left to the next run."""
    reconciliation_overlap_seconds: Annotated[float, Field(ge=0, le=31 * _DAY_SECONDS)] = 3_600
    """How far back a run reads the provider's book again, for what got into it late."""
    orphan_after_seconds: Annotated[float, Field(ge=0, le=_YEAR_SECONDS)] = 3_600
    """How old a charge has to be before it is asked whether its purchase came to nothing."""
    money_metrics_seconds: Annotated[float, Field(ge=0.1, le=300)] = 15
    """How often the metrics of the money are read from the database."""

    @field_validator("stripe_api_key")
    @classmethod
    def _stripe_needs_its_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None:
            if info.data.get("provider") == "stripe":
                raise ValueError("PAYMENT_PROVIDER=stripe needs it")
        elif not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", key.get_secret_value()):
            raise ValueError("a key of Stripe for a server begins with sk_test_, sk_live_, rk_test_ or rk_live_")
        return key

    def payout_plan(self) -> PayoutPlan:
        """Return the plan of a partner that has none of its own."""
        return PayoutPlan(
            schedule=PayoutSchedule(self.payout_schedule),
            minimum_minor_units=self.payout_minimum_minor_units,
            delay_days=self.payout_delay_days,
            reserve_basis_points=self.payout_reserve_basis_points,
            reserve_days=self.payout_reserve_days,
            review_above_minor_units=self.payout_review_above_minor_units,
        )

    def payout_timings(self) -> PayoutTimings:
        """Return how long a payout waits for what."""
        return PayoutTimings(
            recheck_after=timedelta(seconds=self.payout_recheck_seconds),
            remind_after=timedelta(seconds=self.payout_review_reminder_seconds),
            overdue_after=timedelta(seconds=self.payout_review_deadline_seconds),
            look_after=timedelta(seconds=self.payout_look_seconds),
            unresolved_after=timedelta(seconds=self.payout_unresolved_seconds),
        )

    @property
    def escalate_after(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(seconds=self.escalate_after_seconds)
