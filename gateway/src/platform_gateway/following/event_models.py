"""What the stream of an operation's events says: a stable name for each event, and what may be shown to anybody."""

from datetime import datetime
from enum import StrEnum

from platform_gateway.rest_models import Failure, RestModel


class EventName(StrEnum):
    """The names of events; they stay, and more may come: a client passes over those that it does not know."""

    STARTED = "started"
    PROGRESS = "progress"
    WAITING = "waiting"
    COMPENSATION = "compensation"
    STEP_SCHEDULED = "stepScheduled"
    STEP_STARTED = "stepStarted"
    STEP_COMPLETED = "stepCompleted"
    STEP_FAILED = "stepFailed"
    STEP_CANCELED = "stepCanceled"
    TIMER_STARTED = "timerStarted"
    TIMER_FIRED = "timerFired"
    CHILD_STARTED = "childStarted"
    CHILD_COMPLETED = "childCompleted"
    CHILD_FAILED = "childFailed"
    CANCEL_REQUESTED = "cancelRequested"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESET = "reset"
    CONTINUED = "continued"
    CLOSED = "closed"


class Happened(RestModel):
    """What every event says: when it happened."""

    time: datetime


class OperationStarted(Happened):
    """A run began."""

    type: str


class ProgressMade(Happened):
    """Where it stands, as it says itself; of `progress`, `waiting` and `compensation`."""

    step: str
    cancellable: bool
    waiting_for: str | None
    compensation: str


class Step(Happened):
    """An activity was scheduled, completed or cancelled."""

    step: str


class StepStarted(Step):
    """An activity was taken up; told when this attempt, the last one, has ended."""

    attempt: int
    last_failure: Failure | None
    """Of the attempt before; null for the first one."""


class StepFailed(Step):
    """An activity failed for good."""

    failure: Failure


class TimerStarted(Happened):
    """It set itself a time."""

    until: datetime


class Child(Happened):
    """Another operation that it started."""

    type: str
    workflow_id: str | None
    """Null when it belongs to another account."""


class ChildFailed(Child):
    """A child that came to nothing."""

    status: str
    failure: Failure | None


class Closed(Happened):
    """It ended; nothing comes after this."""

    status: str
    failure: Failure | None
