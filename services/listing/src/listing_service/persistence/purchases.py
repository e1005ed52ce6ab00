"""Stock in the database: held, sold and given back, once for each purchase.

Every move begins with its purchase's row: two attempts of one purchase wait for each other there, and the second finds
what the first has done. Only then come its listings, always in the same order, so that no two purchases can wait for
each other in a circle. Each listing is changed by one conditional UPDATE, which finds out and takes at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from listing_service.domain.listings import ListingStatus, UnknownListingError
from listing_service.domain.purchases import (
    HOLDING,
    NotForSaleError,
    OrderLine,
    PurchaseDiffersError,
    PurchaseFailedError,
    PurchaseState,
    ReservationExpiredError,
    ReservedLine,
    SoldOutError,
    StoredPurchase,
    check_one_currency,
    merged,
)
from listing_service.persistence.purchase_reader import purchase_of, read_lines
from listing_service.persistence.tables import LISTINGS, PURCHASE_LINES, PURCHASES
from platform_contracts.money import Money
from platform_runtime.database import Database, upsert


class SqlPurchases:
    """The port `Purchases` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Keep purchases and stock in the database."""
        self._database = database

    async def reserve(
        self,
        *,
        tenant: str,
        purchase_id: str,
        buyer_id: str,
        lines: Sequence[OrderLine],
        now: datetime,
        held_until: datetime,
    ) -> StoredPurchase:
        """Hold all lines or none, at the prices of now; what was reserved before is returned as it is.

        Raises:
            UnknownListingError: when there is no such listing.
            NotForSaleError: when one is not published.
            SoldOutError: when one has fewer units available.
            MixedCurrenciesError: when the prices cannot be added up.
            PurchaseDiffersError: when there is a purchase of this id with other contents.
            ReservationExpiredError: when this purchase was released before.
            PurchaseFailedError: the same, when it is known why.
        """
        wanted = merged(lines)
        async with self._database.write() as connection:
            new = await connection.scalar(
                upsert(connection, PURCHASES)
                .values(
                    tenant=tenant,
                    purchase_id=purchase_id,
                    buyer_id=buyer_id,
                    state=PurchaseState.HELD,
                    reserved_at=now,
                    held_until=held_until,
                )
                .on_conflict_do_nothing()
                .returning(PURCHASES.c.purchase_id)
            )
            if new is None:
                return await _reserved_before(connection, tenant, purchase_id, buyer_id, wanted)
            reserved = tuple([await _hold(connection, line) for line in wanted])
            check_one_currency(purchase_id, [line.price for line in reserved])
            await connection.execute(
                insert(PURCHASE_LINES), [_line_values(tenant, purchase_id, line) for line in reserved]
            )
        return StoredPurchase(
            purchase_id=purchase_id,
            buyer_id=buyer_id,
            state=PurchaseState.HELD,
            lines=reserved,
            reserved_at=now,
            held_until=held_until,
        )

    async def confirm(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        """Let a hold that has not lapsed be sold, whatever the time from now on.

        Raises:
            ReservationExpiredError: when it has lapsed, or there is none.
        """
        async with self._database.write() as connection:
            await connection.execute(
                update(PURCHASES)
                .where(_is(tenant, purchase_id), PURCHASES.c.state == PurchaseState.HELD, PURCHASES.c.held_until > now)
                .values(state=PurchaseState.CONFIRMED)
            )
            state = await _state(connection, tenant, purchase_id)
        if state not in (PurchaseState.CONFIRMED, PurchaseState.SOLD):
            raise ReservationExpiredError(purchase_id)

    async def unconfirm(self, *, tenant: str, purchase_id: str) -> None:
        """Make a confirmed purchase a held one again; any other stays as it is."""
        async with self._database.write() as connection:
            await _move(connection, tenant, purchase_id, (PurchaseState.CONFIRMED,), PurchaseState.HELD)

    async def sell(self, *, tenant: str, purchase_id: str, now: datetime) -> None:
        """Turn what a confirmed purchase holds into sold units.

        Raises:
            ReservationExpiredError: when it is not confirmed.
        """
        async with self._database.write() as connection:
            if await _move(connection, tenant, purchase_id, (PurchaseState.CONFIRMED,), PurchaseState.SOLD):
                for line in await _lines(connection, tenant, purchase_id):
                    await _move_units(connection, line, held=-line.quantity, sold=line.quantity)
                await connection.execute(
                    update(PURCHASE_LINES)
                    .where(PURCHASE_LINES.c.tenant == tenant, PURCHASE_LINES.c.purchase_id == purchase_id)
                    .values(sold_at=now)
                )
            elif await _state(connection, tenant, purchase_id) is not PurchaseState.SOLD:
                raise ReservationExpiredError(purchase_id)

    async def release(self, *, tenant: str, purchase_id: str, failure: str | None = None) -> PurchaseState:
        """Give back what the purchase holds, once, and keep why; what was sold stays sold. Return how it stands.

        A purchase that was never reserved is marked as released, so that a reservation that comes late holds nothing.
        """
        async with self._database.write() as connection:
            await connection.execute(
                upsert(connection, PURCHASES)
                .values(tenant=tenant, purchase_id=purchase_id, state=PurchaseState.RELEASED, failure=failure)
                .on_conflict_do_nothing()
            )
            if await _move(connection, tenant, purchase_id, HOLDING, PurchaseState.RELEASED, failure=failure):
                for line in await _lines(connection, tenant, purchase_id):
                    await _move_units(connection, line, held=-line.quantity, available=line.quantity)
                return PurchaseState.RELEASED
            # A sold one is no other: the row above is there by now.
            return await _state(connection, tenant, purchase_id) or PurchaseState.RELEASED


async def _hold(connection: AsyncConnection, line: OrderLine) -> ReservedLine:
    """Hold the units of one line if there are so many; finding out and taking them is one statement."""
    row = (
        await connection.execute(
            update(LISTINGS)
            .where(
                _is_listing(line.seller, line.listing_id),
                LISTINGS.c.status == ListingStatus.PUBLISHED,
                LISTINGS.c.available >= line.quantity,
            )
            .values(available=LISTINGS.c.available - line.quantity, held=LISTINGS.c.held + line.quantity)
            .returning(LISTINGS.c.price_minor_units, LISTINGS.c.currency, LISTINGS.c.exponent)
        )
    ).one_or_none()
    if row is not None:
        price = Money(minor_units=row.price_minor_units, currency=row.currency, exponent=row.exponent)
        return ReservedLine(seller=line.seller, listing_id=line.listing_id, quantity=line.quantity, price=price)
    status = await connection.scalar(select(LISTINGS.c.status).where(_is_listing(line.seller, line.listing_id)))
    if status is None:
        raise UnknownListingError(line.listing_id)
    if status != ListingStatus.PUBLISHED:
        raise NotForSaleError(line.listing_id)
    raise SoldOutError(line.listing_id, line.quantity)


async def _reserved_before(
    connection: AsyncConnection, tenant: str, purchase_id: str, buyer_id: str, wanted: tuple[OrderLine, ...]
) -> StoredPurchase:
    row = (await connection.execute(select(PURCHASES).where(_is(tenant, purchase_id)))).one()
    stored = purchase_of(row, await _lines(connection, tenant, purchase_id))
    was_reserved = row.reserved_at is not None
    if was_reserved and (stored.buyer_id, tuple(line.order for line in stored.lines)) != (buyer_id, wanted):
        raise PurchaseDiffersError(purchase_id)
    if stored.state is PurchaseState.RELEASED:
        if row.failure is not None:
            raise PurchaseFailedError(purchase_id, row.failure)
        raise ReservationExpiredError(purchase_id)
    return stored


async def _move(
    connection: AsyncConnection,
    tenant: str,
    purchase_id: str,
    sources: Sequence[PurchaseState],
    target: PurchaseState,
    **values: Any,
) -> bool:
    """Move the purchase if it is in one of the states; say whether it was this call that moved it."""
    moved = await connection.scalar(
        update(PURCHASES)
        .where(_is(tenant, purchase_id), PURCHASES.c.state.in_(sources))
        .values(state=target, **values)
        .returning(PURCHASES.c.purchase_id)
    )
    return moved is not None


async def _move_units(
    connection: AsyncConnection, line: ReservedLine, *, held: int, available: int = 0, sold: int = 0
) -> None:
    """Move units of a listing, whatever its status is by now; the table refuses a number below zero."""
    await connection.execute(
        update(LISTINGS)
        .where(_is_listing(line.seller, line.listing_id))
        .values(available=LISTINGS.c.available + available, held=LISTINGS.c.held + held, sold=LISTINGS.c.sold + sold)
    )


async def _state(connection: AsyncConnection, tenant: str, purchase_id: str) -> PurchaseState | None:
    state = await connection.scalar(select(PURCHASES.c.state).where(_is(tenant, purchase_id)))
    return None if state is None else PurchaseState(state)


async def _lines(connection: AsyncConnection, tenant: str, purchase_id: str) -> tuple[ReservedLine, ...]:
    return (await read_lines(connection, tenant, [purchase_id])).get(purchase_id, ())


def _line_values(tenant: str, purchase_id: str, line: ReservedLine) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "purchase_id": purchase_id,
        "seller": line.seller,
        "listing_id": line.listing_id,
        "quantity": line.quantity,
        "price_minor_units": line.price.minor_units,
        "currency": line.price.currency,
        "exponent": line.price.exponent,
    }


def _is(tenant: str, purchase_id: str) -> ColumnElement[bool]:
    return and_(PURCHASES.c.tenant == tenant, PURCHASES.c.purchase_id == purchase_id)


def _is_listing(seller: str, listing_id: str) -> ColumnElement[bool]:
    return and_(LISTINGS.c.tenant == seller, LISTINGS.c.listing_id == listing_id)
