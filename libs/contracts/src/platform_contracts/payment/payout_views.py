"""What the payment service shows of payouts."""

from datetime import datetime
from typing import Final

from platform_contracts.identifiers import ClientId
from platform_contracts.message import ContractModel
from platform_contracts.money import Currency, Money
from platform_contracts.payment.partner_payout import CarriedReason, PayoutStatus
from platform_contracts.payment.payout_plan_change import PayoutPlan
from platform_contracts.view import PageSize, View


class PayoutsQuery(ContractModel):
    """Which page of the account's payouts."""

    limit: PageSize = 50
    cursor: str | None = None


class PayoutQuery(ContractModel):
    """Which payout of the account."""

    payout_id: ClientId


class PayoutView(ContractModel):
    """A payout as its partner sees it."""

    payout_id: ClientId
    status: PayoutStatus
    amount: Money
    withheld: Money
    """What is kept in the reserve, once it is paid."""
    carried: CarriedReason | None
    cut: datetime
    needs_review: bool
    created_at: datetime
    changed_at: datetime
    reserve_until: datetime | None
    """When what is withheld can be released; None: nothing is, or not yet known."""


class PayoutAnswer(ContractModel):
    """The payout, or None where there is none."""

    payout: PayoutView | None


class Payouts(ContractModel):
    """A page of payouts, newest first."""

    payouts: tuple[PayoutView, ...]
    next_cursor: str | None


class PayoutPlanQuery(ContractModel):
    """The account's plan for which currency."""

    currency: Currency


class PayoutPlanAnswer(ContractModel):
    """The plan that holds."""

    currency: Currency
    plan: PayoutPlan
    is_default: bool
    """Whether it is the platform's, because the account has none of its own."""


PAYOUTS: Final = View(path="/views/payouts", query_type=PayoutsQuery, answer_type=Payouts)
PAYOUT: Final = View(path="/views/payout", query_type=PayoutQuery, answer_type=PayoutAnswer)
PAYOUT_PLAN: Final = View(path="/views/payout-plan", query_type=PayoutPlanQuery, answer_type=PayoutPlanAnswer)
