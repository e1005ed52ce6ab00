"""What happens at the acquirer by itself after a while: an authorisation expires, a payout arrives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_runtime.database import upsert
from platform_sandbox.tables import ALARMS

_AT_ONCE = 100
"""How many are looked at in one go."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing that will happen."""

    kind: str
    """A `Kind` of movement, or `operation`."""
    operation: str
    name: str = ""
    becomes: str
    """The status that it comes to."""
    due_at: datetime


async def set_alarm(connection: AsyncConnection, alarm: Alarm) -> None:
    """Write down what will happen, in the place of what was to happen to the same thing."""
    changes = {"becomes": alarm.becomes, "due_at": alarm.due_at}
    await connection.execute(
        upsert(connection, ALARMS)
        .values(kind=alarm.kind, operation=alarm.operation, name=alarm.name, **changes)
        .on_conflict_do_update(index_elements=["kind", "operation", "name"], set_=changes)
    )


async def due_alarms(connection: AsyncConnection, now: datetime) -> Sequence[Alarm]:
    """Return what is to happen now."""
    found = await connection.execute(
        select(ALARMS).where(ALARMS.c.due_at <= now).order_by(ALARMS.c.due_at).limit(_AT_ONCE)
    )
    return [
        Alarm(kind=row.kind, operation=row.operation, name=row.name, becomes=row.becomes, due_at=row.due_at)
        for row in found
    ]


async def end_alarm(connection: AsyncConnection, *, kind: str, operation: str, name: str = "") -> None:
    """Take away what has happened, or will not happen any more."""
    await connection.execute(
        delete(ALARMS).where(and_(ALARMS.c.kind == kind, ALARMS.c.operation == operation, ALARMS.c.name == name))
    )
