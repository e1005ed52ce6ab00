"""Wait for a result, but not longer than anybody is interested in it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from fastapi import Request
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.workflow import UpdateMethodMultiParam

from platform_gateway.operations.temporal_calls import ENDED_BEFORE_ANSWERING, is_missing_workflow

ResultT = TypeVar("ResultT")

_OUTCOME: Final = "outcome"
"""The id of the update that all who wait share."""

Wait = Callable[[], Coroutine[Any, Any, object]]
"""Begins to wait for something."""


async def result_within(
    handle: WorkflowHandle[Any, ResultT], seconds: float, *, unless: Sequence[Wait] = ()
) -> ResultT | None:
    """Return the result, or None when it is not there in time; the workflow goes on.

    Args:
        handle: the workflow.
        seconds: how long to wait.
        unless: what ends the waiting early, such as a client that has gone.

    Raises:
        WorkflowFailureError: when the workflow failed, or was cancelled, terminated or timed out.
    """
    return await within(_result(handle), seconds, unless)


async def outcome_within(
    handle: WorkflowHandle[Any, ResultT],
    outcome: UpdateMethodMultiParam[[Any], ResultT],
    seconds: float,
    *,
    unless: Sequence[Wait] = (),
) -> ResultT | None:
    """Return what the update answers while the workflow goes on, or None when it has not in time.

    All who wait ask one and the same update, so that their number is no load for the workflow.

    Raises:
        WorkflowUpdateFailedError: when there will be no result.
        WorkflowFailureError: the same, when the workflow ended before it could answer.
    """
    return await within(_outcome(handle, outcome), seconds, unless)


async def within(
    result: Coroutine[Any, Any, ResultT | None], seconds: float, unless: Sequence[Wait] = ()
) -> ResultT | None:
    """Return the result, or None when it is not there in time or one of the reasons came first.

    Raises:
        BaseException: whatever the waiting for it raises.
    """
    waiting = asyncio.create_task(result)
    tasks = (waiting, *(asyncio.create_task(reason()) for reason in unless))
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _result(handle: WorkflowHandle[Any, ResultT]) -> ResultT | None:
    try:
        return await handle.result()
    except RPCError:
        # It was started, so it is not lost with the connection: the client is told where to ask.
        return None


async def _outcome(
    handle: WorkflowHandle[Any, ResultT], outcome: UpdateMethodMultiParam[[Any], ResultT]
) -> ResultT | None:
    try:
        return await handle.execute_update(outcome, id=_OUTCOME)  # pyright: ignore[reportUnknownMemberType]
    except WorkflowUpdateFailedError as error:
        if isinstance(error.cause, ApplicationError) and error.cause.type == ENDED_BEFORE_ANSWERING:
            return await _result(handle)
        raise
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return None
    except RPCError as error:
        return await _result(handle) if is_missing_workflow(error) else None


async def client_gone(request: Request) -> None:
    """Return when the client has closed the connection; the body has to be read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
