"""Activities that keep payout plans, and find who is to be paid by them."""

from datetime import UTC, datetime
from typing import Final

from pydantic import AwareDatetime
from temporalio import activity

from payment_service.domain.payouts import DuePayout, PayoutPlan, PayoutSchedule
from payment_service.ports import PayoutPlans
from platform_contracts.identifiers import Tenant
from platform_contracts.message import ContractModel
from platform_contracts.money import Currency
from platform_contracts.payment.payout_plan_change import PayoutPlanChangeInput, PayoutPlanChangeResult

PAGE: Final = 100
"""How many partners are looked at in one activity; a page takes milliseconds."""


class Due(ContractModel):
    """A partner and a currency."""

    partner: Tenant
    currency: Currency
    exponent: int


class DuePayoutsRequest(ContractModel):
    """Who is due at a cut, behind the place where the page before ended."""

    cut: AwareDatetime
    after: str | None = None


class DuePayouts(ContractModel):
    """A page of those who are due."""

    due: tuple[Due, ...]
    next: str | None
    """Where to go on; None at the end."""


class SavePayoutPlan(ContractModel):
    """A change, and when it was asked for."""

    change: PayoutPlanChangeInput
    changed_at: AwareDatetime


class PayoutPlanActivities:
    """What is done with payout plans."""

    def __init__(self, plans: PayoutPlans) -> None:
        """Keep the plans."""
        self._plans = plans

    @activity.defn(name="payment.save_payout_plan")
    async def save_payout_plan(self, request: SavePayoutPlan) -> PayoutPlanChangeResult:
        """Keep the plan. A repeat writes the same again, and nothing over a change that was asked for later."""
        change = request.change
        await self._plans.save(
            partner=change.tenant,
            currency=change.currency,
            plan=PayoutPlan(
                schedule=PayoutSchedule(change.plan.schedule),
                minimum_minor_units=change.plan.minimum_minor_units,
                delay_days=change.plan.delay_days,
                reserve_basis_points=change.plan.reserve_basis_points,
                reserve_days=change.plan.reserve_days,
                review_above_minor_units=change.plan.review_above_minor_units,
                destination=change.plan.destination,
            ),
            change_id=change.change_id,
            changed_by=change.changed_by,
            changed_at=request.changed_at,
        )
        return PayoutPlanChangeResult(currency=change.currency, plan=change.plan)

    @activity.defn(name="payment.find_due_payouts")
    async def find_due_payouts(self, request: DuePayoutsRequest) -> DuePayouts:
        """Return a page of those who are to be paid; it only reads, so it can be repeated."""
        due, last = await self._plans.due(
            cut=request.cut, now=datetime.now(UTC), after=_place(request.after), limit=PAGE
        )
        return DuePayouts(
            due=tuple(Due(partner=each.partner, currency=each.currency, exponent=each.exponent) for each in due),
            next=None if last is None else f"{last.partner}:{last.currency}:{last.exponent}",
        )


def _place(text: str | None) -> DuePayout | None:
    if text is None:
        return None
    partner, currency, exponent = text.split(":")
    return DuePayout(partner=partner, currency=currency, exponent=int(exponent))
