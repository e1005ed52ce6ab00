"""Start the payouts that are due."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, ValidationError
from temporalio import workflow

from platform_contracts.identifiers import PLATFORM_TENANT, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "payment.PayoutRun"


class PayoutRunStep(StrEnum):
    """What `progress.step` can say."""

    STARTING_PAYOUTS = "starting_payouts"
    STARTED = "started"


class PayoutRunInput(ContractModel):
    """Which cut."""

    cut: AwareDatetime | None = None
    """None: the beginning, in UTC, of the period that the run starts in."""
    period_seconds: Annotated[int, Field(ge=1)] = 86_400
    """How long a period is. Periods are counted from 1970-01-01, midnight UTC."""
    after: str | None = None
    """Where an earlier part of the same run has stopped."""
    started: int = 0
    already_started: int = 0


class PayoutRunResult(ContractModel):
    """What the run has started; each payout goes on by itself."""

    cut: AwareDatetime
    started: int
    already_started: int
    """Another run of the same cut had started them."""


def payout_run_schedule_id() -> str:
    """Return the id of the schedule that starts the run."""
    return workflow_id(tenant=PLATFORM_TENANT, domain="payment", kind="payout-run", key="all")


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutRun:
    """Start a payout for each partner and currency with something to pay; two runs of one cut start the same ones."""

    @workflow.run
    async def run(self, payout_run: PayoutRunInput) -> PayoutRunResult:
        """Start them; running it again starts what is missing, and nothing twice."""
        raise NotImplementedError
