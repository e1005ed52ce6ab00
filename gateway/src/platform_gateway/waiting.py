"""Wait for a result, but not longer than anybody is interested in it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import Request
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

ResultT = TypeVar("ResultT")

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
    result = asyncio.create_task(_result(handle))
    tasks = (result, *(asyncio.create_task(reason()) for reason in unless))
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return result.result() if result.done() else None
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


async def client_gone(request: Request) -> None:
    """Return when the client has closed the connection; the body has to be read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
