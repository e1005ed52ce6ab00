"""What the other domains notice while nobody works for payment."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Final

from temporalio.client import Client

from benchmarks.figures import Round, percentile
from benchmarks.private_stack import PrivateStack
from benchmarks.rounds import Call, Load, one_round
from benchmarks.scale.domains import buy, counted, drafted, notified

LOAD: Final = Load("one at a time", at_once=1, calls=60, within_seconds=6, pairs=4)
WAITING_PURCHASES: Final = 20
"""So many purchases are begun before each round; without payment they wait in theirs."""
_PERCENT: Final = 95
_SETTLED_SECONDS: Final = 60
_VISIBLE_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Domain:
    """One of the other domains, with payment at work and with all its workers killed."""

    name: str
    call: str
    """What it was asked for."""
    calls: int
    p95_with: float
    """Milliseconds."""
    p95_without: float
    ratio: float
    """The median of the ratios of the pairs, p95 with payment to p95 without it; 1 is the same, below it: slower."""
    ratio_of_pairs: tuple[float, ...]


async def isolation(stack: PrivateStack, client: Client) -> list[Domain]:
    """Measure each other domain in alternating rounds, with payment and with all of its workers killed.

    Raises:
        TimeoutError: when what was begun does not come to its end once payment is back.
    """
    calls: Mapping[str, tuple[str, Call]] = {
        "user": ("a notification", notified(client)),
        "listing": ("a draft", drafted(client)),
        "analytics": ("an intake of events", counted(client)),
    }
    with_payment: dict[str, list[Round]] = {name: [] for name in calls}
    without: dict[str, list[Round]] = {name: [] for name in calls}
    for _, call in calls.values():
        await one_round(call, LOAD)
    for pair in range(LOAD.pairs):
        for is_away in (False, True) if pair % 2 == 0 else (True, False):
            sys.stdout.write(f"isolation, round {pair + 1} of {LOAD.pairs}, payment {'killed' if is_away else 'up'}\n")
            sys.stdout.flush()
            if is_away:
                await _kill_payment(stack)
            for _ in range(WAITING_PURCHASES):
                await buy(client)
            if not is_away:
                await _settled(client)
            for name, (_, call) in calls.items():
                (without if is_away else with_payment)[name].append(await one_round(call, LOAD))
            if is_away:
                await asyncio.to_thread(stack.local.scale, {"payment": 1})
                await _settled(client)
    return [_domain(name, what, with_payment[name], without[name]) for name, (what, _) in calls.items()]


async def _kill_payment(stack: PrivateStack) -> None:
    """Kill every payment worker where it stands, and have none come back."""
    status = await asyncio.to_thread(stack.local.status)
    pids = [each.pid for each in status.processes if each.name.partition("-")[0] == "payment" and each.pid is not None]
    if not pids:
        raise RuntimeError("there is no payment worker to kill")
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(stack.local.scale, {"payment": 0})


async def _settled(client: Client) -> None:
    """Wait until everything that was begun has come to its end."""
    async with asyncio.timeout(_SETTLED_SECONDS):
        await asyncio.sleep(_VISIBLE_SECONDS)
        while (await client.count_workflows("ExecutionStatus = 'Running'")).count:  # noqa: ASYNC110 - it is far away
            await asyncio.sleep(_VISIBLE_SECONDS)


def _domain(name: str, what: str, with_payment: Sequence[Round], without: Sequence[Round]) -> Domain:
    pairs = tuple(
        percentile(up.latencies, _PERCENT) / percentile(away.latencies, _PERCENT)
        for up, away in zip(with_payment, without, strict=True)
    )
    return Domain(
        name=name,
        call=what,
        calls=sum(len(each.latencies) for each in (*with_payment, *without)),
        p95_with=1_000 * percentile([it for each in with_payment for it in each.latencies], _PERCENT),
        p95_without=1_000 * percentile([it for each in without for it in each.latencies], _PERCENT),
        ratio=median(pairs),
        ratio_of_pairs=pairs,
    )
