"""Report events to analytics: the quick way, which may not be open."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field
from temporalio.common import RetryPolicy

from platform_contracts.analytics.events import Event
from platform_contracts.message import ContractModel
from platform_contracts.published_activity import PublishedActivity
from platform_contracts.task_queues import TaskQueue

EventBatch = Annotated[tuple[Event, ...], Field(min_length=1, max_length=500)]
"""500 events are about 150 KB, well below what Temporal takes in one payload."""


class RecordEventsRequest(ContractModel):
    """A batch of events, recorded together or not at all."""

    events: EventBatch


class RecordEventsResult(ContractModel):
    """How many events were new, and how many had been recorded before."""

    recorded: int
    duplicates: int


RECORD_EVENTS: Final = PublishedActivity(
    name="analytics.record_events",
    task_queue=TaskQueue.ANALYTICS,
    request_type=RecordEventsRequest,
    result_type=RecordEventsResult,
    start_to_close=timedelta(seconds=5),
    # Reporting an event may delay its reporter by this much and no more; after it `EventIntake` takes the events.
    schedule_to_close=timedelta(seconds=10),
    # A queue that nobody polls is known sooner: a request that waits for its answer should not feel it.
    schedule_to_start=timedelta(seconds=3),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2)),
)
"""Record events once each, by event id; a repeat counts as duplicates and changes nothing."""
