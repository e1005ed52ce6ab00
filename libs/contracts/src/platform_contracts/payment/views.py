"""What the payment service shows: balances, charges and refunds."""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime

from platform_contracts.identifiers import ClientId
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.refund import RefundStatus
from platform_contracts.view import View


class BalancesQuery(ContractModel):
    """When; the account that asks is whose balances they are."""

    at: AwareDatetime | None = None
    """The balances as they were at this moment; None: now."""


class Balances(ContractModel):
    """What the platform owes a seller, an amount per currency; an account without sales has none."""

    balances: tuple[Money, ...]
    as_of: datetime


class ChargeQuery(ContractModel):
    """Which operation's charge."""

    operation_id: ClientId


class Charge(ContractModel):
    """A charge as its buyer's account sees it."""

    operation_id: ClientId
    status: ChargeStatus
    amount: Money


class ChargeAnswer(ContractModel):
    """The charge, or None where there is none."""

    charge: Charge | None


class RefundsQuery(ContractModel):
    """Which charge's refunds."""

    operation_id: ClientId


class RefundView(ContractModel):
    """A refund as the buyer's account sees it."""

    refund_id: ClientId
    status: RefundStatus
    amount: Money
    reason: str
    requested_at: datetime


class RefundsAnswer(ContractModel):
    """What was captured of a charge, and what of it is given back, or about to be."""

    status: ChargeStatus | None
    """How the charge stands; None where there is none."""
    captured: Money | None = None
    """None for a charge that is not captured."""
    reversed: Money | None = None
    """By refunds that have not failed, and by disputes that are not won; None for a charge that is not captured."""
    refunds: tuple[RefundView, ...] = ()
    """Newest first."""


BALANCES: Final = View(path="/views/balances", query_type=BalancesQuery, answer_type=Balances)
CHARGE: Final = View(path="/views/charge", query_type=ChargeQuery, answer_type=ChargeAnswer)
REFUNDS: Final = View(path="/views/refunds", query_type=RefundsQuery, answer_type=RefundsAnswer)
