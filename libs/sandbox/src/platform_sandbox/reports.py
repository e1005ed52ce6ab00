"""What the acquirer shows of its book: all of it, and page by page what money it moved in a span of time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, literal, null, or_, select, true, tuple_, union_all
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_sandbox import movements, operations
from platform_sandbox.movement_book import movement_of
from platform_sandbox.movements import Kind
from platform_sandbox.operation_book import EVERY_OPERATION, operation_of
from platform_sandbox.operations import Verb
from platform_sandbox.tables import JOURNAL, MOVEMENT_JOURNAL, MOVEMENTS, OPERATIONS


@dataclass(frozen=True, kw_only=True)
class RecordsPosition:
    """After which record a page begins: records are in the order of these."""

    at: datetime
    kind: str
    operation: str
    name: str


async def whole_book(connection: AsyncConnection, *, tenant: str | None) -> Mapping[str, Any]:
    """Return every operation with its journal, refunds and disputes, and every payout; of one tenant or of all.

    A payout belongs to the partner that is paid.
    """
    mine = f"{tenant or ''}."

    def of_tenant(column: Any) -> Any:
        return true() if tenant is None else column.startswith(mine, autoescape=True)

    done: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    journal = select(JOURNAL).where(of_tenant(JOURNAL.c.operation)).order_by(JOURNAL.c.number)
    for row in await connection.execute(journal):
        done[row.operation].append({"verb": row.verb, **_entry(row)})
    became: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    of_movements = MOVEMENT_JOURNAL.c.operation
    journal = (
        select(MOVEMENT_JOURNAL)
        .where(or_(of_movements == "", of_tenant(of_movements)))
        .order_by(MOVEMENT_JOURNAL.c.number)
    )
    for row in await connection.execute(journal):
        became[row.kind, row.operation, row.name].append({"status": row.status, **_entry(row)})
    moved: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    made = select(MOVEMENTS).where(or_(of_tenant(MOVEMENTS.c.operation), MOVEMENTS.c.partner == tenant))
    for row in await connection.execute(made.order_by(MOVEMENTS.c.at, MOVEMENTS.c.name)):
        shown = movements.described(movement_of(row))
        moved[row.kind, row.operation].append({**shown, "journal": became[row.kind, row.operation, row.name]})
    found = await connection.execute(EVERY_OPERATION.where(of_tenant(OPERATIONS.c.operation)))
    return {
        "operations": [
            {
                **operations.described(operation),
                "journal": done[operation.name],
                "refunds": moved[Kind.REFUND, operation.name],
                "disputes": moved[Kind.DISPUTE, operation.name],
            }
            for operation in map(operation_of, found)
        ],
        "payouts": moved[Kind.PAYOUT, ""],
    }


async def records(
    connection: AsyncConnection, *, since: datetime, until: datetime, after: RecordsPosition | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the captures, refunds, payouts and disputes made from a moment up to another, as they stand now.

    Args:
        connection: to read with.
        since: the first moment.
        until: the first moment after the span.
        after: what the last page ended with.
        limit: how many at most.
    """
    captures = select(
        literal("capture").label("kind"),
        JOURNAL.c.operation,
        literal("").label("name"),
        null().label("partner"),
        JOURNAL.c.amount_minor,
        JOURNAL.c.currency,
        literal("succeeded").label("status"),
        JOURNAL.c.at,
    ).where(JOURNAL.c.verb == Verb.CAPTURE)
    moved = select(
        MOVEMENTS.c.kind,
        MOVEMENTS.c.operation,
        MOVEMENTS.c.name,
        MOVEMENTS.c.partner,
        MOVEMENTS.c.amount_minor,
        MOVEMENTS.c.currency,
        MOVEMENTS.c.status,
        MOVEMENTS.c.at,
    )
    every = union_all(captures, moved).subquery()
    order = (every.c.at, every.c.kind, every.c.operation, every.c.name)
    wanted = select(every).where(and_(every.c.at >= since, every.c.at < until)).order_by(*order).limit(limit)
    if after is not None:
        wanted = wanted.where(tuple_(*order) > tuple_(*_bound(after, order)))
    return (await connection.execute(wanted)).all()


def _bound(after: RecordsPosition, order: Sequence[Any]) -> list[Any]:
    return [
        literal(value, type_=column.type)
        for value, column in zip((after.at, after.kind, after.operation, after.name), order, strict=True)
    ]


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {"key": row.key, "amountMinor": row.amount_minor, "currency": row.currency, "at": row.at.isoformat()}
