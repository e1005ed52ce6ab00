"""Change how and when a partner is paid."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.money import Currency
from platform_contracts.payment.partner_payout import Person

WORKFLOW_TYPE: Final = "payment.PayoutPlanChange"

_MOST_MINOR_UNITS: Final = 10**12


class PayoutSchedule(StrEnum):
    """When a partner is paid."""

    DAILY = "daily"
    WEEKLY = "weekly"
    """By the first run of a week; weeks begin on Monday, in UTC."""
    MANUAL = "manual"
    """Only when somebody asks for it."""


class PayoutPlanChangeStep(StrEnum):
    """What `progress.step` can say."""

    SAVING = "saving"
    SAVED = "saved"


class PayoutPlan(ContractModel):
    """How a partner is paid in one currency."""

    schedule: PayoutSchedule = PayoutSchedule.DAILY
    minimum_minor_units: Annotated[int, Field(ge=1, le=_MOST_MINOR_UNITS)] = 1
    """Less is carried to the next payout."""
    delay_days: Annotated[int, Field(ge=0, le=365)] = 0
    """How long a sale has to be in the balance before it is paid."""
    reserve_basis_points: Annotated[int, Field(ge=0, le=9_999)] = 0
    """What of each payout is kept back, in hundredths of a per cent."""
    reserve_days: Annotated[int, Field(ge=0, le=730)] = 0
    """How long."""
    review_above_minor_units: Annotated[int, Field(ge=0, le=_MOST_MINOR_UNITS)] | None = None
    """Two people have to approve what is above; None: nobody has to."""
    destination: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,80}$")] | None = None
    """The partner's account at the provider; None where the provider knows partners by our names."""


class PayoutPlanChangeInput(ContractModel):
    """The plan of the partner whose tenant it is."""

    tenant: Tenant
    change_id: ClientId
    currency: Currency
    plan: PayoutPlan
    changed_by: Person


class PayoutPlanChangeResult(ContractModel):
    """The plan that holds for the next payout."""

    currency: Currency
    plan: PayoutPlan


def payout_plan_change_workflow_id(*, tenant: str, change_id: str) -> str:
    """Return the workflow id of one change."""
    return workflow_id(tenant=tenant, domain="payment", kind="payout-plan-change", key=change_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutPlanChange:
    """Keep a plan; payouts that are open go on by the plan that they were reserved under."""

    @workflow.run
    async def run(self, change: PayoutPlanChangeInput) -> PayoutPlanChangeResult:
        """Save the plan; a repeat of the same change saves nothing again."""
        raise NotImplementedError
