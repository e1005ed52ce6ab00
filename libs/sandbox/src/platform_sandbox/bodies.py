"""What clients send to the acquirer."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from platform_sandbox.movements import Standing

AmountMinor = Annotated[int, Field(strict=True, gt=0, le=10**15)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Body(BaseModel):
    """What a client sends, in camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Authorisation(Body):
    """What is to be authorised."""

    token: Annotated[str, StringConstraints(pattern=r"^tok_[A-Za-z0-9_]{1,60}$")]
    amount_minor: AmountMinor
    currency: Currency


class Capture(Body):
    """How much is to be captured."""

    amount_minor: AmountMinor | None = None
    """None: all that is authorised."""


class Part(Body):
    """How much is to be refunded or disputed."""

    amount_minor: AmountMinor


class Payout(Body):
    """Who is to be paid how much."""

    partner: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    amount_minor: AmountMinor
    currency: Currency


class RefundOutcome(Body):
    """How a refund ends."""

    status: Literal[Standing.SUCCEEDED, Standing.FAILED]


class PayoutOutcome(Body):
    """How a payout ends."""

    status: Literal[Standing.PAID, Standing.FAILED]


class DisputeOutcome(Body):
    """How a dispute ends."""

    status: Literal[Standing.WON, Standing.LOST]


class RecordsQuery(Body):
    """Which records."""

    since: AwareDatetime = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    until: AwareDatetime = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
