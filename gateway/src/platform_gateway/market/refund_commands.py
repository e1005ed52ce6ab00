"""What the requests of refunds start."""

from platform_contracts.money import Money
from platform_contracts.payment.refund import Refund, RefundInput, RefundResult, refund_workflow_id
from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command, named
from platform_gateway.fingerprint import fingerprint
from platform_gateway.market.refund_models import RefundRequest


def refund(
    body: RefundRequest, *, tenant: str, purchase_id: str, buyer_id: str, idempotency_key: str | None
) -> Command[RefundInput, RefundResult]:
    """Return the command that gives a purchase back, or a part of it, once per refund.

    Raises:
        Problem: `INVALID_REQUEST` when neither an id nor an Idempotency-Key names it.
    """
    refund_id, repeat = named(body.refund_id, idempotency_key, field="refundId")
    return Command(
        workflow=Refund.run,
        request=RefundInput(
            tenant=tenant,
            refund_id=refund_id,
            charge_id=purchase_id,
            amount=None if body.amount is None else Money.model_validate(body.amount.model_dump(by_alias=False)),
            reason=body.reason,
            buyer_id=buyer_id,
        ),
        workflow_id=refund_workflow_id(tenant=tenant, refund_id=refund_id),
        task_queue=TaskQueue.PAYMENT,
        fingerprint=fingerprint(body, purchaseId=purchase_id),
        repeat=repeat,
        resource_id=purchase_id,
    )
