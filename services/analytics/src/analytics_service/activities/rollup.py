"""Activities that count."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from analytics_service.domain.periods import Granularity, Period
from analytics_service.ports import CountBook
from platform_contracts.analytics.rollup import RollupInput, RollupResult

PERIODS_PER_TRANSACTION: Final = 50
"""A transaction of this many takes milliseconds as a rule. On SQLite nobody records an event meanwhile."""

MARKS_PER_TRANSACTION: Final = 500
"""Marking is cheaper than counting."""


class _Done(BaseModel):
    """How far a rollup has come: in its heartbeats, so that another attempt goes on from there."""

    model_config = ConfigDict(frozen=True)

    started_at: datetime
    all_marked: bool
    last_marked: Period | None = None
    last_counted: Period | None = None
    periods: int = 0
    events: int = 0


class RollupActivities:
    """What is done with counts."""

    def __init__(self, count_book: CountBook) -> None:
        """Keep the counts in the book."""
        self._count_book = count_book

    @activity.defn(name="analytics.roll_up")
    async def roll_up(self, rollup: RollupInput) -> RollupResult:
        """Count the periods that got events since they were counted last; with `full` every period there is.

        It goes once through the periods, many small transactions with a heartbeat after each; what changes behind it
        meanwhile is left to the next run, so it ends however many events come in.

        A repeat is safe, and so is another run at the same time: counts are set to what the events say, never added
        to, and transactions that count take turns. Another attempt goes on where the last heartbeat was.
        """
        granularity = Granularity(rollup.granularity)
        done = _from_heartbeat(activity.info().heartbeat_details)
        if done is None:
            done = _Done(started_at=datetime.now(UTC), all_marked=not rollup.full)
        while not done.all_marked:
            last = await self._count_book.mark_all_changed(
                granularity, after=done.last_marked, limit=MARKS_PER_TRANSACTION
            )
            done = done.model_copy(update={"last_marked": last, "all_marked": last is None})
            _heartbeat(done)
        while True:
            batch = await self._count_book.count_changed(
                granularity, after=done.last_counted, limit=PERIODS_PER_TRANSACTION
            )
            if batch.last is None:
                break
            done = done.model_copy(
                update={
                    "last_counted": batch.last,
                    "periods": done.periods + batch.periods,
                    "events": done.events + batch.events,
                }
            )
            _heartbeat(done)
        # As of the start of the first attempt: what was recorded before that has been counted by now.
        await self._count_book.up_to_date(granularity, as_of=done.started_at)
        return RollupResult(granularity=rollup.granularity, periods=done.periods, events=done.events)


def _heartbeat(done: _Done) -> None:
    activity.heartbeat(done.model_dump(mode="json"))


def _from_heartbeat(details: Sequence[Any]) -> _Done | None:
    return _Done.model_validate(details[0]) if details else None
