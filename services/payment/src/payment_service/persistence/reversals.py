"""What is left of a charge, read and written so that of two who take it back at once one finds out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.domain.disputes import DisputeStatus
from payment_service.domain.ledger import TransactionKey, TransactionKind
from payment_service.domain.refunds import RefundStatus
from payment_service.domain.reversals import Left, SellerPart, captured_parts, left_of
from payment_service.persistence import ledger
from payment_service.persistence.charges import charge_of, is_charge
from payment_service.persistence.refund_tables import DISPUTES, REFUNDS
from payment_service.persistence.tables import CHARGES


class ConcurrentReversalError(Exception):
    """Somebody else has taken back a part of the same charge meanwhile; nothing was written, and it is tried again."""

    def __init__(self, charge_id: str) -> None:
        """Name the charge."""
        super().__init__(f"charge {charge_id} is being taken back by others")


@dataclass(frozen=True, kw_only=True)
class Reversible:
    """A captured charge, what is left of it, and the version of that."""

    charge: StoredCharge
    version: int
    left: Left


async def find_reversible(
    connection: AsyncConnection, *, tenant: str, charge_id: str
) -> Reversible | StoredCharge | None:
    """Return what is left of a captured charge; another charge as it is; None when there is none."""
    row = (await connection.execute(select(CHARGES).where(is_charge(tenant, charge_id)))).one_or_none()
    if row is None:
        return None
    charge = charge_of(row)
    if charge.status is not ChargeStatus.CAPTURED:
        return charge
    capture = await ledger.find(
        connection, TransactionKey(tenant=tenant, operation_id=charge_id, kind=TransactionKind.CAPTURE)
    )
    assert capture is not None, "a charge is captured and posted in one transaction"
    taken = [part for row in await _reversing_rows(connection, tenant, charge_id) for part in parts_of(row.parts)]
    return Reversible(charge=charge, version=row.reversals, left=left_of(captured_parts(charge, capture), taken))


async def reverse(connection: AsyncConnection, reversible: Reversible, minor_units: int, *, now: datetime) -> None:
    """Count an amount as taken back, if nobody has counted anything since it was read.

    Raises:
        ConcurrentReversalError: when somebody has; the transaction has to be given up.
    """
    charge = reversible.charge
    written = await connection.execute(
        update(CHARGES)
        .where(
            is_charge(charge.tenant, charge.operation_id),
            CHARGES.c.status == ChargeStatus.CAPTURED,
            CHARGES.c.reversals == reversible.version,
        )
        .values(
            reversed_minor_units=CHARGES.c.reversed_minor_units + minor_units,
            reversals=CHARGES.c.reversals + 1,
            changed_at=now,
        )
    )
    if written.rowcount != 1:
        raise ConcurrentReversalError(charge.operation_id)


async def give_up(connection: AsyncConnection, *, tenant: str, charge_id: str, minor_units: int, now: datetime) -> None:
    """Count an amount as not taken back after all."""
    await connection.execute(
        update(CHARGES)
        .where(is_charge(tenant, charge_id))
        .values(
            reversed_minor_units=CHARGES.c.reversed_minor_units - minor_units,
            reversals=CHARGES.c.reversals + 1,
            changed_at=now,
        )
    )


def parts_of(stored: Sequence[Sequence[Any]]) -> tuple[SellerPart, ...]:
    """Return the parts as they were written."""
    return tuple(SellerPart(seller=seller, minor_units=units, fee=fee) for seller, units, fee in stored)


def as_stored(parts: Sequence[SellerPart]) -> list[list[str | int]]:
    """Return the parts as they are written."""
    return [[part.seller, part.minor_units, part.fee] for part in parts]


async def _reversing_rows(connection: AsyncConnection, tenant: str, charge_id: str) -> list[Any]:
    refunds = select(REFUNDS.c.parts).where(
        REFUNDS.c.tenant == tenant, REFUNDS.c.charge_id == charge_id, REFUNDS.c.status != RefundStatus.FAILED
    )
    disputes = select(DISPUTES.c.parts).where(
        DISPUTES.c.tenant == tenant, DISPUTES.c.charge_id == charge_id, DISPUTES.c.status != DisputeStatus.WON
    )
    return [*(await connection.execute(refunds)).all(), *(await connection.execute(disputes)).all()]
