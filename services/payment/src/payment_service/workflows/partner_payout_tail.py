"""Who hears of a payout: the partner how it ended, the reviewers that it waits for them. It decides nothing."""

import hashlib
from decimal import Decimal
from typing import Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from platform_contracts.identifiers import PLATFORM_TENANT
    from platform_contracts.money import Money
    from platform_contracts.payment.partner_payout import PayoutStatus
    from platform_contracts.task_queues import TaskQueue
    from platform_contracts.user.notification import Notification, NotificationInput, notification_workflow_id

REVIEWERS: Final = "reviewers"
"""The user whose inbox those share who may approve payouts; it is one of the platform's own account."""

_MAX_ID_CHARACTERS: Final = 64
"""What a `ClientId` may have."""

_TEXTS: Final = {
    PayoutStatus.PAID: "Your payout {id} of {amount} is paid.",
    PayoutStatus.FAILED: "Your payout {id} of {amount} could not be made; the amount is in your balance again.",
    PayoutStatus.RETURNED: "Your payout {id} of {amount} came back; the amount is in your balance again.",
}


async def tell_partner(*, partner: str, payout_id: str, status: PayoutStatus, amount: Money) -> None:
    """Tell the partner how it ended, once for each end, by a workflow that outlives this one."""
    text = _TEXTS.get(status)
    if text is None:
        return
    await _notify(
        tenant=partner,
        user_id=partner,
        notification_id=_short(f"payout-{status}", payout_id),
        message=text.format(id=payout_id, amount=amount_text(amount)),
    )


async def remind_reviewers(*, partner: str, payout_id: str, amount: Money) -> None:
    """Tell those who may approve that it waits for them, once."""
    await _notify(
        tenant=PLATFORM_TENANT,
        user_id=REVIEWERS,
        notification_id=_short("payout-reminder", f"{partner}-{payout_id}"),
        message=f"The payout {payout_id} of {amount_text(amount)} to {partner} waits for a review.",
    )


def amount_text(amount: Money) -> str:
    """Return an amount as people write it, for example `12.50 EUR`."""
    return f"{Decimal(amount.minor_units).scaleb(-amount.exponent)} {amount.currency}"


async def _notify(*, tenant: str, user_id: str, notification_id: str, message: str) -> None:
    try:
        await workflow.start_child_workflow(
            Notification.run,
            NotificationInput(
                tenant=tenant, notification_id=notification_id, user_id=user_id, type="info", message=message
            ),
            id=notification_workflow_id(tenant=tenant, notification_id=notification_id),
            task_queue=TaskQueue.USER,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    except FailureError as failure:
        workflow.logger.info("notification.not_started", extra={"reason": type(failure).__name__})


def _short(kind: str, an_id: str) -> str:
    """Return the id of a notification; a hash stands for an id that would make it too long."""
    readable = f"{kind}-{an_id}"
    if len(readable) <= _MAX_ID_CHARACTERS:
        return readable
    return f"{kind}-{hashlib.sha256(an_id.encode()).hexdigest()[:32]}"
