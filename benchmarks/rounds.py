"""Call two things in turn, and measure both."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from benchmarks.figures import Round

Call = Callable[[], Awaitable[object]]
"""One call, from its start to its end; raises when it did not do what it should."""


_FEWEST_PAIRS: Final = 2


@dataclass(frozen=True)
class Load:
    """How hard something is called, and for how long at most."""

    name: str
    at_once: int
    calls: int
    """In one round."""
    within_seconds: float
    """After this no further call is begun in a round; those that have begun are waited for."""
    pairs: int
    """How many rounds of each, in the time there is."""
    pairs_within_seconds: float = math.inf
    """After this no further pair is begun; there are two at least."""


async def one_round(call: Call, load: Load) -> Round:
    """Make the calls of one round.

    Raises:
        Exception: whatever a call raises; the others are cancelled then.
    """
    latencies: list[float] = []
    left = iter(range(load.calls))
    start = perf_counter()

    async def caller() -> None:
        for _ in left:
            begun = perf_counter()
            if begun - start > load.within_seconds:
                return
            await call()
            latencies.append(perf_counter() - begun)

    async with asyncio.TaskGroup() as callers:
        for _ in range(load.at_once):
            callers.create_task(caller())
    return Round(seconds=perf_counter() - start, latencies=tuple(latencies))


async def in_turn(ours: Call, other: Call, load: Load, *, settled: Call) -> tuple[list[Round], list[Round]]:
    """Make the rounds of both in turn, and return those of each.

    A pair begins with what the pair before it ended with, so that neither always meets what the other has left behind.

    Args:
        ours: what is measured.
        other: what it is compared with.
        load: of each round.
        settled: waits until nothing of a round goes on; not measured.
    """
    of_ours: list[Round] = []
    of_other: list[Round] = []
    start = perf_counter()
    for pair in range(load.pairs):
        if pair >= _FEWEST_PAIRS and perf_counter() - start > load.pairs_within_seconds:
            break
        turns = [(ours, of_ours), (other, of_other)]
        for call, rounds in turns if pair % 2 == 0 else reversed(turns):
            rounds.append(await one_round(call, load))
            await settled()
    return of_ours, of_other
