"""Void a charge for as long as it needs: the way that is always open."""

from enum import StrEnum
from typing import Final

from pydantic import ValidationError
from temporalio import workflow

from platform_contracts.identifiers import workflow_id
from platform_contracts.payment.charge import ChargeRequest, ChargeResult

WORKFLOW_TYPE: Final = "payment.ChargeVoid"


class ChargeVoidStep(StrEnum):
    """What `progress.step` can say."""

    VOIDING = "voiding"
    VOIDED = "voided"


def charge_void_workflow_id(*, tenant: str, operation_id: str) -> str:
    """Return the workflow id that voids one charge."""
    return workflow_id(tenant=tenant, domain="payment", kind="charge-void", key=operation_id)


@workflow.defn(name=WORKFLOW_TYPE, failure_exception_types=[ValidationError])
class ChargeVoid:
    """Make sure that an operation charges nobody, however long payment is away.

    Started with ABANDON by a caller that cannot wait for `payment.void`: its promise to void is kept here.
    """

    @workflow.run
    async def run(self, charge: ChargeRequest) -> ChargeResult:
        """Void the charge at the acquirer; tried until it is known to be voided. It cannot be cancelled."""
        raise NotImplementedError
