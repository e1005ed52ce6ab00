"""What the payment service shows to the gateway."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr
from starlette.routing import BaseRoute

from payment_service.activities.escalations import shown
from payment_service.domain.escalations import EscalationPosition
from payment_service.domain.ledger import partner_payable
from payment_service.domain.payouts import PayoutPosition, StoredPayout
from payment_service.domain.reconciliation import Finding, ReconciliationPosition, StoredReconciliation
from payment_service.domain.refunds import StoredRefund
from payment_service.ports import Charges, Escalations, Ledger, PayoutPlans, Payouts, Refunds
from payment_service.reconciliation_ports import Reconciliations
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.partner_payout import CarriedReason, PayoutStatus
from platform_contracts.payment.payout_plan_change import PayoutPlan, PayoutSchedule
from platform_contracts.payment.payout_views import (
    PAYOUT,
    PAYOUT_PLAN,
    PAYOUTS,
    PayoutAnswer,
    PayoutPlanAnswer,
    PayoutPlanQuery,
    PayoutQuery,
    PayoutsQuery,
    PayoutView,
)
from platform_contracts.payment.payout_views import Payouts as PayoutsPage
from platform_contracts.payment.reconciliation_views import (
    RECONCILIATION,
    RECONCILIATIONS,
    ReconciliationAnswer,
    ReconciliationFinding,
    ReconciliationQuery,
    ReconciliationsPage,
    ReconciliationsQuery,
    ReconciliationView,
)
from platform_contracts.payment.refund import RefundStatus
from platform_contracts.payment.views import (
    BALANCES,
    CHARGE,
    ESCALATION,
    ESCALATIONS,
    REFUNDS,
    Balances,
    BalancesQuery,
    Charge,
    ChargeAnswer,
    ChargeQuery,
    EscalationAnswer,
    EscalationQuery,
    EscalationsPage,
    EscalationsQuery,
    RefundsAnswer,
    RefundsQuery,
    RefundView,
)
from platform_runtime.internal_app import view_route
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor

_MOST_FINDINGS: Final = 200


def views(
    *,
    charges: Charges,
    refunds: Refunds,
    ledger: Ledger,
    escalations: Escalations,
    payouts: Payouts,
    plans: PayoutPlans,
    reconciliations: Reconciliations,
    token: SecretStr | None,
) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def balances(tenant: str, query: BalancesQuery) -> Balances:
        return await read_balances(ledger, tenant, query, now=datetime.now(UTC))

    async def charge(tenant: str, query: ChargeQuery) -> ChargeAnswer:
        return await read_charge(charges, tenant, query)

    async def all_escalations(tenant: str, query: EscalationsQuery) -> EscalationsPage:
        return await read_escalations(escalations, tenant, query)

    async def one_escalation(tenant: str, query: EscalationQuery) -> EscalationAnswer:
        return await read_escalation(escalations, tenant, query)

    async def one_payout(tenant: str, query: PayoutQuery) -> PayoutAnswer:
        return await read_payout(payouts, tenant, query)

    async def all_payouts(tenant: str, query: PayoutsQuery) -> PayoutsPage:
        return await read_payouts(payouts, tenant, query)

    async def plan(tenant: str, query: PayoutPlanQuery) -> PayoutPlanAnswer:
        return await read_payout_plan(plans, tenant, query)

    async def refunds_of(tenant: str, query: RefundsQuery) -> RefundsAnswer:
        return await read_refunds(charges, refunds, tenant, query)

    return [
        view_route(BALANCES, balances, token=token),
        view_route(CHARGE, charge, token=token),
        view_route(ESCALATIONS, all_escalations, token=token),
        view_route(ESCALATION, one_escalation, token=token),
        view_route(PAYOUT, one_payout, token=token),
        view_route(PAYOUTS, all_payouts, token=token),
        view_route(PAYOUT_PLAN, plan, token=token),
        view_route(REFUNDS, refunds_of, token=token),
        *_reconciliation_views(reconciliations, token=token),
    ]


async def read_balances(ledger: Ledger, tenant: str, query: BalancesQuery, *, now: datetime) -> Balances:
    """Return what the platform owes the account that asks, now or at a moment of the past."""
    balances = await ledger.credit_balances(partner_payable(tenant), at=query.at)
    return Balances(balances=tuple(balances), as_of=query.at or now)


async def read_charge(charges: Charges, tenant: str, query: ChargeQuery) -> ChargeAnswer:
    """Return the charge; None where there is none, or nothing was ever asked to be charged."""
    found = await charges.find(tenant=tenant, operation_id=query.operation_id)
    if found is None or found.details is None:
        return ChargeAnswer(charge=None)
    return ChargeAnswer(
        charge=Charge(operation_id=found.operation_id, status=ChargeStatus(found.status), amount=found.details.amount)
    )


async def read_escalations(escalations: Escalations, tenant: str, query: EscalationsQuery) -> EscalationsPage:
    """Return a page of the account's escalations, newest first; of every account for the platform's own.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    after = None
    if query.cursor is not None:
        opened_at, escalation_id = decode_cursor(query.cursor, parts=2)
        after = EscalationPosition(opened_at=_moment(opened_at), escalation_id=escalation_id)
    found = await escalations.page(
        tenant=None if tenant == PLATFORM_TENANT else tenant,
        is_open=query.is_open,
        limit=query.limit + 1,
        after=after,
    )
    page = found[: query.limit]
    return EscalationsPage(
        escalations=tuple(shown(escalation) for escalation in page),
        next_cursor=encode_cursor(page[-1].opened_at.isoformat(), page[-1].escalation_id)
        if len(found) > len(page)
        else None,
    )


async def read_escalation(escalations: Escalations, tenant: str, query: EscalationQuery) -> EscalationAnswer:
    """Return an escalation of the account, of any for the platform's own; None where there is none."""
    found = await escalations.find(query.escalation_id)
    if found is None or tenant not in (PLATFORM_TENANT, found.tenant):
        return EscalationAnswer(escalation=None)
    return EscalationAnswer(escalation=shown(found))


async def read_payout(payouts: Payouts, tenant: str, query: PayoutQuery) -> PayoutAnswer:
    """Return a payout to the asking account, or None where there is none."""
    found = await payouts.find(partner=tenant, payout_id=query.payout_id)
    return PayoutAnswer(payout=None if found is None else _payout(found))


async def read_payouts(payouts: Payouts, tenant: str, query: PayoutsQuery) -> PayoutsPage:
    """Return a page of the payouts to the asking account, newest first.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    after = None
    if query.cursor is not None:
        created_at, payout_id = decode_cursor(query.cursor, parts=2)
        after = PayoutPosition(created_at=_moment(created_at), payout_id=payout_id)
    # One more than asked for tells whether there is a next page.
    found = await payouts.page(partner=tenant, limit=query.limit + 1, after=after)
    page = found[: query.limit]
    return PayoutsPage(
        payouts=tuple(_payout(payout) for payout in page),
        next_cursor=encode_cursor(page[-1].created_at.isoformat(), page[-1].payout_id)
        if len(found) > len(page)
        else None,
    )


async def read_payout_plan(plans: PayoutPlans, tenant: str, query: PayoutPlanQuery) -> PayoutPlanAnswer:
    """Return how the asking account is paid in a currency."""
    plan, is_own = await plans.find(partner=tenant, currency=query.currency)
    return PayoutPlanAnswer(
        currency=query.currency,
        plan=PayoutPlan(
            schedule=PayoutSchedule(plan.schedule),
            minimum_minor_units=plan.minimum_minor_units,
            delay_days=plan.delay_days,
            reserve_basis_points=plan.reserve_basis_points,
            reserve_days=plan.reserve_days,
            review_above_minor_units=plan.review_above_minor_units,
            destination=plan.destination,
        ),
        is_default=not is_own,
    )


def _payout(payout: StoredPayout) -> PayoutView:
    return PayoutView(
        payout_id=payout.payout_id,
        status=PayoutStatus(payout.status),
        amount=payout.amount,
        withheld=payout.withheld,
        carried=None if payout.carried is None else CarriedReason(payout.carried),
        cut=payout.cut,
        needs_review=payout.needs_review,
        created_at=payout.created_at,
        changed_at=payout.changed_at,
        reserve_until=payout.reserve_until,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidCursorError from None
    if moment.tzinfo is None:
        raise InvalidCursorError
    return moment


async def read_refunds(charges: Charges, refunds: Refunds, tenant: str, query: RefundsQuery) -> RefundsAnswer:
    """Return what was captured of a charge and what is given back of it, newest first."""
    found = await refunds.of_charge(tenant=tenant, charge_id=query.operation_id)
    if found is not None:
        return RefundsAnswer(
            status=ChargeStatus.CAPTURED,
            captured=found.captured,
            reversed=found.reversed,
            refunds=tuple(_refund(refund) for refund in found.refunds),
        )
    charge = await charges.find(tenant=tenant, operation_id=query.operation_id)
    return RefundsAnswer(status=None if charge is None else ChargeStatus(charge.status))


def _refund(refund: StoredRefund) -> RefundView:
    return RefundView(
        refund_id=refund.refund_id,
        status=RefundStatus(refund.status),
        amount=refund.amount,
        reason=refund.reason,
        requested_at=refund.requested_at,
    )


def _reconciliation_views(reconciliations: Reconciliations, *, token: SecretStr | None) -> Sequence[BaseRoute]:
    async def all_reconciliations(tenant: str, query: ReconciliationsQuery) -> ReconciliationsPage:
        return await read_reconciliations(reconciliations, tenant, query)

    async def one_reconciliation(tenant: str, query: ReconciliationQuery) -> ReconciliationAnswer:
        return await read_reconciliation(reconciliations, tenant, query)

    return [
        view_route(RECONCILIATIONS, all_reconciliations, token=token),
        view_route(RECONCILIATION, one_reconciliation, token=token),
    ]


async def read_reconciliations(
    reconciliations: Reconciliations, tenant: str, query: ReconciliationsQuery
) -> ReconciliationsPage:
    """Return a page of reconciliations, newest first; they are nobody's but the platform's own.

    Raises:
        InvalidCursorError: when the cursor is none of this view.
    """
    if tenant != PLATFORM_TENANT:
        return ReconciliationsPage(reconciliations=())
    after = None
    if query.cursor is not None:
        finished_at, reconciliation_id = decode_cursor(query.cursor, parts=2)
        after = ReconciliationPosition(finished_at=_moment(finished_at), reconciliation_id=reconciliation_id)
    found = await reconciliations.page(limit=query.limit + 1, after=after)
    page = found[: query.limit]
    return ReconciliationsPage(
        reconciliations=tuple(_shown(done) for done in page),
        next_cursor=encode_cursor(page[-1].finished_at.isoformat(), page[-1].reconciliation_id)
        if len(found) > len(page)
        else None,
    )


async def read_reconciliation(
    reconciliations: Reconciliations, tenant: str, query: ReconciliationQuery
) -> ReconciliationAnswer:
    """Return a reconciliation with its findings; None where there is none, or it is not the asker's."""
    done = await reconciliations.find(query.reconciliation_id) if tenant == PLATFORM_TENANT else None
    if done is None:
        return ReconciliationAnswer(reconciliation=None)
    found = await reconciliations.differences_of(done, limit=_MOST_FINDINGS)
    return ReconciliationAnswer(reconciliation=_shown(done), findings=tuple(_finding(each) for each in found))


def _shown(done: StoredReconciliation) -> ReconciliationView:
    return ReconciliationView(
        reconciliation_id=done.reconciliation_id,
        provider=done.provider,
        since=done.span.since,
        until=done.span.until,
        finished_at=done.finished_at,
        matched=done.counts.matched,
        missing=done.counts.missing,
        extra=done.counts.extra,
        mismatched=done.counts.mismatched,
        escalated=done.counts.escalated,
    )


def _finding(finding: Finding) -> ReconciliationFinding:
    assert finding.difference is not None, "only differences are asked for"
    record = finding.record
    return ReconciliationFinding(
        kind=finding.key.kind,
        account=finding.key.tenant or None,
        name=finding.key.operation_id,
        difference=finding.difference,
        state=finding.state,
        at_provider=None if record is None else record.amount,
        status_at_provider=None if record is None else record.status,
        posted=finding.in_ledger.posted_minor_units,
        pending=finding.in_ledger.pending_minor_units,
        first_seen_at=finding.first_seen_at,
        last_seen_at=finding.last_seen_at,
    )
