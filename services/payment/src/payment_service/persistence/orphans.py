"""Charges whose purchase may have come to nothing, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, text, tuple_, update

from payment_service.domain.charges import ChargeStatus
from payment_service.domain.escalations import Escalation
from payment_service.domain.orphans import OpenCharge
from payment_service.persistence.escalations import open_escalation
from payment_service.persistence.tables import CHARGES, UNCONCLUDED
from platform_runtime.database import Database

_OF = CHARGES.c
_ORDER = (_OF.created_at, _OF.tenant, _OF.operation_id)


class SqlOrphans:
    """The port `Orphans` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read the charges in the database."""
        self._database = database

    async def page(self, *, before: datetime, limit: int, after: OpenCharge | None = None) -> Sequence[OpenCharge]:
        """Return charges from before a moment that may hold money and are not concluded, the oldest first."""
        query = (
            select(*_ORDER, _OF.status)
            # In the words of the index, or it would not be used.
            .where(text(UNCONCLUDED), _OF.created_at < before)
            .order_by(*_ORDER)
            .limit(limit)
        )
        if after is not None:
            position: Sequence[Any] = (after.created_at, after.tenant, after.operation_id)
            bound = (literal(value, column.type) for column, value in zip(_ORDER, position, strict=True))
            query = query.where(tuple_(*_ORDER) > tuple_(*bound))
        async with self._database.read() as connection:
            return [
                OpenCharge(
                    tenant=row.tenant,
                    operation_id=row.operation_id,
                    status=ChargeStatus(row.status),
                    created_at=row.created_at,
                )
                for row in (await connection.execute(query)).all()
            ]

    async def conclude(
        self, *, tenant: str, operation_ids: Sequence[str], now: datetime, escalation: Escalation | None = None
    ) -> None:
        """Never ask about these charges again; where a person has to, tell them in the same transaction."""
        async with self._database.write() as connection:
            await connection.execute(
                update(CHARGES)
                .where(_OF.tenant == tenant, _OF.operation_id.in_(operation_ids), _OF.concluded_at.is_(None))
                .values(concluded_at=now)
            )
            if escalation is not None:
                await open_escalation(connection, escalation)
