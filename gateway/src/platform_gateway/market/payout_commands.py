"""What the requests about payouts start, and who is behind them."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from platform_contracts.identifiers import idempotency_key_id
from platform_contracts.payment.partner_payout import (
    PartnerPayout,
    PartnerPayoutInput,
    PartnerPayoutResult,
    partner_payout_workflow_id,
)
from platform_contracts.payment.payout_plan_change import (
    PayoutPlan,
    PayoutPlanChange,
    PayoutPlanChangeInput,
    PayoutPlanChangeResult,
    payout_plan_change_workflow_id,
)
from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command, Repeat, named
from platform_gateway.fingerprint import fingerprint
from platform_gateway.identity.callers import Caller
from platform_gateway.market.payout_models import PayoutPlanRequest, PayoutRequest
from platform_gateway.problems import Kind, Problem, invalid_field

_NAMELESS: Final = frozenset({"anyone", "static-key", "application"})
"""Callers who may be anybody: authentication is off, all share one key, or the application around the routes asks."""


def require_staff(caller: Caller) -> None:
    """Let those through who run the marketplace: nobody pays themselves, or decides on what they are paid.

    Raises:
        Problem: `STAFF_ONLY`.
    """
    if not caller.is_staff:
        raise Problem(Kind.STAFF_ONLY)


def person(caller: Caller, given: str | None, *, field: str) -> str:
    """Return who is behind a request: the caller; where those have no names of their own, who the body says it is.

    Raises:
        Problem: `INVALID_REQUEST` when nobody is named, or a caller who has a name gives another.
    """
    if caller.subject in _NAMELESS:
        if given is None:
            raise invalid_field("body", field, "needed: callers have no names of their own here")
        return given
    if given is not None:
        raise invalid_field("body", field, "it is who calls, so it is not given")
    return caller.subject


def pay_out(
    body: PayoutRequest, *, tenant: str, requested_by: str, idempotency_key: str | None
) -> Command[PartnerPayoutInput, PartnerPayoutResult]:
    """Return the command that pays an account what it is owed by now, once per payout.

    Raises:
        Problem: `INVALID_REQUEST` when neither an id nor an Idempotency-Key names it.
    """
    payout_id, repeat = named(body.payout_id, idempotency_key, field="payoutId")
    return Command(
        workflow=PartnerPayout.run,
        request=PartnerPayoutInput(
            tenant=tenant,
            payout_id=payout_id,
            currency=body.currency,
            exponent=body.exponent,
            cut=datetime.now(UTC),
            requested_by=requested_by,
        ),
        workflow_id=partner_payout_workflow_id(tenant=tenant, payout_id=payout_id),
        task_queue=TaskQueue.PAYMENT,
        fingerprint=fingerprint(body, requestedBy=requested_by),
        repeat=repeat,
    )


def change_payout_plan(
    body: PayoutPlanRequest, *, tenant: str, currency: str, changed_by: str, idempotency_key: str | None
) -> Command[PayoutPlanChangeInput, PayoutPlanChangeResult]:
    """Return the command that keeps a plan; without an Idempotency-Key each change is a new one."""
    change_id = str(uuid4()) if idempotency_key is None else idempotency_key_id(idempotency_key)
    return Command(
        workflow=PayoutPlanChange.run,
        request=PayoutPlanChangeInput(
            tenant=tenant,
            change_id=change_id,
            currency=currency,
            plan=PayoutPlan.model_validate(body.model_dump(by_alias=False)),
            changed_by=changed_by,
        ),
        workflow_id=payout_plan_change_workflow_id(tenant=tenant, change_id=change_id),
        task_queue=TaskQueue.PAYMENT,
        fingerprint=fingerprint(body, currency=currency),
        repeat=Repeat.ONCE,
    )
