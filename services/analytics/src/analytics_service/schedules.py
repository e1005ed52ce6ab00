"""When the rollups run."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.common import Priority

from platform_contracts.analytics.rollup import Granularity, Rollup, RollupInput, rollup_schedule_id
from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.task_queues import TaskQueue
from platform_runtime.schedules import ensure_schedule

_WHEN: Final[Mapping[Granularity, ScheduleCalendarSpec]] = {
    # A few minutes past the end of the period, when the last of its events have come in; what comes later is counted by
    # the run after. All times are UTC.
    Granularity.HOUR: ScheduleCalendarSpec(hour=(ScheduleRange(0, 23),), minute=(ScheduleRange(5),)),
    Granularity.DAY: ScheduleCalendarSpec(hour=(ScheduleRange(0),), minute=(ScheduleRange(10),)),
}

_CATCH_UP: Final[Mapping[Granularity, timedelta]] = {
    # A run counts all that has changed, so one makes up for every run that was missed: no longer than to the next one.
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(days=1),
}


async def ensure_schedules(client: Client) -> None:
    """Create the schedules or bring them up to date; an operator's pause is kept. Safe to repeat."""
    for granularity in Granularity:
        await ensure_schedule(
            client, schedule_id=rollup_schedule_id(granularity), schedule=rollup_schedule(granularity)
        )


def rollup_schedule(granularity: Granularity, *, task_queue: str = TaskQueue.ANALYTICS) -> Schedule:
    """Return the schedule that starts the rollup of one granularity."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            Rollup.run,
            RollupInput(granularity=granularity),
            # Temporal adds the time of the run to it.
            id=rollup_schedule_id(granularity),
            task_queue=task_queue,
            priority=Priority(fairness_key=PLATFORM_TENANT),
        ),
        spec=ScheduleSpec(calendars=[_WHEN[granularity]]),
        # The next run counts what a skipped one would have.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP[granularity]),
    )
