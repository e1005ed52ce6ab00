"""Charge a buyer: authorise, then capture or void. The charge is a state machine in the payment database."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints
from temporalio.common import RetryPolicy

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.failures import PaymentFailure
from platform_contracts.published_activity import PublishedActivity
from platform_contracts.task_queues import TaskQueue

PaymentToken = Annotated[str, StringConstraints(pattern=r"^(tok|pm)_[A-Za-z0-9_]{1,60}$")]
"""What stands for a card at the provider: `tok_` at the acquirer, `pm_` (a PaymentMethod) at Stripe. Never a card
number: inputs live in histories."""


class ChargeStatus(StrEnum):
    """Where a charge stands; the values are stored, so they never change."""

    AUTHORISING = "authorising"
    """It was sent, or is about to be; the acquirer has not told yet."""
    AUTHORISED = "authorised"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    """It was sent and no answer came: it may have happened. Only the acquirer knows; `ChargeResolution` asks."""
    CAPTURED = "captured"
    CAPTURE_REFUSED = "capture_refused"
    VOIDED = "voided"
    EXPIRED = "expired"
    """The provider let go of what was authorised, for nobody captured it in time."""


class ChargeShare(ContractModel):
    """What of a charge belongs to one seller."""

    seller: Tenant
    amount: Money


class AuthoriseRequest(ContractModel):
    """Reserve an amount on a buyer's card. The operation id names the charge: one operation, one charge."""

    tenant: Tenant
    operation_id: ClientId
    payment_token: PaymentToken
    amount: Money
    shares: Annotated[tuple[ChargeShare, ...], Field(min_length=1, max_length=50)]
    """Whose money it will be once captured; they add up to the amount."""


class ChargeRequest(ContractModel):
    """Which charge."""

    tenant: Tenant
    operation_id: ClientId


class CaptureRequest(ChargeRequest):
    """Which charge, and how much of it; whoever captures all of it may send a `ChargeRequest`."""

    amount: Money | None = None
    """None: all that is authorised. What is not captured is given back, so a charge is captured once."""


class ChargeResult(ContractModel):
    """Where the charge stands now."""

    operation_id: ClientId
    status: ChargeStatus


_UNTIL_KNOWN: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=10)
)

_ONE_CALL: Final = timedelta(seconds=10)
"""Above the 2 s that the payment service gives the acquirer for an answer, and above its database's patience."""

_NEVER_GIVE_UP: Final = timedelta(days=30)
"""Past the pivot, and in compensation, there is no other way out: an operator sees it long before."""

AUTHORISE: Final = PublishedActivity(
    name="payment.authorise",
    task_queue=TaskQueue.PAYMENT,
    request_type=AuthoriseRequest,
    result_type=ChargeResult,
    start_to_close=_ONE_CALL,
    # A caller that holds stock for less names a shorter deadline.
    schedule_to_close=timedelta(minutes=12),
    schedule_to_start=None,
    retry_policy=_UNTIL_KNOWN,
)
"""Authorise once per operation: AUTHORISED, or UNKNOWN when the acquirer gave no answer.

Fails with `payment.Declined`, `payment.ChargeVoided`, `payment.ChargeExpired`, `payment.DifferentCharge` or
`payment.InvalidCharge`. A repeat returns what the first one came to; one whose outcome is not known asks the acquirer
by the operation id before it sends anything again.
"""

CAPTURE: Final[PublishedActivity[ChargeRequest, ChargeResult]] = PublishedActivity(
    name="payment.capture",
    task_queue=TaskQueue.PAYMENT,
    request_type=CaptureRequest,
    result_type=ChargeResult,
    start_to_close=_ONE_CALL,
    schedule_to_close=_NEVER_GIVE_UP,
    schedule_to_start=None,
    retry_policy=_UNTIL_KNOWN,
)
"""Capture what was authorised, or a part of it, and post it to the ledger: retried until it is known.

Fails with `payment.CaptureRefused`, `payment.ChargeVoided`, `payment.ChargeExpired`, `payment.UnknownCharge`,
`payment.InvalidCharge` (more than what is authorised), or `payment.DifferentCharge` (captured with another amount). A
repeat captures nothing twice.
"""

VOID: Final = PublishedActivity(
    name="payment.void",
    task_queue=TaskQueue.PAYMENT,
    request_type=ChargeRequest,
    result_type=ChargeResult,
    start_to_close=_ONE_CALL,
    schedule_to_close=_NEVER_GIVE_UP,
    schedule_to_start=None,
    retry_policy=_UNTIL_KNOWN,
)
"""Make sure that the operation charges nobody, now or later: voided at the acquirer by the operation id.

It works without a record of ours, for that never means that nothing happened, and an authorisation that is still on its
way is refused when it arrives. A repeat changes nothing.
"""

FINAL_FAILURES: Final = frozenset(
    {
        PaymentFailure.DECLINED,
        PaymentFailure.CAPTURE_REFUSED,
        PaymentFailure.CHARGE_VOIDED,
        PaymentFailure.UNKNOWN_CHARGE,
        PaymentFailure.DIFFERENT_CHARGE,
        PaymentFailure.INVALID_CHARGE,
        PaymentFailure.CHARGE_EXPIRED,
    }
)
