"""Look at a payout again: the provider may have said something about it."""

from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import ClientId, Tenant, workflow_id
from platform_contracts.message import ContractModel
from platform_contracts.payment.partner_payout import PayoutStatus

WORKFLOW_TYPE: Final = "payment.PayoutSync"


class PayoutSyncStep(StrEnum):
    """What `progress.step` can say."""

    LOOKING = "looking"
    LOOKED = "looked"


class PayoutSyncInput(ContractModel):
    """Which payout; the partner's tenant."""

    tenant: Tenant
    payout_id: ClientId


class PayoutSyncResult(ContractModel):
    """Where the payout stands after that."""

    status: PayoutStatus | None
    """None where there is no such payout."""


def payout_sync_workflow_id(*, tenant: str, sync_id: str) -> str:
    """Return the workflow id of one look; the id of what gives rise to it, a provider event for example, names it."""
    return workflow_id(tenant=tenant, domain="payment", kind="payout-sync", key=sync_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class PayoutSync:
    """Make a payout that is on its way look again now, and find out whether one that was paid has come back."""

    @workflow.run
    async def run(self, sync: PayoutSyncInput) -> PayoutSyncResult:
        """Ask the provider and record what it says; nothing is taken from whoever gave rise to it."""
        raise NotImplementedError
