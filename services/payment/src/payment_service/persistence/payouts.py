"""Payouts in the database: what they take of a balance, and their postings, in one transaction with their row."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.escalations import Escalation, EscalationReason, subject_of
from payment_service.domain.ledger import Phase, TransactionKey, TransactionKind, partner_payable, reversal
from payment_service.domain.payouts import (
    GIVES_BACK,
    MAY_COME_FROM,
    CarriedReason,
    NewPayout,
    PayoutDiffersError,
    PayoutPlan,
    PayoutPosition,
    PayoutStatus,
    StoredPayout,
    needs_review,
    payable,
    payout_transactions,
    pending_transaction,
    reserved,
)
from payment_service.persistence.escalations import close_escalations, open_escalation
from payment_service.persistence.ledger import find, post
from payment_service.persistence.payout_plans import find_plan
from payment_service.persistence.payout_tables import PAYOUTS
from payment_service.persistence.tables import LEDGER_BALANCES, LEDGER_POSTINGS
from platform_contracts.money import Money
from platform_runtime.database import Database, upsert

_ENDED_WITHOUT_PAYMENT: Final = frozenset({PayoutStatus.REJECTED, PayoutStatus.EXPIRED, PayoutStatus.CANCELLED})


class SqlPayouts:
    """The port `Payouts` on SQLite and PostgreSQL."""

    def __init__(self, database: Database, *, default_plan: PayoutPlan) -> None:
        """Keep the payouts in the database; who has no plan of its own is paid by the default one."""
        self._database = database
        self._default_plan = default_plan

    async def reserve(self, new: NewPayout, *, now: datetime) -> StoredPayout:
        """Take everything that is payable out of the balance, or write down why nothing is; once for a payout id.

        Raises:
            PayoutDiffersError: when there is one of this id for another currency.
        """
        async with self._database.write() as connection:
            plan = await find_plan(connection, partner=new.partner, currency=new.currency) or self._default_plan
            # The row comes first: from here on no other payout of this partner can read the balance, on PostgreSQL too.
            if await _insert(connection, new, plan, now=now):
                return await _take(connection, new, plan, now=now)
            known = await _find(connection, new.partner, new.payout_id)
            if known is None:
                await _insert(connection, new, plan, now=now, carried=CarriedReason.ANOTHER_IS_OPEN)
                known = await _stored(connection, new.partner, new.payout_id)
        if (known.amount.currency, known.amount.exponent) != (new.currency, new.exponent):
            raise PayoutDiffersError(new.payout_id)
        return known

    async def find(self, *, partner: str, payout_id: str) -> StoredPayout | None:
        """Return the payout; None when there is none."""
        async with self._database.read() as connection:
            return await _find(connection, partner, payout_id)

    async def wait(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout:
        """Move a waiting payout to HELD or IN_REVIEW; return it as it stands after that."""
        async with self._database.write() as connection:
            await _move(connection, partner, payout_id, to=to, now=now)
            return await _stored(connection, partner, payout_id)

    async def begin_sending(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        """Write down that it is about to be sent, or that the balance no longer covers it; return how it stands."""
        async with self._database.write() as connection:
            payout = await _stored(connection, partner, payout_id)
            if await _available(connection, payout) < 0:
                values = {"carried": CarriedReason.BALANCE_FELL, "minor_units": 0, "withheld_minor_units": 0}
                if await _move(connection, partner, payout_id, to=PayoutStatus.CARRIED, now=now, **values):
                    await _release(connection, payout, now=now)
            else:
                await _move(connection, partner, payout_id, to=PayoutStatus.SENDING, now=now)
            return await _stored(connection, partner, payout_id)

    async def give_back(self, *, partner: str, payout_id: str, to: PayoutStatus, now: datetime) -> StoredPayout | None:
        """End a payout that was not sent, and restore the balance; return how it stands, None when there is none."""
        assert to in _ENDED_WITHOUT_PAYMENT, "what the provider decides has a way of its own"
        async with self._database.write() as connection:
            payout = await _find(connection, partner, payout_id)
            if payout is not None and await _move(connection, partner, payout_id, to=to, now=now):
                await _release(connection, payout, now=now)
            return await _find(connection, partner, payout_id)

    async def paid(self, *, partner: str, payout_id: str, now: datetime) -> StoredPayout:
        """Post that it is paid, and what is kept back; once. Return how it stands."""
        async with self._database.write() as connection:
            payout = await _stored(connection, partner, payout_id)
            if await _move(connection, partner, payout_id, to=PayoutStatus.PAID, now=now):
                await _release(connection, payout, now=now)
                for transaction in payout_transactions(payout, now=now):
                    await post(connection, transaction)
                await _keep_until(connection, payout, now=now)
                await _close(connection, payout, "it is paid", now=now)
            return await _stored(connection, partner, payout_id)

    async def failed(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        """Restore the balance of what could not be paid, and have a person look at it; once. Return how it stands."""
        async with self._database.write() as connection:
            payout = await _stored(connection, partner, payout_id)
            if await _move(connection, partner, payout_id, to=PayoutStatus.FAILED, now=now):
                await _release(connection, payout, now=now)
                await _close(connection, payout, "it has failed", now=now)
                await open_escalation(connection, escalation)
            return await _stored(connection, partner, payout_id)

    async def unresolved(self, *, partner: str, payout_id: str, escalation: Escalation) -> None:
        """Have a person look at a payout that was sent and has no end; one that has one by now concerns nobody."""
        query = select(PAYOUTS.c.status).where(_is(partner, payout_id)).with_for_update()
        async with self._database.write() as connection:
            if await connection.scalar(query) == PayoutStatus.SENDING:
                await open_escalation(connection, escalation)

    async def returned(self, *, partner: str, payout_id: str, escalation: Escalation, now: datetime) -> StoredPayout:
        """Restore the balance of what was paid and came back, and have a person look; once. Return how it stands."""
        async with self._database.write() as connection:
            payout = await _stored(connection, partner, payout_id)
            if await _move(connection, partner, payout_id, to=PayoutStatus.RETURNED, now=now):
                await _reverse(connection, payout, TransactionKind.PAYOUT, TransactionKind.PAYOUT_RETURNED, now=now)
                await open_escalation(connection, escalation)
            return await _stored(connection, partner, payout_id)

    async def page(self, *, partner: str, limit: int, after: PayoutPosition | None) -> Sequence[StoredPayout]:
        """Return a page of the partner's payouts, newest first."""
        table = PAYOUTS.c
        query = select(PAYOUTS).where(table.partner == partner)
        if after is not None:
            is_older = table.created_at < after.created_at
            is_next = and_(table.created_at == after.created_at, table.payout_id > after.payout_id)
            query = query.where(or_(is_older, is_next))
        query = query.order_by(table.created_at.desc(), table.payout_id).limit(limit)
        async with self._database.read() as connection:
            return [_payout(row) for row in (await connection.execute(query)).all()]


async def _insert(
    connection: AsyncConnection,
    new: NewPayout,
    plan: PayoutPlan,
    *,
    now: datetime,
    carried: CarriedReason | None = None,
) -> bool:
    """Write the row, unless the payout is there or another one of the partner and the currency is open."""
    written = await connection.execute(
        upsert(connection, PAYOUTS)
        .values(
            partner=new.partner,
            payout_id=new.payout_id,
            status=PayoutStatus.RESERVED if carried is None else PayoutStatus.CARRIED,
            currency=new.currency,
            exponent=new.exponent,
            minor_units=0,
            withheld_minor_units=0,
            carried=carried,
            cut=new.cut,
            requested_by=new.requested_by,
            needs_review=False,
            destination=plan.destination,
            provider=new.provider,
            reserve_days=plan.reserve_days,
            created_at=now,
            changed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(PAYOUTS.c.payout_id)
    )
    return written.one_or_none() is not None


async def _take(connection: AsyncConnection, new: NewPayout, plan: PayoutPlan, *, now: datetime) -> StoredPayout:
    """Work out what is payable, and take it out of what is available."""
    await _release_reserves(connection, new, now=now)
    figures = await _figures(connection, new, young_after=new.cut - timedelta(days=plan.delay_days))
    taken = reserved(payable(**figures), plan)
    await connection.execute(
        update(PAYOUTS)
        .where(_is(new.partner, new.payout_id))
        .values(
            status=PayoutStatus.RESERVED if taken.carried is None else PayoutStatus.CARRIED,
            carried=taken.carried,
            minor_units=taken.amount,
            withheld_minor_units=taken.withheld,
            needs_review=needs_review(taken.amount, plan),
        )
    )
    payout = await _stored(connection, new.partner, new.payout_id)
    if taken.carried is None:
        await post(connection, pending_transaction(payout, now=now))
    return payout


async def _figures(connection: AsyncConnection, new: NewPayout, *, young_after: datetime) -> dict[str, int]:
    """Return what `payable` asks for; one statement, so that all of it is of one moment."""
    account = partner_payable(new.partner)
    balance, posting = LEDGER_BALANCES.c, LEDGER_POSTINGS.c

    def balance_of(phase: Phase) -> Any:
        return (
            select(func.coalesce(-func.sum(balance.minor_units), 0))
            .where(
                balance.account == account,
                balance.phase == phase,
                balance.currency == new.currency,
                balance.exponent == new.exponent,
            )
            .scalar_subquery()
        )

    too_young = (
        select(func.coalesce(-func.sum(posting.minor_units), 0))
        .where(
            posting.account == account,
            posting.posted_at > young_after,
            posting.phase == Phase.POSTED,
            posting.currency == new.currency,
            posting.exponent == new.exponent,
            posting.minor_units < 0,
            posting.kind.not_in(sorted(GIVES_BACK)),
        )
        .scalar_subquery()
    )
    query = select(balance_of(Phase.POSTED), too_young, balance_of(Phase.PENDING))
    posted, young, pending = (int(figure) for figure in (await connection.execute(query)).one())
    return {"posted": posted, "too_young": young, "pending": pending}


async def _available(connection: AsyncConnection, payout: StoredPayout) -> int:
    """Return what is left of the balance with everything taken out of it that is on its way, this payout included."""
    balance = LEDGER_BALANCES.c
    total = await connection.scalar(
        select(func.coalesce(-func.sum(balance.minor_units), 0)).where(
            balance.account == partner_payable(payout.partner),
            balance.currency == payout.amount.currency,
            balance.exponent == payout.amount.exponent,
        )
    )
    return int(total or 0)


async def _release_reserves(connection: AsyncConnection, new: NewPayout, *, now: datetime) -> None:
    """Give back what was kept of earlier payouts for long enough; each once."""
    table = PAYOUTS.c
    due = await connection.execute(
        update(PAYOUTS)
        .where(
            table.partner == new.partner,
            table.currency == new.currency,
            table.exponent == new.exponent,
            table.reserve_until <= now,
            table.reserve_released_at.is_(None),
        )
        .values(reserve_released_at=now)
        .returning(*PAYOUTS.c)
    )
    for row in due.all():
        await _reverse(connection, _payout(row), TransactionKind.RESERVE, TransactionKind.RESERVE_RELEASE, now=now)


async def _keep_until(connection: AsyncConnection, payout: StoredPayout, *, now: datetime) -> None:
    if not payout.withheld.minor_units:
        return
    days = await connection.scalar(select(PAYOUTS.c.reserve_days).where(_is(payout.partner, payout.payout_id)))
    await connection.execute(
        update(PAYOUTS)
        .where(_is(payout.partner, payout.payout_id))
        .values(reserve_until=now + timedelta(days=int(days or 0)))
    )


async def _release(connection: AsyncConnection, payout: StoredPayout, *, now: datetime) -> None:
    """Take back that the payout is on its way."""
    await _reverse(connection, payout, TransactionKind.PAYOUT_PENDING, TransactionKind.PAYOUT_RELEASED, now=now)


async def _close(connection: AsyncConnection, payout: StoredPayout, resolution: str, *, now: datetime) -> None:
    """Resolve what a person was told of a payout without an end."""
    subject = subject_of("payout", tenant=payout.partner, name=payout.payout_id)
    told = f"the provider has told: {resolution}"
    await close_escalations(connection, subject, EscalationReason.PAYOUT_UNRESOLVED, resolution=told, now=now)


async def _reverse(
    connection: AsyncConnection, payout: StoredPayout, kind: TransactionKind, by: TransactionKind, *, now: datetime
) -> None:
    key = TransactionKey(tenant=payout.partner, operation_id=payout.payout_id, kind=kind)
    posted = await find(connection, key)
    assert posted is not None, f"{kind} is posted in the transaction that the row was written in"
    await post(connection, reversal(posted, operation_id=payout.payout_id, kind=by, now=now))


async def _move(
    connection: AsyncConnection, partner: str, payout_id: str, *, to: PayoutStatus, now: datetime, **values: Any
) -> bool:
    """Move the row if it is where it may come from; say whether it was."""
    moved = await connection.execute(
        update(PAYOUTS)
        .where(_is(partner, payout_id), PAYOUTS.c.status.in_(sorted(MAY_COME_FROM[to])))
        .values(status=to, changed_at=now, **values)
    )
    return moved.rowcount == 1


async def _find(connection: AsyncConnection, partner: str, payout_id: str) -> StoredPayout | None:
    row = (await connection.execute(select(PAYOUTS).where(_is(partner, payout_id)))).one_or_none()
    return None if row is None else _payout(row)


async def _stored(connection: AsyncConnection, partner: str, payout_id: str) -> StoredPayout:
    return _payout((await connection.execute(select(PAYOUTS).where(_is(partner, payout_id)))).one())


def _payout(row: Row[Any]) -> StoredPayout:
    amount = Money(minor_units=row.minor_units, currency=row.currency, exponent=row.exponent)
    return StoredPayout(
        partner=row.partner,
        payout_id=row.payout_id,
        status=PayoutStatus(row.status),
        amount=amount,
        withheld=amount.model_copy(update={"minor_units": row.withheld_minor_units}),
        carried=None if row.carried is None else CarriedReason(row.carried),
        cut=row.cut,
        requested_by=row.requested_by,
        needs_review=row.needs_review,
        destination=row.destination,
        provider=row.provider,
        reserve_until=row.reserve_until,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _is(partner: str, payout_id: str) -> ColumnElement[bool]:
    return and_(PAYOUTS.c.partner == partner, PAYOUTS.c.payout_id == payout_id)
