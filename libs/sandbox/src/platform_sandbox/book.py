"""The acquirer's book in its database: which this process alone writes, one request after the other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_runtime.database import Database, upsert
from platform_sandbox import rules
from platform_sandbox.rules import Decision, Details, Operation, Refusal, Status
from platform_sandbox.tables import ANSWERS, JOURNAL, METADATA, OPERATIONS


class Verb(StrEnum):
    """What an operation can be asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request that may move money."""

    verb: Verb
    operation: str
    key: str
    details: Details | None = None
    """What is to be authorised; None for the other verbs."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the client is told."""

    http_status: int
    body: Mapping[str, Any]
    is_replayed: bool = False


class KeyReusedError(Exception):
    """The idempotency key was used for another request."""


class Book:
    """Every operation, what was done to it and what was answered."""

    def __init__(self, database: Database) -> None:
        """Keep the book in this database."""
        self._database = database

    async def open(self) -> None:
        """Make the tables that are not there yet."""
        async with self._database.write() as connection:
            await connection.run_sync(METADATA.create_all)

    async def perform(self, request: Request, *, now: datetime) -> Answer:
        """Do what is asked and write it down with its answer, in one transaction; a repeat of the key does nothing.

        Raises:
            KeyReusedError: when the key came with another request before.
        """
        asked = _canonical(request)
        async with self._database.write() as connection:
            found = (await connection.execute(select(ANSWERS).where(ANSWERS.c.key == request.key))).one_or_none()
            if found is not None:
                if found.request != asked:
                    raise KeyReusedError
                return Answer(http_status=found.http_status, body=json.loads(found.body), is_replayed=True)
            known = await _read(connection, request.operation)
            decision = _decide(known, request)
            operation = decision.becomes or known
            answer = Answer(
                http_status=decision.http_status,
                body=described(operation) if decision.refusal is None and operation else _refusal(decision, operation),
            )
            await _write(connection, request, decision, now=now)
            if decision.is_final:
                await connection.execute(
                    insert(ANSWERS).values(
                        key=request.key,
                        request=asked,
                        http_status=int(answer.http_status),
                        body=json.dumps(answer.body),
                    )
                )
        return answer

    async def find(self, operation: str) -> Operation | None:
        """Return the operation; None when it was never seen."""
        async with self._database.read() as connection:
            return await _read(connection, operation)

    async def everything(self, *, tenant: str | None) -> Sequence[Mapping[str, Any]]:
        """Return every operation with its journal, of one tenant or of all."""
        operations, journal = select(OPERATIONS), select(JOURNAL).order_by(JOURNAL.c.number)
        if tenant is not None:
            mine = f"{tenant}."
            operations = operations.where(OPERATIONS.c.operation.startswith(mine, autoescape=True))
            journal = journal.where(JOURNAL.c.operation.startswith(mine, autoescape=True))
        async with self._database.read() as connection:
            found = [_operation(row) for row in (await connection.execute(operations)).all()]
            done: dict[str, list[Mapping[str, Any]]] = {}
            for row in (await connection.execute(journal)).all():
                done.setdefault(row.operation, []).append(_entry(row))
        return [{**described(operation), "journal": done.get(operation.name, [])} for operation in found]


def described(operation: Operation) -> dict[str, Any]:
    """Return an operation as clients see it."""
    details = operation.details
    return {
        "operation": operation.name,
        "status": operation.status,
        "token": details and details.token,
        "amountMinor": details and details.amount_minor,
        "currency": details and details.currency,
    }


def _decide(known: Operation | None, request: Request) -> Decision:
    match request.verb:
        case Verb.AUTHORISE:
            assert request.details is not None, "routes read the details of every authorisation"
            return rules.authorise(known, name=request.operation, details=request.details)
        case Verb.CAPTURE:
            return rules.capture(known)
        case Verb.VOID:
            return rules.void(known, name=request.operation)


_TITLES: Mapping[Refusal, str] = {
    Refusal.DECLINED: "The card was declined",
    Refusal.VOIDED: "The operation was voided",
    Refusal.DIFFERENT: "The operation is known with another amount or token",
    Refusal.NOT_AUTHORISED: "The operation is not authorised",
    Refusal.REFUSED: "The capture was refused",
    Refusal.CAPTURED: "The operation is captured",
}


def _refusal(decision: Decision, operation: Operation | None) -> dict[str, Any]:
    assert decision.refusal is not None, "every operation is either described or refused"
    return {
        "type": decision.refusal,
        "title": _TITLES[decision.refusal],
        "status": int(decision.http_status),
        "code": decision.refusal,
        "operation": operation and operation.name,
    }


def is_refusal(answer: Answer) -> bool:
    """Say whether the answer is a problem."""
    return answer.http_status >= HTTPStatus.BAD_REQUEST


def _canonical(request: Request) -> str:
    details = request.details
    return json.dumps(
        [
            request.verb,
            request.operation,
            details and [details.token, details.amount_minor, details.currency],
        ]
    )


async def _read(connection: AsyncConnection, name: str) -> Operation | None:
    row = (await connection.execute(select(OPERATIONS).where(OPERATIONS.c.operation == name))).one_or_none()
    return None if row is None else _operation(row)


def _operation(row: Row[Any]) -> Operation:
    details = (
        None if row.token is None else Details(token=row.token, amount_minor=row.amount_minor, currency=row.currency)
    )
    return Operation(name=row.operation, status=Status(row.status), details=details)


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "verb": row.verb,
        "key": row.key,
        "amountMinor": row.amount_minor,
        "currency": row.currency,
        "at": row.at.isoformat(),
    }


async def _write(connection: AsyncConnection, request: Request, decision: Decision, *, now: datetime) -> None:
    operation = decision.becomes
    if operation is None:
        return
    details = operation.details
    await connection.execute(
        upsert(connection, OPERATIONS)
        .values(
            operation=operation.name,
            status=operation.status,
            token=details and details.token,
            amount_minor=details and details.amount_minor,
            currency=details and details.currency,
        )
        .on_conflict_do_update(index_elements=["operation"], set_={"status": operation.status})
    )
    if decision.is_done:
        await connection.execute(
            insert(JOURNAL).values(
                operation=operation.name,
                verb=request.verb,
                key=request.key,
                amount_minor=details and details.amount_minor,
                currency=details and details.currency,
                at=now,
            )
        )
