"""What the tests of refunds and disputes share."""

from datetime import timedelta

from sqlalchemy import func, select

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.disputes import DisputeNotice, DisputeStatus
from payment_service.domain.escalations import EscalationReason, escalation_id
from payment_service.domain.ledger import PLATFORM_FEES, Phase
from payment_service.domain.refunds import (
    RefundRequest,
)
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.ledger import SqlLedger
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS
from platform_runtime.database import Database
from tests.fakes.payment import euros
from tests.integration.payment.samples import NOW, captured, details

LATER = NOW + timedelta(hours=1)


async def capture(
    database: Database, *shares: int, operation_id: str = "p-1", amount: int | None = None
) -> StoredCharge:
    """Return a captured charge of `buyers`."""
    charges = SqlCharges(database)
    charge, _ = await charges.begin(
        tenant="buyers",
        operation_id=operation_id,
        details=details(*(shares or (1_500, 500))),
        provider="acquirer",
        now=NOW,
    )
    charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)
    if amount is not None:
        charge = await charges.ask_capture(charge, amount=euros(amount), now=NOW)
    return await charges.capture(charge, transaction=captured(charge))


def request(
    refund_id: str = "r-1",
    *,
    amount: int | None = None,
    shares: dict[str, int] | None = None,
    charge_id: str = "p-1",
    tenant: str = "buyers",
) -> RefundRequest:
    """Return a request for a refund."""
    return RefundRequest(
        tenant=tenant,
        refund_id=refund_id,
        charge_id=charge_id,
        amount=None if amount is None else euros(amount),
        shares=shares,
        reason="broken",
    )


def notice(
    status: DisputeStatus, *, dispute_id: str = "d-1", amount: int = 2_000, charge_id: str = "p-1"
) -> DisputeNotice:
    """Return what a provider says of a dispute."""
    return DisputeNotice(
        tenant="buyers", dispute_id=dispute_id, charge_id=charge_id, status=status, amount=euros(amount)
    )


async def balances_of(database: Database, *phases: Phase) -> dict[str, int]:
    """Return what is owed to us and what we owe, a credit positive."""
    ledger = SqlLedger(database)
    accounts = ("cash_clearing:acquirer", "partner_payable:seller-0", "partner_payable:seller-1", PLATFORM_FEES)
    found: dict[str, int] = {}
    for account in accounts:
        balances = await ledger.credit_balances(account, phases=phases or (Phase.POSTED,))
        found[account] = sum(balance.minor_units for balance in balances)
    return found


async def reversed_units(database: Database) -> int:
    """Return what refunds and disputes take of the one charge there is."""
    async with database.read() as connection:
        return int((await connection.execute(select(CHARGES.c.reversed_minor_units))).scalar_one())


async def is_open(database: Database, reason: EscalationReason, subject: str) -> bool | None:
    """Say whether an escalation is open; None where there is none."""
    found = await SqlEscalations(database).find(escalation_id(reason, subject))
    return None if found is None else found.resolved_at is None


async def check_ledger(database: Database) -> None:
    """Make sure that each phase of the ledger sums to zero."""
    async with database.read() as connection:
        rows = await connection.execute(
            select(LEDGER_POSTINGS.c.phase, func.sum(LEDGER_POSTINGS.c.minor_units)).group_by(LEDGER_POSTINGS.c.phase)
        )
        assert {int(total) for _, total in rows} == {0}
