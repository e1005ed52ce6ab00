"""Refunds in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import UnknownChargeError
from payment_service.domain.escalations import EscalationReason, escalation, escalation_id, subject_of
from payment_service.domain.ledger import Phase, TransactionKey, TransactionKind, reversal
from payment_service.domain.refunds import (
    OPEN,
    DifferentRefundError,
    NotCapturedError,
    RefundRequest,
    RefundsOfCharge,
    RefundStatus,
    StoredRefund,
    planned,
)
from payment_service.domain.reversals import (
    SellerPart,
    captured_amount,
    reversal_transaction,
)
from payment_service.persistence import ledger
from payment_service.persistence.charges import charge_of, is_charge
from payment_service.persistence.escalations import open_escalation, resolve_escalation
from payment_service.persistence.refund_tables import REFUNDS
from payment_service.persistence.reversals import (
    ConcurrentReversalError,
    Reversible,
    as_stored,
    find_reversible,
    give_up,
    parts_of,
    reverse,
)
from payment_service.persistence.tables import CHARGES
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.money import Money
from platform_runtime.database import Database

_ATTEMPTS: Final = 20
"""How often a refund is tried whose charge others are refunding as well; then Temporal tries again."""

_MAY_COME_FROM: Final = {
    RefundStatus.PENDING: frozenset({RefundStatus.REQUESTED}),
    RefundStatus.SUCCEEDED: OPEN,
    RefundStatus.FAILED: OPEN,
}


class SqlRefunds:
    """The port `Refunds` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep the refunds in the database."""
        self._database = database

    async def request(self, request: RefundRequest, *, now: datetime) -> StoredRefund:
        """Write the refund down and post it pending, unless it is there; return it as it stands after that.

        Raises:
            UnknownChargeError: when there is no such charge.
            NotCapturedError: when it is not captured.
            RefundExceedsError: when more is asked for than is left.
            InvalidRefundError: when nothing can be refunded like this.
            DifferentRefundError: when the refund is there with other details.
            ConcurrentReversalError: when others were faster again and again; nothing was written.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._request(request, now=now)
            except ConcurrentReversalError:
                continue
        return await self._request(request, now=now)

    async def _request(self, request: RefundRequest, *, now: datetime) -> StoredRefund:
        async with self._database.write() as connection:
            known = await _find(connection, request.tenant, request.refund_id)
            if known is not None:
                if not known.is_what_is_asked(request):
                    raise DifferentRefundError(request.refund_id)
                return known
            reversible = await find_reversible(connection, tenant=request.tenant, charge_id=request.charge_id)
            if reversible is None:
                raise UnknownChargeError(request.charge_id)
            if not isinstance(reversible, Reversible):
                raise NotCapturedError(request.refund_id)
            refunds = await _count(connection, request)
            refund = planned(request, reversible.charge, reversible.left, refunds=refunds, now=now)
            await reverse(connection, reversible, refund.amount.minor_units, now=now)
            await _insert(connection, refund)
            await ledger.post(
                connection,
                reversal_transaction(
                    reversible.charge,
                    refund.parts,
                    operation_id=refund.refund_id,
                    kind=TransactionKind.REFUND_PENDING,
                    phase=Phase.PENDING,
                    now=now,
                ),
            )
            return refund

    async def find(self, *, tenant: str, refund_id: str) -> StoredRefund | None:
        """Return the refund; None when there is none."""
        async with self._database.read() as connection:
            return await _find(connection, tenant, refund_id)

    async def of_charge(self, *, tenant: str, charge_id: str) -> RefundsOfCharge | None:
        """Return what is taken back of a captured charge; None when there is none that is captured."""
        async with self._database.read() as connection:
            found = await find_reversible(connection, tenant=tenant, charge_id=charge_id)
            if not isinstance(found, Reversible):
                return None
            rows = (
                await connection.execute(
                    _query()
                    .where(REFUNDS.c.tenant == tenant, REFUNDS.c.charge_id == charge_id)
                    .order_by(REFUNDS.c.requested_at.desc(), REFUNDS.c.refund_id)
                )
            ).all()
        captured = captured_amount(found.charge)
        return RefundsOfCharge(
            captured=captured,
            reversed=captured.model_copy(update={"minor_units": found.charge.reversed_minor_units}),
            refunds=tuple(_refund(row) for row in rows),
        )

    async def settle(self, refund: StoredRefund, *, to: RefundStatus, now: datetime) -> StoredRefund:
        """Move the refund if it may, with its postings, in one transaction; return it as it stands after that.

        Succeeded, what was pending is released and posted. Failed, it is released, the charge can be refunded again,
        and a person hears of it.
        """
        async with self._database.write() as connection:
            moved = await connection.execute(
                update(REFUNDS)
                .where(_is(refund.tenant, refund.refund_id), REFUNDS.c.status.in_(sorted(_MAY_COME_FROM[to])))
                .values(status=to, changed_at=now)
            )
            if moved.rowcount == 1 and to not in OPEN:
                await _close(connection, refund, to=to, now=now)
            stored = await _find(connection, refund.tenant, refund.refund_id)
        assert stored is not None, "no refund is ever deleted"
        return stored

    async def escalate(self, refund: StoredRefund, *, now: datetime) -> None:
        """Have a person look at a refund that is open for too long, if it still is."""
        async with self._database.write() as connection:
            # An update, though it changes nothing: whoever settles the refund comes before it or after it.
            is_open = await connection.execute(
                update(REFUNDS)
                .where(_is(refund.tenant, refund.refund_id), REFUNDS.c.status.in_(sorted(OPEN)))
                .values(changed_at=REFUNDS.c.changed_at)
            )
            if is_open.rowcount == 1:
                await _escalate(connection, refund, EscalationReason.REFUND_UNRESOLVED, now=now)


async def _count(connection: AsyncConnection, request: RefundRequest) -> int:
    of_charge = and_(REFUNDS.c.tenant == request.tenant, REFUNDS.c.charge_id == request.charge_id)
    return await connection.scalar(select(func.count()).select_from(REFUNDS).where(of_charge)) or 0


async def _insert(connection: AsyncConnection, refund: StoredRefund) -> None:
    await connection.execute(
        insert(REFUNDS).values(
            tenant=refund.tenant,
            refund_id=refund.refund_id,
            charge_id=refund.charge_id,
            status=refund.status,
            minor_units=refund.amount.minor_units,
            currency=refund.amount.currency,
            exponent=refund.amount.exponent,
            parts=as_stored(refund.parts),
            own_shares=int(refund.has_own_shares),
            reason=refund.reason,
            requested_at=refund.requested_at,
            changed_at=refund.requested_at,
        )
    )


async def _close(connection: AsyncConnection, refund: StoredRefund, *, to: RefundStatus, now: datetime) -> None:
    key = TransactionKey(tenant=refund.tenant, operation_id=refund.refund_id, kind=TransactionKind.REFUND_PENDING)
    pending = await ledger.find(connection, key)
    assert pending is not None, "a refund is written and posted pending in one transaction"
    if to is RefundStatus.FAILED:
        await give_up(
            connection,
            tenant=refund.tenant,
            charge_id=refund.charge_id,
            minor_units=refund.amount.minor_units,
            now=now,
        )
    released = reversal(pending, operation_id=refund.refund_id, kind=TransactionKind.REFUND_RELEASED, now=now)
    await ledger.post(connection, released)
    if to is RefundStatus.SUCCEEDED:
        row = (await connection.execute(select(CHARGES).where(is_charge(refund.tenant, refund.charge_id)))).one()
        posted = reversal_transaction(
            charge_of(row), refund.parts, operation_id=refund.refund_id, kind=TransactionKind.REFUND, now=now
        )
        await ledger.post(connection, posted)
    else:
        await _escalate(connection, refund, EscalationReason.REFUND_FAILED, now=now)
    await resolve_escalation(
        connection,
        escalation_id(EscalationReason.REFUND_UNRESOLVED, _subject(refund)),
        by=PLATFORM_TENANT,
        resolution=f"the provider has told: {to}",
        now=now,
    )


async def _escalate(
    connection: AsyncConnection, refund: StoredRefund, reason: EscalationReason, *, now: datetime
) -> None:
    amount = refund.amount
    details = {
        "charge": refund.charge_id,
        "minorUnits": str(amount.minor_units),
        "currency": amount.currency,
        "requestedAt": refund.requested_at.isoformat(),
    }
    await open_escalation(
        connection,
        escalation(reason, tenant=refund.tenant, subject=_subject(refund), now=now, details=details),
    )


def _subject(refund: StoredRefund) -> str:
    return subject_of("refund", tenant=refund.tenant, name=refund.refund_id)


async def _find(connection: AsyncConnection, tenant: str, refund_id: str) -> StoredRefund | None:
    row = (await connection.execute(_query().where(_is(tenant, refund_id)))).one_or_none()
    return None if row is None else _refund(row)


def _query() -> Any:
    same = and_(CHARGES.c.tenant == REFUNDS.c.tenant, CHARGES.c.operation_id == REFUNDS.c.charge_id)
    return select(*REFUNDS.c, CHARGES.c.reference).join(CHARGES, same)


def _refund(row: Row[Any]) -> StoredRefund:
    parts: Sequence[SellerPart] = parts_of(row.parts)
    return StoredRefund(
        tenant=row.tenant,
        refund_id=row.refund_id,
        charge_id=row.charge_id,
        status=RefundStatus(row.status),
        amount=Money(minor_units=row.minor_units, currency=row.currency, exponent=row.exponent),
        parts=tuple(parts),
        has_own_shares=bool(row.own_shares),
        reason=row.reason,
        requested_at=row.requested_at,
        charge_reference=row.reference,
    )


def _is(tenant: str, refund_id: str) -> ColumnElement[bool]:
    return and_(REFUNDS.c.tenant == tenant, REFUNDS.c.refund_id == refund_id)
