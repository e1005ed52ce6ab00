"""What the acquirer tells of each change: the events, written in the transaction of what they tell of."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from platform_sandbox import movements, operations
from platform_sandbox.book import Entry
from platform_sandbox.misbehaviour import Fate
from platform_sandbox.movements import Movement
from platform_sandbox.operations import Operation
from platform_sandbox.tables import EVENTS

FateOf = Callable[[str], Fate]
"""How an event fares on its way, by its type and subject."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change to tell of."""

    type: str
    subject: str
    """What changed: so that it can be found, and fares the same for the same seed."""
    data: Mapping[str, Any]


def of_operation(operation: Operation) -> Event:
    """Return the event of an operation that has just come to stand as it does."""
    data = operations.described(operation)
    # Whoever reads or keeps an event needs no card.
    del data["token"]
    return Event(type=f"charge.{operation.status}", subject=operation.name, data=data)


def of_movement(movement: Movement) -> Event:
    """Return the event of a movement that has just come to stand as it does."""
    return Event(
        type=f"{movement.kind}.{movement.status}",
        subject="/".join(filter(None, (movement.operation, movement.name))),
        data=movements.described(movement),
    )


async def tell(entry: Entry, event: Event, *, fate_of: FateOf) -> None:
    """Write the event down, to be sent once this is committed."""
    # Never a number that begins again with a new book: a receiver would take the event for one that it has.
    event_id = f"evt_{uuid4().hex}"
    body = {"id": event_id, "type": event.type, "timestamp": entry.now.isoformat(), "data": event.data}
    fate = fate_of(f"{event.type}|{event.subject}")
    await entry.connection.execute(
        insert(EVENTS).values(
            event_id=event_id,
            type=event.type,
            subject=event.subject,
            body=json.dumps(body),
            attempts=0,
            copies_left=fate.copies,
            due_at=entry.now + fate.delay,
        )
    )
