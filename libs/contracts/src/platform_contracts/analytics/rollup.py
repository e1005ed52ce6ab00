"""Count events per hour and per day."""

from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import PLATFORM_TENANT, workflow_id
from platform_contracts.message import ContractModel

WORKFLOW_TYPE: Final = "analytics.Rollup"


class Granularity(StrEnum):
    """How long the period of one count is. Periods start on the full hour and on midnight, both UTC."""

    HOUR = "hour"
    DAY = "day"


class RollupStep(StrEnum):
    """What `progress.step` can say."""

    COUNTING = "counting"
    COUNTED = "counted"


class RollupInput(ContractModel):
    """What to count."""

    granularity: Granularity
    full: bool = False
    """True counts everything again; False only the periods that got events since they were counted last."""


class RollupResult(ContractModel):
    """What was counted."""

    granularity: Granularity
    periods: int
    """How many periods of a tenant were counted anew."""
    events: int
    """How many events stand in them."""


def rollup_schedule_id(granularity: Granularity) -> str:
    """Return the id of the schedule that starts the rollup."""
    return workflow_id(tenant=PLATFORM_TENANT, domain="analytics", kind="rollup", key=granularity)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class Rollup:
    """Bring the counts up to date with the events, late ones included."""

    @workflow.run
    async def run(self, rollup: RollupInput) -> RollupResult:
        """Count; running it again, or beside another run, leaves the same counts."""
        raise NotImplementedError
