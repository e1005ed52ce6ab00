"""What the API takes and gives about schedules."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from platform_gateway.moments import Moment
from platform_gateway.rest_models import OperationLink, ResourceModel, RestModel


class Overlap(StrEnum):
    """What becomes of the runs of a backfill, which are all due at once."""

    BUFFER_ALL = "buffer_all"
    """One after another."""
    ALLOW_ALL = "allow_all"
    """All at the same time."""
    SKIP = "skip"
    """The first one; the others are skipped while it runs."""


class BackfillRequest(ResourceModel):
    """The time whose runs are to take place now, both ends included."""

    start_at: Moment
    end_at: Moment
    overlap_policy: Annotated[Overlap, Field(strict=False)] = Overlap.BUFFER_ALL


class BackfillAccepted(RestModel):
    """A backfill that takes place now."""

    schedule_id: str
    start_at: datetime
    end_at: datetime
    overlap_policy: Overlap
    runs: int
    """How many runs the schedule has in that time."""


class ScheduleRun(RestModel):
    """A run that took place."""

    workflow_id: str
    run_id: str
    scheduled_at: datetime
    started_at: datetime
    links: OperationLink


class RunningRun(RestModel):
    """A run that goes on, as far as the schedule has heard."""

    workflow_id: str
    run_id: str
    links: OperationLink


class MissedRuns(RestModel):
    """How many runs did not take place since the schedule was made, by why not."""

    catch_up: int
    """Temporal was away for longer than `catchUpWindowSeconds`."""
    overlap: int
    """The run before had not ended, and the overlap policy skipped them."""
    buffer: int
    """Too many were waiting for the run before to end."""


class ScheduleLinks(RestModel):
    """Where to go from a schedule."""

    self: str
    pause: str
    resume: str
    trigger: str
    backfill: str


class ScheduleSummary(RestModel):
    """A schedule as it stands in a list, some moments old."""

    schedule_id: str
    workflow_type: str
    paused: bool
    note: str | None
    """Why it is paused, or what was said when it was resumed."""
    next_runs: tuple[datetime, ...]
    """When it runs next; empty while it is paused."""
    recent_runs: tuple[ScheduleRun, ...]
    """The last runs that took place, newest first."""
    links: ScheduleLinks


class Schedule(ScheduleSummary):
    """A schedule: what it runs, when, and which runs it missed."""

    task_queue: str
    overlap_policy: str
    """What becomes of a run while the one before goes on."""
    catch_up_window_seconds: float | None
    """How late a run may take place that Temporal was away for."""
    running: tuple[RunningRun, ...]
    waiting_runs: int
    """How many runs are due and wait for the one before to end."""
    missed: MissedRuns
    run_count: int
    """How many runs took place since the schedule was made."""
    created_at: datetime
    updated_at: datetime | None
    """When its definition was changed last; None: never."""


class TriggerAccepted(RestModel):
    """A run that is due now."""

    schedule_id: str
    links: ScheduleLinks


class SchedulesPage(RestModel):
    """A page of the schedules that the caller may see."""

    schedules: tuple[ScheduleSummary, ...]
    next_cursor: str | None
