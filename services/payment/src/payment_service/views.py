"""What the payment service shows to the gateway."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.routing import BaseRoute

from payment_service.domain.ledger import partner_payable
from payment_service.domain.refunds import StoredRefund
from payment_service.ports import Charges, Ledger, Refunds
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.refund import RefundStatus
from platform_contracts.payment.views import (
    BALANCES,
    CHARGE,
    REFUNDS,
    Balances,
    BalancesQuery,
    Charge,
    ChargeAnswer,
    ChargeQuery,
    RefundsAnswer,
    RefundsQuery,
    RefundView,
)
from platform_runtime.internal_app import view_route


def views(*, charges: Charges, refunds: Refunds, ledger: Ledger, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def balances(tenant: str, query: BalancesQuery) -> Balances:
        return await read_balances(ledger, tenant, query, now=datetime.now(UTC))

    async def charge(tenant: str, query: ChargeQuery) -> ChargeAnswer:
        return await read_charge(charges, tenant, query)

    async def refunds_of(tenant: str, query: RefundsQuery) -> RefundsAnswer:
        return await read_refunds(charges, refunds, tenant, query)

    return [
        view_route(BALANCES, balances, token=token),
        view_route(CHARGE, charge, token=token),
        view_route(REFUNDS, refunds_of, token=token),
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
