"""Lets happen at the acquirer what happens by itself: authorisations expire, refunds and payouts come to their end."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from platform_sandbox.alarms import Alarm, due_alarms, end_alarm
from platform_sandbox.book import Book
from platform_sandbox.movement_book import MovementBook, MovementName
from platform_sandbox.movements import Kind, Standing
from platform_sandbox.operation_book import OperationBook

_KEY: Final = "clock"
"""What the journals have in the place of a client's key."""

_LOOKS_EVERY_SECONDS: Final = 0.25


class Clock:
    """Rings the alarms in the book."""

    def __init__(self, book: Book, operations: OperationBook, movements: MovementBook) -> None:
        """Ring for these."""
        self._book = book
        self._operations = operations
        self._movements = movements

    async def run(self) -> None:
        """Ring what is due, until cancelled. What a killed acquirer has missed happens when it is back."""
        while True:
            await self.ring(datetime.now(UTC))
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)

    async def ring(self, now: datetime) -> None:
        """Let happen what is due, each once and in a transaction of its own."""
        async with self._book.read() as connection:
            due = await due_alarms(connection, now)
        for alarm in due:
            await self._let_happen(alarm)

    async def _let_happen(self, alarm: Alarm) -> None:
        async with self._book.entry(key=_KEY) as entry:
            # Taken away first: what happens now may set another.
            await end_alarm(entry.connection, kind=alarm.kind, operation=alarm.operation, name=alarm.name)
            if alarm.kind == "operation":
                await self._operations.expire(entry, alarm.operation)
            else:
                of = MovementName(kind=Kind(alarm.kind), operation=alarm.operation, name=alarm.name)
                await self._movements.settle(entry, of, to=Standing(alarm.becomes))
