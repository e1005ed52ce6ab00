"""Measure the platform against the SDK alone: `python -m benchmarks`."""

import argparse
import asyncio
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

from temporalio.client import Client

from benchmarks.calls import BarePurchases, GatewayStarts, PurchasesOfOurs, raw_start
from benchmarks.figures import ratios, summary
from benchmarks.histories import difference, mean_events, shape_of
from benchmarks.machine import load_average, machine
from benchmarks.private_stack import PrivateStack, private_stack
from benchmarks.report import Comparison, Results, as_markdown, write
from benchmarks.rounds import Call, Load, in_turn, one_round
from platform_cli.errors import StackError
from platform_runtime.process import run_process
from platform_runtime.settings import TemporalSettings
from platform_runtime.telemetry import telemetry
from platform_runtime.temporal_client import connect

RESULTS: Final = Path(__file__).parent / "results"
AT_ONCE: Final = 32
PURCHASE_AIM: Final = 0.9
START_AIM: Final = 0.8

PURCHASE_LOADS: Final = (
    Load("one at a time", at_once=1, calls=12, within_seconds=2, pairs=6, pairs_within_seconds=20),
    Load("saturated", at_once=AT_ONCE, calls=96, within_seconds=4, pairs=6, pairs_within_seconds=35),
)
START_LOADS: Final = (
    Load("one at a time", at_once=1, calls=100, within_seconds=1, pairs=8, pairs_within_seconds=12),
    Load("saturated", at_once=AT_ONCE, calls=500, within_seconds=2, pairs=8, pairs_within_seconds=20),
)
_WARM_UP: Final = Load("warm-up", at_once=8, calls=24, within_seconds=5, pairs=1)
_SETTLED_SECONDS: Final = 30
_VISIBLE_SECONDS: Final = 0.3
"""After so long the server's list shows what has happened."""
_SAMPLE: Final = 20


async def compare(
    name: str, other_name: str, ours: Call, other: Call, load: Load, aim: float, settled: Call
) -> Comparison:
    """Measure both under one load."""
    sys.stdout.write(f"{name}, {load.name} ...\n")
    sys.stdout.flush()
    of_ours, of_other = await in_turn(ours, other, load, settled=settled)
    found = ratios(of_ours, of_other)
    sys.stdout.write(f"  {found.throughput:.2f} of the {other_name}'s throughput\n")
    return Comparison(name, other_name, load, aim, summary(of_ours), summary(of_other), found)


async def purchases(client: Client, bare: Client) -> tuple[list[Comparison], dict[str, float]]:
    """Compare the purchase with the bare program's.

    Raises:
        SystemExit: when they do not make the same events: then there is nothing to compare.
    """
    ours, other = PurchasesOfOurs(client), BarePurchases(bare)

    async def settled() -> None:
        # Notifications outlive their purchases, and would be in the next round's way.
        async with asyncio.timeout(_SETTLED_SECONDS):
            await asyncio.sleep(_VISIBLE_SECONDS)
            while (await bare.count_workflows("ExecutionStatus = 'Running'")).count:  # noqa: ASYNC110 - it is far away
                await asyncio.sleep(_VISIBLE_SECONDS)

    await ours()
    await other()
    shapes = [await shape_of(bare, each) for each in (ours.workflow_ids[0], other.workflow_ids[0])]
    differing = difference(*shapes)
    if differing is not None:
        raise SystemExit(f"The two purchases do not make the same events (ours, bare):\n{differing}")
    for call in (ours, other):
        await one_round(call, _WARM_UP)
        await settled()
    compared = [
        await compare("purchase", "bare program", ours, other, load, PURCHASE_AIM, settled) for load in PURCHASE_LOADS
    ]
    events = {
        "ours": await mean_events(bare, ours.workflow_ids[-_SAMPLE:]),
        "bare": await mean_events(bare, other.workflow_ids[-_SAMPLE:]),
    }
    return compared, events


async def starts(stack: PrivateStack, bare: Client) -> list[Comparison]:
    """Compare a start through the gateway with one by the SDK's client; nobody works on what is started."""
    await asyncio.to_thread(stack.local.scale, {"user": 0})
    ours, other = GatewayStarts(stack.gateway_port), raw_start(bare)

    async def settled() -> None:
        await asyncio.sleep(_VISIBLE_SECONDS)

    for call in (ours, other):
        await one_round(call, replace(_WARM_UP, calls=100))
    try:
        return [await compare("start", "raw client", ours, other, load, START_AIM, settled) for load in START_LOADS]
    finally:
        await ours.close()


async def measure(*, traces: bool, parts: str) -> Results:
    """Make one run on a stack of its own.

    Raises:
        StackError: when the stack does not come up.
    """
    begun, date, load_before = perf_counter(), datetime.now(UTC), load_average()
    compared: list[Comparison] = []
    events: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="partner-bench-") as home:
        async with private_stack(Path(home), traces=traces) as stack, telemetry(service="benchmark"):
            bare = await Client.connect(stack.temporal_address)
            client = await connect(TemporalSettings(address=stack.temporal_address))
            if parts in {"all", "purchase"}:
                compared, events = await purchases(client, bare)
            if parts in {"all", "start"}:
                compared += await starts(stack, bare)
    return Results(
        date=f"{date:%Y-%m-%d %H:%M} UTC",
        machine=machine(),
        load_before=load_before,
        load_after=load_average(),
        seconds=perf_counter() - begun,
        traces=traces,
        events=events,
        comparisons=compared,
    )


async def main() -> int:
    """Measure, print, and write the results down.

    Raises:
        SystemExit: with one line, when the stack does not come up or there is nothing to compare.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--traces", action="store_true", help="run Jaeger, and export every span to it")
    parser.add_argument("--only", choices=["all", "purchase", "start"], default="all", help="measure only this")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder for the results")
    options = parser.parse_args()
    try:
        results = await measure(traces=options.traces, parts=options.only)
    except StackError as error:
        raise SystemExit(str(error)) from None
    files = write(results, options.results)
    sys.stdout.write(f"\n{as_markdown(results)}\n{' '.join(each.name for each in files)} are in benchmarks/results.\n")
    return 0


if __name__ == "__main__":
    run_process(main)
