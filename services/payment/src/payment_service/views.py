"""What the payment service shows to the gateway."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import SecretStr
from starlette.routing import BaseRoute

from payment_service.domain.ledger import partner_payable
from payment_service.ports import Charges, Ledger
from platform_contracts.payment.charge import ChargeStatus
from platform_contracts.payment.views import (
    BALANCES,
    CHARGE,
    Balances,
    BalancesQuery,
    Charge,
    ChargeAnswer,
    ChargeQuery,
)
from platform_runtime.internal_app import view_route


def views(*, charges: Charges, ledger: Ledger, token: SecretStr | None) -> Sequence[BaseRoute]:
    """Return the routes of all views."""

    async def balances(tenant: str, query: BalancesQuery) -> Balances:
        return await read_balances(ledger, tenant, query, now=datetime.now(UTC))

    async def charge(tenant: str, query: ChargeQuery) -> ChargeAnswer:
        return await read_charge(charges, tenant, query)

    return [view_route(BALANCES, balances, token=token), view_route(CHARGE, charge, token=token)]


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
