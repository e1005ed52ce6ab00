"""Runs reconciliations of one provider with one database, for their tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from temporalio.testing import ActivityEnvironment

from payment_service.activities.charge_outcomes import ChargeOutcomes
from payment_service.activities.reconciliation import Reconcile, ReconciliationActivities
from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.escalations import Escalation
from payment_service.domain.ledger import Phase, Posting, Transaction, TransactionKind, cash_clearing, partner_payable
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.escalations import SqlEscalations
from payment_service.persistence.ledger import post
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.persistence.reconciliations import SqlReconciliations
from platform_contracts.payment.reconciliation import ReconciliationResult
from platform_runtime.database import Database
from tests.fakes.payment import FakeAcquirer, euros
from tests.fakes.payment_reconciliation import FakeRecords
from tests.integration.payment.samples import captured, details

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Reconciler:
    """Runs reconciliations of one provider with one database."""

    database: Database
    provider: FakeRecords
    acquirer: FakeAcquirer

    def activities(self, *providers: FakeRecords, settling: timedelta = timedelta(0)) -> ReconciliationActivities:
        charges = SqlCharges(self.database)
        return ReconciliationActivities(
            SqlReconciliations(self.database),
            providers,
            charges=charges,
            outcomes=ChargeOutcomes(charges, self.acquirer, fee_basis_points=1_000, escalate_after=HOUR),
            ledger_check=SqlLedgerCheck(self.database),
            escalations=SqlEscalations(self.database),
            settling=settling,
            overlap=HOUR,
        )

    async def run(self, run_id: str | None = None, *, settling: timedelta = timedelta(0)) -> ReconciliationResult:
        reconcile = self.activities(self.provider, settling=settling).reconcile
        return await ActivityEnvironment().run(reconcile, Reconcile(run_id=run_id or str(uuid4())))

    async def charge(
        self, operation_id: str = "p-1", *, at: datetime, status: ChargeStatus = ChargeStatus.CAPTURED
    ) -> StoredCharge:
        """Write down a charge of 20 euros, begun a minute before the moment at which it is captured."""
        charges = SqlCharges(self.database)
        charge, _ = await charges.begin(
            tenant="buyers",
            operation_id=operation_id,
            details=details(1_500, 500),
            provider="acquirer",
            now=at - MINUTE,
        )
        if status in {ChargeStatus.AUTHORISED, ChargeStatus.CAPTURED}:
            charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=at)
        if status is ChargeStatus.CAPTURED:
            charge = await charges.capture(charge, transaction=captured(charge, now=at))
        return charge

    async def refund(self, phase: Phase, kind: TransactionKind, minor_units: int, *, at: datetime) -> None:
        """Post what moves between the provider and a seller for the refund r-1."""
        async with self.database.write() as connection:
            await post(
                connection,
                Transaction(
                    tenant="buyers",
                    operation_id="r-1",
                    kind=kind,
                    phase=phase,
                    charge_id="p-1",
                    posted_at=at,
                    postings=[
                        Posting(account=cash_clearing("acquirer"), amount=euros(-minor_units)),
                        Posting(account=partner_payable("seller-0"), amount=euros(minor_units)),
                    ],
                ),
            )

    async def escalated(self, *, is_open: bool = True) -> Sequence[Escalation]:
        return await SqlEscalations(self.database).page(tenant=None, is_open=is_open, limit=50, after=None)
