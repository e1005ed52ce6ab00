"""What the payment service shows: balances, charges and refunds."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, StringConstraints

from platform_contracts.identifiers import ClientId, Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Money
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.refund import RefundStatus
from platform_contracts.view import PageSize, View


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


EscalationId = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}-[0-9a-f]{16}$")]
"""Made of the reason and of what it is about, so that each thing escalates once."""


class EscalationDetail(ContractModel):
    """One thing that helps to decide."""

    name: str
    value: str


class EscalationView(ContractModel):
    """Something that cannot be resolved without a person, or could not."""

    escalation_id: EscalationId
    account: Tenant
    """Whose money it is about: the buyer's account, or the partner's."""
    reason: Annotated[str, StringConstraints(max_length=40)]
    """One word of `payment_service.domain.escalations`; new ones may come."""
    subject: Annotated[str, StringConstraints(max_length=160)]
    details: tuple[EscalationDetail, ...]
    opened_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None


class EscalationsQuery(ContractModel):
    """Which escalations; the platform's own staff see those of every account, others their own."""

    is_open: bool | None = None
    """True: those that wait; False: those resolved; None: all."""
    limit: PageSize = 50
    cursor: str | None = None


class EscalationsPage(ContractModel):
    """A page of escalations, newest first."""

    escalations: tuple[EscalationView, ...]
    next_cursor: str | None = None


class EscalationQuery(ContractModel):
    """Which escalation."""

    escalation_id: EscalationId


class EscalationAnswer(ContractModel):
    """The escalation, or None where the account that asks has none of that id."""

    escalation: EscalationView | None


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
ESCALATIONS: Final = View(path="/views/escalations", query_type=EscalationsQuery, answer_type=EscalationsPage)
ESCALATION: Final = View(path="/views/escalation", query_type=EscalationQuery, answer_type=EscalationAnswer)
REFUNDS: Final = View(path="/views/refunds", query_type=RefundsQuery, answer_type=RefundsAnswer)
