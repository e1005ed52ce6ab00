"""The benchmark's rounds are as many, as full and as interleaved as it says."""

import asyncio
from dataclasses import replace

from benchmarks.rounds import Call, Load, in_turn, one_round

LOAD = Load("test", at_once=3, calls=7, within_seconds=10, pairs=3)


def _writes(name: str, into: list[str]) -> Call:
    async def call() -> None:
        into.append(name)

    return call


async def test_round_makes_all_its_calls_and_never_more_at_once() -> None:
    running: list[int] = [0]
    most: list[int] = []

    async def call() -> None:
        running[0] += 1
        most.append(running[0])
        await asyncio.sleep(0.001)
        running[0] -= 1

    made = await one_round(call, LOAD)

    assert len(made.latencies) == 7
    assert max(most) == 3


async def test_round_out_of_time_begins_no_further_call() -> None:
    async def call() -> None:
        await asyncio.sleep(0.02)

    made = await one_round(call, replace(LOAD, calls=1_000, within_seconds=0.01))

    assert len(made.latencies) == 3


async def test_rounds_alternate_and_each_pair_begins_with_the_other_one() -> None:
    calls: list[str] = []

    ours, other = await in_turn(
        _writes("a", calls), _writes("b", calls), replace(LOAD, at_once=1, calls=1), settled=_writes(" ", calls)
    )

    assert "".join(calls) == "a b b a a b "
    assert [len(ours), len(other)] == [3, 3]


async def test_pairs_out_of_time_are_two_all_the_same() -> None:
    load = replace(LOAD, pairs=50, pairs_within_seconds=0)

    ours, other = await in_turn(_writes("a", []), _writes("b", []), load, settled=_writes(" ", []))

    assert [len(ours), len(other)] == [2, 2]
