"""The refunds, payouts and disputes in the acquirer's book."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_runtime.database import upsert
from platform_sandbox import events, movements
from platform_sandbox.alarms import Alarm, end_alarm, set_alarm
from platform_sandbox.book import Answer, Book, Entry
from platform_sandbox.decisions import Decision
from platform_sandbox.events import FateOf
from platform_sandbox.movements import Kind, Movement, Standing, described
from platform_sandbox.operation_book import read_operation
from platform_sandbox.operations import Operation
from platform_sandbox.tables import MOVEMENT_JOURNAL, MOVEMENTS


@dataclass(frozen=True, kw_only=True)
class MovementName:
    """Which movement."""

    kind: Kind
    operation: str = ""
    """Empty for a payout."""
    name: str


@dataclass(frozen=True, kw_only=True)
class MovementRequest:
    """One request to refund, pay out or dispute."""

    of: MovementName
    key: str
    amount_minor: int
    currency: str = ""
    """Said for a payout; the others have that of what was captured."""
    partner: str | None = None

    def canonical(self) -> str:
        """Return what two requests under one key have to have in common."""
        of = self.of
        return json.dumps([of.kind, of.operation, of.name, self.amount_minor, self.currency, self.partner])


@dataclass(frozen=True, kw_only=True)
class OutcomeRequest:
    """One request to let a movement end in some way."""

    of: MovementName
    key: str
    to: Standing

    def canonical(self) -> str:
        """Return what two requests under one key have to have in common."""
        return json.dumps(["outcome", self.of.kind, self.of.operation, self.of.name, self.to])


class MovementBook:
    """What was refunded, paid out and disputed."""

    def __init__(self, book: Book, *, fate_of: FateOf, settles_after: timedelta) -> None:
        """Let what is pending come to its end after that time."""
        self._book = book
        self._fate_of = fate_of
        self._settles_after = settles_after

    async def perform(self, request: MovementRequest | OutcomeRequest) -> Answer:
        """Do what is asked, once for the key.

        Raises:
            KeyReusedError: when the key came with another request before.
        """
        return await self._book.once(
            key=request.key, asked=request.canonical(), do=lambda entry: self._perform(entry, request)
        )

    async def settle(self, entry: Entry, of: MovementName, *, to: Standing) -> None:
        """Let what is due come to this, unless it has ended otherwise before."""
        known = await _read(entry.connection, of)
        operation = await read_operation(entry.connection, of.operation)
        await self._apply(entry, movements.outcome(known, to=to), operation)

    async def find(self, of: MovementName) -> Movement | None:
        """Return the movement; None when it was never seen."""
        async with self._book.read() as connection:
            return await _read(connection, of)

    async def _perform(self, entry: Entry, request: MovementRequest | OutcomeRequest) -> Answer:
        of = request.of
        known = await _read(entry.connection, of)
        operation = await read_operation(entry.connection, of.operation)
        if isinstance(request, OutcomeRequest):
            decision = movements.outcome(known, to=request.to)
        else:
            decision = await self._decide(entry.connection, request, known, operation)
        await self._apply(entry, decision, operation)
        movement = decision.becomes or known
        return Answer(
            http_status=decision.http_status,
            body=decision.body(movement and described(movement), **{of.kind: of.name}),
            is_final=decision.is_final,
        )

    async def _decide(
        self,
        connection: AsyncConnection,
        request: MovementRequest,
        known: Movement | None,
        operation: Operation | None,
    ) -> Decision[Movement]:
        wanted = Movement(
            kind=request.of.kind,
            operation=request.of.operation,
            name=request.of.name,
            partner=request.partner,
            amount_minor=request.amount_minor,
            currency=request.currency,
            status=Standing.PENDING,
        )
        if wanted.kind is Kind.PAYOUT:
            return movements.payout(wanted, known=known)
        left = movements.left_of(operation, await _others(connection, wanted.operation))
        rule = movements.refund if wanted.kind is Kind.REFUND else movements.dispute
        return rule(wanted, known=known, of=operation, left=left)

    async def _apply(self, entry: Entry, decision: Decision[Movement], operation: Operation | None) -> None:
        movement = decision.becomes
        if movement is None:
            return
        await _write(entry, movement)
        token = operation and operation.details and operation.details.token
        becomes = movements.comes_next(movement, token=token)
        if becomes is None:
            await end_alarm(entry.connection, kind=movement.kind, operation=movement.operation, name=movement.name)
        else:
            await set_alarm(
                entry.connection,
                Alarm(
                    kind=movement.kind,
                    operation=movement.operation,
                    name=movement.name,
                    becomes=becomes,
                    due_at=entry.now + self._settles_after,
                ),
            )
        await events.tell(entry, events.of_movement(movement), fate_of=self._fate_of)


async def _read(connection: AsyncConnection, of: MovementName) -> Movement | None:
    found = await connection.execute(
        select(MOVEMENTS).where(
            and_(MOVEMENTS.c.kind == of.kind, MOVEMENTS.c.operation == of.operation, MOVEMENTS.c.name == of.name)
        )
    )
    row = found.one_or_none()
    return None if row is None else movement_of(row)


async def _others(connection: AsyncConnection, operation: str) -> list[Movement]:
    found = await connection.execute(select(MOVEMENTS).where(MOVEMENTS.c.operation == operation))
    return [movement_of(row) for row in found]


def movement_of(row: Row[Any]) -> Movement:
    """Return the movement of a row."""
    return Movement(
        kind=Kind(row.kind),
        operation=row.operation,
        name=row.name,
        partner=row.partner,
        amount_minor=row.amount_minor,
        currency=row.currency,
        status=Standing(row.status),
    )


async def _write(entry: Entry, movement: Movement) -> None:
    names = {"kind": movement.kind, "operation": movement.operation, "name": movement.name}
    amount = {"amount_minor": movement.amount_minor, "currency": movement.currency}
    await entry.connection.execute(
        upsert(entry.connection, MOVEMENTS)
        .values(**names, **amount, partner=movement.partner, status=movement.status, at=entry.now)
        .on_conflict_do_update(index_elements=list(names), set_={"status": movement.status})
    )
    await entry.connection.execute(
        insert(MOVEMENT_JOURNAL).values(**names, **amount, status=movement.status, key=entry.key, at=entry.now)
    )
