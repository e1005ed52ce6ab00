"""The events that the receiver of the webhook does not have yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from platform_sandbox.book import Book
from platform_sandbox.misbehaviour import Fate
from platform_sandbox.tables import EVENTS

_AT_ONCE: Final = 50
"""How many are sent before it is looked again which are due."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """One event on its way."""

    number: int
    event_id: str
    body: str
    attempts: int
    """How often it was sent already."""
    copies_left: int
    """How many times the receiver is still to accept it."""
    about: str
    """Its type and subject."""


class Outbox:
    """Which events are to be sent when; it survives the process."""

    def __init__(self, book: Book) -> None:
        """Read and mark the events of this book."""
        self._book = book
        self.changed = book.changed

    async def due(self, now: datetime) -> Sequence[Pending]:
        """Return what is to be sent now, in the order in which it fell due."""
        wanted = select(EVENTS).where(EVENTS.c.due_at <= now).order_by(EVENTS.c.due_at, EVENTS.c.number)
        async with self._book.read() as connection:
            return [
                Pending(
                    number=row.number,
                    event_id=row.event_id,
                    body=row.body,
                    attempts=row.attempts,
                    copies_left=row.copies_left,
                    about=f"{row.type}|{row.subject}",
                )
                for row in await connection.execute(wanted.limit(_AT_ONCE))
            ]

    async def accepted(self, event: Pending, *, fate: Fate, now: datetime) -> None:
        """Note that the receiver has it, or that it is to get it once more."""
        left = event.copies_left - 1
        await self._note(event, copies_left=left, due_at=now + fate.delay if left > 0 else None)

    async def not_accepted(self, event: Pending, *, again_at: datetime) -> None:
        """Note that it is to be sent again."""
        await self._note(event, copies_left=event.copies_left, due_at=again_at)

    async def everything(self) -> Sequence[Mapping[str, Any]]:
        """Return every event and how it fared, as an operator of the acquirer sees it."""
        async with self._book.read() as connection:
            return [
                {
                    "id": row.event_id,
                    "type": row.type,
                    "subject": row.subject,
                    "attempts": row.attempts,
                    "isPending": row.due_at is not None,
                }
                for row in await connection.execute(select(EVENTS).order_by(EVENTS.c.number))
            ]

    async def _note(self, event: Pending, *, copies_left: int, due_at: datetime | None) -> None:
        async with self._book.write() as connection:
            await connection.execute(
                update(EVENTS)
                .where(EVENTS.c.number == event.number)
                .values(attempts=event.attempts + 1, copies_left=copies_left, due_at=due_at)
            )
