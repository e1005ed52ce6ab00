"""Whether two workflows make the same events."""

from collections.abc import Sequence
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from benchmarks.bare_purchase import QUEUE_PREFIX

_BY_CHANCE: Final = frozenset(
    {
        # A child that ends before its parent does, or after it; each wakes the parent, if it is still there.
        EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        # Two things that happen at nearly the same time are one workflow task or two.
        EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    }
)
"""What depends on who is quicker, in either program; how many events there were in all is measured beside it."""


async def shape_of(client: Client, workflow_id: str) -> list[str]:
    """Return the events of a workflow, then those of its children in the order of their start.

    An event is its type, with the queue of what it schedules; what depends on chance is left out.
    """
    events = [event async for event in client.get_workflow_handle(workflow_id).fetch_history_events()]
    shape = [_kind(event) for event in events if event.event_type not in _BY_CHANCE]
    for event in events:
        if event.HasField("child_workflow_execution_started_event_attributes"):
            started = event.child_workflow_execution_started_event_attributes
            child_id = started.workflow_execution.workflow_id
            await client.get_workflow_handle(child_id).result()
            shape += [f"  {each}" for each in await shape_of(client, child_id)]
    return shape


def _kind(event: HistoryEvent) -> str:
    kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
    queue = ""
    if event.HasField("activity_task_scheduled_event_attributes"):
        queue = event.activity_task_scheduled_event_attributes.task_queue.name
    if event.HasField("start_child_workflow_execution_initiated_event_attributes"):
        queue = event.start_child_workflow_execution_initiated_event_attributes.task_queue.name
    return f"{kind} {queue.removeprefix(QUEUE_PREFIX)}".rstrip()


def difference(ours: Sequence[str], other: Sequence[str]) -> str | None:
    """Return the two side by side, the lines that differ marked; None when they are the same."""
    if list(ours) == list(other):
        return None
    lines = max(len(ours), len(other))
    left, right = ([*shape, *[""] * (lines - len(shape))] for shape in (ours, other))
    width = max(map(len, left))
    return "\n".join(
        f"{' ' if mine == its else '!'} {mine:<{width}}  {its}" for mine, its in zip(left, right, strict=True)
    )


async def mean_events(client: Client, workflow_ids: Sequence[str]) -> float:
    """Return how many events these workflows made, on average, chance included."""
    lengths = [(await client.get_workflow_handle(each).describe()).history_length for each in workflow_ids]
    return sum(lengths) / len(lengths)
