"""Schedules that a service keeps in Temporal."""

from typing import Final
from uuid import uuid4

from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    UpdateScheduleRequest,
)
from temporalio.client import Client, Schedule, ScheduleAlreadyRunningError

_MOST_TRIES: Final = 5
"""An operator acts on one schedule now and then; who loses the race five times in a row is told."""


class ScheduleNotUpdatedError(Exception):
    """Somebody else changed the schedule each time that it was to be brought up to date."""


async def ensure_schedule(client: Client, *, schedule_id: str, schedule: Schedule) -> None:
    """Create the schedule or bring it up to date; an operator's pause and note are kept.

    Safe to repeat and to run from several processes at once.

    Raises:
        ScheduleNotUpdatedError: when it could not be brought up to date; run it again.
    """
    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:
        await _bring_up_to_date(client, schedule_id, schedule)


async def _bring_up_to_date(client: Client, schedule_id: str, schedule: Schedule) -> None:
    # The SDK's own update sends no conflict token, and would undo a pause that comes between its read and its write.
    wanted = await schedule._to_proto(client)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    found = await _describe(client, schedule_id)
    for _ in range(_MOST_TRIES):
        wanted.state.CopyFrom(found.schedule.state)
        await client.workflow_service.update_schedule(
            UpdateScheduleRequest(
                namespace=client.namespace,
                schedule_id=schedule_id,
                schedule=wanted,
                conflict_token=found.conflict_token,
                identity=client.identity,
                request_id=str(uuid4()),
            ),
            retry=True,
        )
        updated = await _describe(client, schedule_id)
        # An update whose token is out of date is dropped without a word.
        if updated.info.update_time != found.info.update_time:
            return
        found = updated
    raise ScheduleNotUpdatedError(f"schedule {schedule_id} changed each time that it was to be updated; try again")


async def _describe(client: Client, schedule_id: str) -> DescribeScheduleResponse:
    return await client.workflow_service.describe_schedule(
        DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id), retry=True
    )
