"""Balances and payouts in a database, for the tests of payouts."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select

from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.domain.ledger import (
    PLATFORM_FEES,
    Phase,
    Posting,
    Transaction,
    TransactionKind,
    cash_clearing,
    partner_payable,
    partner_reserve,
)
from payment_service.domain.payouts import NewPayout, PayoutPlan, StoredPayout
from payment_service.persistence.ledger import credit_balances, post
from payment_service.persistence.payouts import SqlPayouts
from payment_service.persistence.tables import LEDGER_BALANCES, LEDGER_POSTINGS
from platform_runtime.database import Database
from tests.fakes.payment import euros

DAY = timedelta(days=1)
CUT = datetime.fromisoformat("2026-11-23T00:00:00+00:00")


class Books:
    """What is owed to acme, and what is paid of it."""

    def __init__(self, database: Database, plan: PayoutPlan | None = None) -> None:
        """Pay by this plan."""
        self.database = database
        self.payouts = SqlPayouts(database, default_plan=plan or PayoutPlan())

    async def sell(self, minor_units: int, *, at: datetime, partner: str = "acme") -> None:
        """Owe the partner so much more; the fee is a tenth on top."""
        await self._post(
            TransactionKind.CAPTURE,
            at,
            (cash_clearing("acquirer"), minor_units + minor_units // 10),
            (partner_payable(partner), -minor_units),
            (PLATFORM_FEES, -(minor_units // 10)),
        )

    async def give_back(
        self, minor_units: int, *, at: datetime, phase: Phase = Phase.POSTED, partner: str = "acme"
    ) -> None:
        """Owe the partner so much less, for a buyer got it back or is about to."""
        kind = TransactionKind.REFUND if phase is Phase.POSTED else TransactionKind.REFUND_PENDING
        await self._post(
            kind, at, (cash_clearing("acquirer"), -minor_units), (partner_payable(partner), minor_units), phase=phase
        )

    async def reserve(
        self, payout_id: str = "po-1", *, cut: datetime = CUT, now: datetime = CUT, partner: str = "acme"
    ) -> StoredPayout:
        """Reserve a payout."""
        return await self.payouts.reserve(
            NewPayout(
                partner=partner,
                payout_id=payout_id,
                currency="EUR",
                exponent=2,
                cut=cut,
                requested_by=None,
                provider="acquirer",
            ),
            now=now,
        )

    async def pay(self, payout_id: str = "po-1", *, cut: datetime = CUT, now: datetime = CUT) -> StoredPayout:
        """Reserve a payout, send it and see it arrive."""
        reserved = await self.reserve(payout_id, cut=cut, now=now)
        if reserved.carried is not None:
            return reserved
        await self.payouts.begin_sending(partner="acme", payout_id=payout_id, now=now)
        return await self.payouts.paid(partner="acme", payout_id=payout_id, now=now)

    async def fail(self, payout_id: str = "po-1", *, now: datetime = CUT) -> StoredPayout:
        """Have the provider say that it could not pay."""
        return await self._against(self.payouts.failed, payout_id, now)

    async def unresolved(self, payout_id: str = "po-1") -> None:
        """Have a person look at what was sent and has no end."""
        opened = escalation(
            EscalationReason.PAYOUT_UNRESOLVED, tenant="acme", subject=f"payout:acme:{payout_id}", now=CUT
        )
        await self.payouts.unresolved(partner="acme", payout_id=payout_id, escalation=opened)

    async def come_back(self, payout_id: str = "po-1", *, now: datetime = CUT) -> StoredPayout:
        """Have the provider say that what it paid has come back."""
        return await self._against(self.payouts.returned, payout_id, now)

    async def balance(self, account: str = partner_payable("acme"), *phases: Phase) -> int:
        """Return what is owed on the account; posted and pending together, unless it is said otherwise."""
        async with self.database.read() as connection:
            found = await credit_balances(connection, account, phases=phases or tuple(Phase))
        return sum(each.minor_units for each in found)

    async def kept_back(self) -> int:
        """Return what is in the reserve."""
        return await self.balance(partner_reserve("acme"), Phase.POSTED)

    async def paid_out(self) -> int:
        """Return what the payouts that count have taken of what the provider owes."""
        async with self.database.read() as connection:
            total = await connection.scalar(
                select(func.sum(LEDGER_POSTINGS.c.minor_units)).where(
                    LEDGER_POSTINGS.c.account == cash_clearing("acquirer"),
                    LEDGER_POSTINGS.c.kind.in_([TransactionKind.PAYOUT, TransactionKind.PAYOUT_RETURNED]),
                )
            )
        return -int(total or 0)

    async def problems(self) -> list[str]:
        """Return what is wrong with the ledger itself: a phase that does not sum to zero, a balance that is off."""
        async with self.database.read() as connection:
            sums = await connection.execute(
                select(LEDGER_POSTINGS.c.phase, func.sum(LEDGER_POSTINGS.c.minor_units)).group_by(
                    LEDGER_POSTINGS.c.phase
                )
            )
            found = [f"{phase} sums to {total}" for phase, total in sums if int(total)]
            posted = {
                (account, phase): int(total)
                for account, phase, total in await connection.execute(
                    select(
                        LEDGER_POSTINGS.c.account, LEDGER_POSTINGS.c.phase, func.sum(LEDGER_POSTINGS.c.minor_units)
                    ).group_by(LEDGER_POSTINGS.c.account, LEDGER_POSTINGS.c.phase)
                )
            }
            projected = {
                (row.account, row.phase): int(row.minor_units)
                for row in await connection.execute(select(LEDGER_BALANCES))
            }
        return found + ([] if posted == projected else [f"{projected} is not {posted}"])

    async def _against(self, do: Callable[..., Awaitable[StoredPayout]], payout_id: str, now: datetime) -> StoredPayout:
        opened = escalation(EscalationReason.PAYOUT_FAILED, tenant="acme", subject=f"payout:acme:{payout_id}", now=now)
        return await do(partner="acme", payout_id=payout_id, escalation=opened, now=now)

    async def _post(
        self, kind: TransactionKind, at: datetime, *amounts: tuple[str, int], phase: Phase = Phase.POSTED
    ) -> None:
        transaction = Transaction(
            tenant="buyers",
            operation_id=uuid4().hex[:20],
            kind=kind,
            postings=[
                Posting(account=account, amount=euros(minor_units)) for account, minor_units in amounts if minor_units
            ],
            posted_at=at,
            phase=phase,
        )
        async with self.database.write() as connection:
            await post(connection, transaction)
