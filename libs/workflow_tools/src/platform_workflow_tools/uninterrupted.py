"""Run a step of a workflow to its end, whatever is cancelled meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def uninterrupted(step: Coroutine[object, object, ResultT]) -> ResultT:
    """Run the step to its end and return what it returns.

    A single `asyncio.shield` is not enough: the cancel ends the await of the shield, and the workflow with it. So the
    same task is shielded again until it is done; the cancel is then past, and what comes after the step decides.

    Raises:
        BaseException: whatever the step itself raises.
    """
    task = asyncio.ensure_future(step)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
        except BaseException:
            if not task.done():
                raise
    return task.result()
