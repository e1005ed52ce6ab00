"""Wait for something that happens elsewhere, and not for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

AnswerT = TypeVar("AnswerT")


async def eventually(
    question: Callable[[], Awaitable[AnswerT]], *, within_seconds: float, every_seconds: float = 0.05
) -> AnswerT:
    """Ask again and again until the answer is true, and return it; an exception counts as no answer.

    Raises:
        AssertionError: with the last answer or exception, when time is up.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        last: object
        try:
            last = answer = await question()
            if answer:
                return answer
        except Exception as error:  # noqa: BLE001 - whatever is not ready yet fails in its own way
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_seconds} s; last: {last!r}")
        await asyncio.sleep(every_seconds)
