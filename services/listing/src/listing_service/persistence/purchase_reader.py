"""Reads purchases and sales from the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from listing_service.domain.purchases import (
    PurchasePosition,
    PurchaseState,
    ReservedLine,
    Sale,
    SalePosition,
    StoredPurchase,
)
from listing_service.persistence.tables import PURCHASE_LINES, PURCHASES
from platform_contracts.money import Money
from platform_runtime.database import Database, UtcDateTime


class SqlPurchaseReader:
    """The port `PurchaseReader` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Read this database."""
        self._database = database

    async def find(self, *, tenant: str, purchase_id: str) -> StoredPurchase | None:
        """Return the purchase; None where nothing was ever reserved for it."""
        query = select(PURCHASES).where(
            PURCHASES.c.tenant == tenant,
            PURCHASES.c.purchase_id == purchase_id,
            PURCHASES.c.reserved_at.is_not(None),
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            lines = await read_lines(connection, tenant, [purchase_id])
        return None if row is None else purchase_of(row, lines[purchase_id])

    async def page(self, *, tenant: str, limit: int, after: PurchasePosition | None) -> Sequence[StoredPurchase]:
        """Return at most `limit` purchases, newest first; those after a position, or the first ones."""
        table = PURCHASES.c
        query = (
            select(PURCHASES)
            .where(table.tenant == tenant, table.reserved_at.is_not(None))
            .order_by(table.reserved_at.desc(), table.purchase_id.desc())
            .limit(limit)
        )
        if after is not None:
            position = tuple_(literal(after.reserved_at, UtcDateTime), literal(after.purchase_id))
            query = query.where(tuple_(table.reserved_at, table.purchase_id) < position)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            lines = await read_lines(connection, tenant, [row.purchase_id for row in rows])
        return [purchase_of(row, lines[row.purchase_id]) for row in rows]

    async def sales(self, *, seller: str, limit: int, after: SalePosition | None) -> Sequence[Sale]:
        """Return at most `limit` sales, newest first; those after a position, or the first ones."""
        table = PURCHASE_LINES.c
        query = (
            select(PURCHASE_LINES)
            .where(table.seller == seller, table.sold_at.is_not(None))
            .order_by(table.sold_at.desc(), table.purchase_id.desc(), table.listing_id.desc())
            .limit(limit)
        )
        if after is not None:
            position = tuple_(
                literal(after.sold_at, UtcDateTime), literal(after.purchase_id), literal(after.listing_id)
            )
            query = query.where(tuple_(table.sold_at, table.purchase_id, table.listing_id) < position)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Sale(
                purchase_id=row.purchase_id,
                listing_id=row.listing_id,
                quantity=row.quantity,
                price=_price(row),
                sold_at=row.sold_at,
            )
            for row in rows
        ]


async def read_lines(
    connection: AsyncConnection, tenant: str, purchase_ids: Sequence[str]
) -> dict[str, tuple[ReservedLine, ...]]:
    """Return the lines of purchases, by purchase id, in the order of seller and listing id."""
    rows = (
        await connection.execute(
            select(PURCHASE_LINES)
            .where(PURCHASE_LINES.c.tenant == tenant, PURCHASE_LINES.c.purchase_id.in_(purchase_ids))
            .order_by(PURCHASE_LINES.c.seller, PURCHASE_LINES.c.listing_id)
        )
    ).all()
    lines: dict[str, tuple[ReservedLine, ...]] = {}
    for row in rows:
        line = ReservedLine(seller=row.seller, listing_id=row.listing_id, quantity=row.quantity, price=_price(row))
        lines[row.purchase_id] = (*lines.get(row.purchase_id, ()), line)
    return lines


def purchase_of(row: Row[Any], lines: tuple[ReservedLine, ...]) -> StoredPurchase:
    """Return the purchase that a row and its lines stand for; the row must have been reserved."""
    return StoredPurchase(
        purchase_id=row.purchase_id,
        buyer_id=row.buyer_id,
        state=PurchaseState(row.state),
        lines=lines,
        reserved_at=row.reserved_at,
        held_until=row.held_until,
    )


def _price(row: Row[Any]) -> Money:
    return Money(minor_units=row.price_minor_units, currency=row.currency, exponent=row.exponent)
