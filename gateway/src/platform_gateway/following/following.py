"""Follow an operation's events as they happen, on from any of them, on whichever gateway."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from platform_contracts.identifiers import tenant_of
from platform_gateway.following.event_models import EventName, Happened
from platform_gateway.following.event_table import CLOSING, EventTable, is_reset
from platform_gateway.operations.describing import Description, describe
from platform_gateway.operations.temporal_calls import ATTEMPT, NO_ANSWER, is_away, is_missing_workflow
from platform_gateway.operations.waiting import Wait, within
from platform_gateway.problems import invalid_field
from platform_runtime.logs import get_logger

AWAY_SECONDS: Final = 20
"""How long Temporal may be away before the stream ends, so that its client comes again, perhaps to another gateway."""

_POLL_SECONDS: Final = 40
"""The server lets an answer wait for about 20 s; one that takes longer than this does not come any more."""

_PAUSE_SECONDS: Final = 0.5

POSITION_PATTERN: Final = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9][0-9]{0,8})"
"""A run, and the event's place in its history."""

_UNSETTLED: Final = (EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)
"""While a workflow task fails again and again, the server shows these without having written them."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class Position:
    """An event of a run; what follows it is told next."""

    run_id: str
    event_id: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the position that the id of an event names.

        Raises:
            Problem: `INVALID_REQUEST` when it is no such id.
        """
        found = re.fullmatch(POSITION_PATTERN, text)
        if found is None:
            raise invalid_field("header", "Last-Event-ID", "is not the id of an event")
        return cls(found[1], int(found[2]))

    def __str__(self) -> str:
        """Return the id of the event."""
        return f"{self.run_id}:{self.event_id}"


@dataclass(frozen=True)
class OperationEvent:
    """One event, as clients are told of it."""

    position: Position
    name: EventName
    data: Happened


@dataclass(frozen=True)
class Following:
    """From where on an operation is followed."""

    workflow_id: str
    after: Position
    is_over: bool = False
    """Nothing can come after it any more."""


async def following(client: Client, found: Description, last: Position | None) -> Following:
    """Return from where on to follow: after an event, or from the beginning of the described run.

    Raises:
        Problem: `INVALID_REQUEST` when the operation has no such event.
        RPCError: when Temporal does not answer.
    """
    if last is None:
        return Following(found.workflow_id, Position(found.run_id, 0))
    run = found
    if last.run_id != found.run_id:
        try:
            run = await describe(client, found.workflow_id, run_id=last.run_id)
        except RPCError as error:
            if is_missing_workflow(error):
                raise invalid_field("header", "Last-Event-ID", "is of no run of this operation") from None
            raise
    if last.event_id > run.info.history_length:
        raise invalid_field("header", "Last-Event-ID", "is of no event of this operation")
    is_at_its_end = not run.is_open and last.event_id == run.info.history_length
    is_over = is_at_its_end and await _next_run(client, run.workflow_id, await _closing_event(client, run)) is None
    return Following(found.workflow_id, last, is_over)


async def follow(
    client: Client, start: Following, *, longest_seconds: float, closing: Wait
) -> AsyncGenerator[OperationEvent]:
    """Yield the events after the start as they happen, also of the runs that carry the operation on.

    It ends once the operation has closed; and before that when the gateway closes, when Temporal was away for
    `AWAY_SECONDS`, and after `longest_seconds`: whoever follows comes again with the last position.
    """
    until = time.monotonic() + longest_seconds
    run_id: str | None = start.after.run_id
    after = start.after.event_id
    is_reset_run = False
    while run_id is not None:
        table = EventTable(tenant=tenant_of(start.workflow_id), converter=client.data_converter)
        last: HistoryEvent | None = None
        async for event in _history(client, start.workflow_id, run_id, until=until, closing=closing):
            last = event
            told = await table.read(event)
            if is_reset_run and is_reset(event):
                is_reset_run = event.workflow_task_failed_event_attributes.new_run_id != run_id
            if event.event_type in CLOSING:
                break
            if told is not None and event.event_id > after and not is_reset_run:
                yield OperationEvent(Position(run_id, event.event_id), *told)
        if last is None or last.event_type not in CLOSING:
            return
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                successor = await _next_run(client, start.workflow_id, (run_id, last))
        except (RPCError, RuntimeError, TimeoutError):
            return
        if last.event_id > after:
            name, data = table.closing(last, is_last_run=successor is None)
            yield OperationEvent(Position(run_id, last.event_id), name, data)
        # What a reset run has in common with the one before was told as part of that one.
        is_reset_run = last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
        run_id, after = successor, 0


async def _history(
    client: Client, workflow_id: str, run_id: str, *, until: float, closing: Wait
) -> AsyncGenerator[HistoryEvent]:
    """Yield the events of a run, each once, as they happen; ends with the run, or earlier."""
    seen, token = 0, b""
    failing_since: float | None = None
    while (left := until - time.monotonic()) > 0:
        try:
            poll = _page(client, workflow_id, run_id, token)
            page = await within(poll, min(left, _POLL_SECONDS), [closing])
        except (RPCError, RuntimeError) as error:
            failing_since = failing_since or time.monotonic()
            if not _may_pass(error) or time.monotonic() - failing_since > AWAY_SECONDS:
                _log.warning("events.ended", workflow_id=workflow_id, reason=type(error).__name__)
                return
            await asyncio.sleep(_PAUSE_SECONDS)
            # A token of a server that is gone may mean nothing to the next one.
            token = b""
            continue
        if page is None:
            return
        failing_since = None
        for event in page.history.events:
            if event.event_id > seen and event.event_type not in _UNSETTLED:
                seen = event.event_id
                yield event
        token = page.next_page_token
        if not token:
            return


async def _page(client: Client, workflow_id: str, run_id: str, token: bytes) -> GetWorkflowExecutionHistoryResponse:
    return await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            next_page_token=token,
            wait_new_event=True,
        ),
        timeout=timedelta(seconds=_POLL_SECONDS),
    )


def _may_pass(error: RPCError | RuntimeError) -> bool:
    if isinstance(error, RPCError):
        return error.status in NO_ANSWER or error.status is RPCStatusCode.RESOURCE_EXHAUSTED
    return is_away(error)


async def _closing_event(client: Client, run: Description) -> tuple[str, HistoryEvent]:
    answer = await client.workflow_service.get_workflow_execution_history(
        GetWorkflowExecutionHistoryRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        ),
        retry=True,
        timeout=ATTEMPT,
    )
    return run.run_id, answer.history.events[-1]


async def _next_run(client: Client, workflow_id: str, closing: tuple[str, HistoryEvent]) -> str | None:
    """Return the run that carries on what another one ended with: by continue-as-new, a retry or a reset."""
    run_id, event = closing
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        # The run that was reset does not say so.
        latest = await describe(client, workflow_id)
        ended = await describe(client, workflow_id, run_id=run_id)
        is_other = latest.run_id != run_id and latest.info.first_run_id == ended.info.first_run_id
        return latest.run_id if is_other else None
    attributes = getattr(event, event.WhichOneof("attributes") or "")
    return getattr(attributes, "new_execution_run_id", "") or None
