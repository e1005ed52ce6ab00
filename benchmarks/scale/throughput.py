"""What more workers of one domain bring, when the domain waits for a slow provider."""

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Final

import httpx
from temporalio.client import Client

from benchmarks.figures import Round, summary
from benchmarks.private_stack import PrivateStack
from benchmarks.rounds import Load, one_round
from benchmarks.scale.domains import voided

WORKERS: Final = (1, 2, 4)
SLOTS: Final = 4
"""How many activities a worker runs at once: few, so that the workers are what is short, and not the machine."""
DELAY_SECONDS: Final = 0.4
"""How long the acquirer takes for each call."""
LOAD: Final = Load("saturated", at_once=48, calls=400, within_seconds=6, pairs=3)


@dataclass(frozen=True)
class Throughput:
    """One number of workers."""

    workers: int
    calls: int
    per_second: float
    of_slots: float
    """The share of what their slots could do at most, which is `workers * SLOTS / DELAY_SECONDS`."""
    of_one: float
    """How many times one worker's throughput."""
    p50_milliseconds: float
    p99_milliseconds: float


async def throughput(stack: PrivateStack, client: Client) -> list[Throughput]:
    """Measure 1, 2 and 4 payment workers in alternating rounds, forwards and backwards.

    Raises:
        httpx.HTTPError: when the acquirer cannot be made slow.
    """
    rounds: dict[int, list[Round]] = {workers: [] for workers in WORKERS}
    call = voided(client)
    await call()
    async with httpx.AsyncClient(base_url=os.environ["PAYMENT_ACQUIRER_URL"]) as acquirer:
        (await acquirer.put("/v1/faults", json={"delaySeconds": DELAY_SECONDS})).raise_for_status()
    for number in range(LOAD.pairs):
        for workers in WORKERS if number % 2 == 0 else reversed(WORKERS):
            sys.stdout.write(f"throughput, round {number + 1} of {LOAD.pairs}, {workers} payment workers\n")
            sys.stdout.flush()
            await asyncio.to_thread(stack.local.scale, {"payment": workers})
            rounds[workers].append(await one_round(call, LOAD))
    one = summary(rounds[WORKERS[0]]).per_second
    return [_throughput(workers, rounds[workers], one) for workers in WORKERS]


def _throughput(workers: int, rounds: list[Round], one: float) -> Throughput:
    found = summary(rounds)
    return Throughput(
        workers=workers,
        calls=found.calls,
        per_second=found.per_second,
        of_slots=found.per_second / (workers * SLOTS / DELAY_SECONDS),
        of_one=found.per_second / one,
        p50_milliseconds=found.p50_milliseconds,
        p99_milliseconds=found.p99_milliseconds,
    )
