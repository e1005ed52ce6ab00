"""Schedules that a service keeps in Temporal."""

import dataclasses

from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)


async def ensure_schedule(client: Client, *, schedule_id: str, schedule: Schedule) -> None:
    """Create the schedule or bring it up to date; an operator's pause and note are kept.

    Safe to repeat and to run from several processes at once.
    """
    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:

        def keep_the_pause(current: ScheduleUpdateInput) -> ScheduleUpdate:
            state = current.description.schedule.state
            return ScheduleUpdate(schedule=dataclasses.replace(schedule, state=state))

        await client.get_schedule_handle(schedule_id).update(keep_the_pause)
