"""What the API takes and gives about refunds."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from platform_contracts.identifiers import ClientId
from platform_contracts.money import Currency
from platform_contracts.payment.refund import RefundStatus
from platform_gateway.market.listing_models import Money
from platform_gateway.rest_models import Accepted, OperationLink, ResourceModel, RestModel


class RefundAmount(ResourceModel):
    """An amount in whole minor units: 1250 with the exponent 2 is 12.50."""

    minor_units: Annotated[int, Field(ge=1, le=10**12)]
    currency: Currency
    exponent: Annotated[int, Field(ge=0, le=4)] = 2
    """How many digits of the minor units are behind the point, by ISO 4217."""


class RefundRequest(ResourceModel):
    """How much of a purchase is given back, and why."""

    refund_id: ClientId | None = None
    """None: the Idempotency-Key names it."""
    amount: RefundAmount | None = None
    """None: all that is left."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    """In a few words; nothing about a person."""


class RefundResult(RestModel):
    """What was given back."""

    refund_id: str
    status: RefundStatus
    amount: Money


class RefundDone(Accepted):
    """A refund that the provider has made."""

    result: RefundResult


class Refund(RestModel):
    """One refund of a purchase."""

    refund_id: str
    status: RefundStatus
    amount: Money
    reason: str
    requested_at: datetime
    links: OperationLink


class Refunds(RestModel):
    """What was paid for a purchase, and what of it is given back."""

    purchase_id: str
    captured: Money | None
    """None while nothing is captured."""
    reversed: Money | None
    """By refunds that have not failed, and by disputes that are not won."""
    refunds: tuple[Refund, ...]
    """Newest first; a purchase has at most a hundred."""
