"""Measure how domains keep out of each other's way, and what more workers bring: `python -m benchmarks.scale`."""

import argparse
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

from temporalio.client import Client

from benchmarks.machine import load_average, machine
from benchmarks.private_stack import PrivateStack, private_stack
from benchmarks.scale.isolation import isolation
from benchmarks.scale.report import Results, as_markdown, write
from benchmarks.scale.throughput import SLOTS, throughput
from platform_cli.errors import StackError
from platform_runtime.process import run_process
from platform_runtime.settings import TemporalSettings
from platform_runtime.telemetry import telemetry
from platform_runtime.temporal_client import connect

RESULTS: Final = Path(__file__).parents[1] / "results"


async def measure() -> Results:
    """Make one run of both, each on a stack of its own.

    Raises:
        StackError: when a stack does not come up.
    """
    begun, date, load_before = perf_counter(), datetime.now(UTC), load_average()
    async with _stack({}) as (stack, client):
        domains = await isolation(stack, client)
    async with _stack({"TEMPORAL_MAX_CONCURRENT_ACTIVITIES": str(SLOTS)}) as (stack, client):
        workers = await throughput(stack, client)
    return Results(
        date=f"{date:%Y-%m-%d %H:%M} UTC",
        machine=machine(),
        load_before=load_before,
        load_after=load_average(),
        seconds=perf_counter() - begun,
        isolation=domains,
        throughput=workers,
    )


@asynccontextmanager
async def _stack(settings: Mapping[str, str]) -> AsyncGenerator[tuple[PrivateStack, Client]]:
    with tempfile.TemporaryDirectory(prefix="partner-bench-") as home:
        # Within the stack, whose environment says where spans do not go.
        async with (
            private_stack(Path(home), traces=False, bare=False, settings=settings) as stack,
            telemetry(service="benchmark"),
        ):
            yield stack, await connect(TemporalSettings(address=stack.temporal_address))


async def main() -> int:
    """Measure, print, and write the results down.

    Raises:
        SystemExit: with one line, when a stack does not come up.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder for the results")
    options = parser.parse_args()
    try:
        results = await measure()
    except StackError as error:
        raise SystemExit(str(error)) from None
    files = write(results, options.results)
    sys.stdout.write(f"\n{as_markdown(results, picture=files[-1].name)}\n{' '.join(each.name for each in files)}\n")
    return 0


if __name__ == "__main__":
    run_process(main)
