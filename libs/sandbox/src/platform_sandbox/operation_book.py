"""The operations in the acquirer's book: each with a journal of what was done to it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import and_, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_runtime.database import upsert
from platform_sandbox import events, operations
from platform_sandbox.alarms import Alarm, end_alarm, set_alarm
from platform_sandbox.book import Answer, Book, Entry
from platform_sandbox.decisions import Decision
from platform_sandbox.events import FateOf
from platform_sandbox.operations import Details, Operation, Status, Verb, described
from platform_sandbox.tables import JOURNAL, OPERATIONS

EVERY_OPERATION: Final = select(OPERATIONS, JOURNAL.c.amount_minor.label("captured_minor")).outerjoin(
    JOURNAL, and_(JOURNAL.c.operation == OPERATIONS.c.operation, JOURNAL.c.verb == Verb.CAPTURE)
)
"""What was captured is in the journal alone, so that a book of any version says it."""


@dataclass(frozen=True, kw_only=True)
class OperationRequest:
    """One request that may reserve, take or release money."""

    verb: Verb
    operation: str
    key: str
    details: Details | None = None
    """What is to be authorised; None for the other verbs."""
    amount_minor: int | None = None
    """How much is to be captured; None: all of it."""

    def canonical(self) -> str:
        """Return what two requests under one key have to have in common."""
        details = self.details
        asked: list[Any] = [
            self.verb,
            self.operation,
            details and [details.token, details.amount_minor, details.currency],
        ]
        return json.dumps(asked if self.amount_minor is None else [*asked, self.amount_minor])


class OperationBook:
    """What was authorised, captured, voided and expired."""

    def __init__(self, book: Book, *, fate_of: FateOf, expires_after: timedelta) -> None:
        """Let what is not captured by then expire."""
        self._book = book
        self._fate_of = fate_of
        self._expires_after = expires_after

    async def perform(self, request: OperationRequest) -> Answer:
        """Do what is asked, once for the key.

        Raises:
            KeyReusedError: when the key came with another request before.
        """
        return await self._book.once(
            key=request.key, asked=request.canonical(), do=lambda entry: self._perform(entry, request)
        )

    async def expire(self, entry: Entry, name: str) -> None:
        """Let an authorisation expire whose time has come, unless it was captured or voided before."""
        await self._apply(entry, Verb.EXPIRE, operations.expire(await read_operation(entry.connection, name)))

    async def find(self, name: str) -> Operation | None:
        """Return the operation; None when it was never seen."""
        async with self._book.read() as connection:
            return await read_operation(connection, name)

    async def _perform(self, entry: Entry, request: OperationRequest) -> Answer:
        known = await read_operation(entry.connection, request.operation)
        decision = _decide(known, request)
        await self._apply(entry, request.verb, decision)
        operation = decision.becomes or known
        return Answer(
            http_status=decision.http_status,
            body=decision.body(operation and described(operation), operation=request.operation),
            is_final=decision.is_final,
        )

    async def _apply(self, entry: Entry, verb: Verb, decision: Decision[Operation]) -> None:
        operation = decision.becomes
        if operation is None:
            return
        await _write(entry, verb, operation, is_done=decision.is_done)
        if operation.status is Status.AUTHORISED:
            await set_alarm(
                entry.connection,
                Alarm(
                    kind="operation",
                    operation=operation.name,
                    becomes=Status.EXPIRED,
                    due_at=entry.now + self._expires_after,
                ),
            )
        else:
            await end_alarm(entry.connection, kind="operation", operation=operation.name)
        await events.tell(entry, events.of_operation(operation), fate_of=self._fate_of)


def _decide(known: Operation | None, request: OperationRequest) -> Decision[Operation]:
    match request.verb:
        case Verb.AUTHORISE:
            assert request.details is not None, "routes read the details of every authorisation"
            return operations.authorise(known, name=request.operation, details=request.details)
        case Verb.CAPTURE:
            return operations.capture(known, amount_minor=request.amount_minor)
        case Verb.VOID:
            return operations.void(known, name=request.operation)
        case Verb.EXPIRE:
            return operations.expire(known)


async def read_operation(connection: AsyncConnection, name: str) -> Operation | None:
    """Return the operation; None when it was never seen."""
    row = (await connection.execute(EVERY_OPERATION.where(OPERATIONS.c.operation == name))).one_or_none()
    return None if row is None else operation_of(row)


def operation_of(row: Row[Any]) -> Operation:
    """Return the operation of a row of `EVERY_OPERATION`."""
    details = (
        None if row.token is None else Details(token=row.token, amount_minor=row.amount_minor, currency=row.currency)
    )
    return Operation(name=row.operation, status=Status(row.status), details=details, captured_minor=row.captured_minor)


async def _write(entry: Entry, verb: Verb, operation: Operation, *, is_done: bool) -> None:
    details = operation.details
    await entry.connection.execute(
        upsert(entry.connection, OPERATIONS)
        .values(
            operation=operation.name,
            status=operation.status,
            token=details and details.token,
            amount_minor=details and details.amount_minor,
            currency=details and details.currency,
        )
        .on_conflict_do_update(index_elements=["operation"], set_={"status": operation.status})
    )
    if is_done:
        await entry.connection.execute(
            insert(JOURNAL).values(
                operation=operation.name,
                verb=verb,
                key=entry.key,
                amount_minor=operation.captured_minor if verb is Verb.CAPTURE else details and details.amount_minor,
                currency=details and details.currency,
                at=entry.now,
            )
        )
