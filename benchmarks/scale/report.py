"""The results of both, as JSON for programs, a page with two tables for people, and a picture."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.scale.isolation import WAITING_PURCHASES, Domain
from benchmarks.scale.picture import bars
from benchmarks.scale.throughput import DELAY_SECONDS, SLOTS, Throughput


@dataclass(frozen=True)
class Results:
    """One run."""

    date: str
    machine: Machine
    load_before: float
    load_after: float
    seconds: float
    isolation: Sequence[Domain]
    throughput: Sequence[Throughput]


def as_json(results: Results) -> str:
    """Return everything."""
    rounded = json.loads(json.dumps(asdict(results)), parse_float=lambda text: round(float(text), 3))
    return json.dumps(rounded, indent=2) + "\n"


def as_markdown(results: Results, *, picture: str) -> str:
    """Return a page with a table of each, and the picture of that file name."""
    machine = results.machine
    lines = [
        f"# {results.date}: isolation and scaling",
        "",
        str(machine),
        f"- load average {results.load_before} before and {results.load_after} after",
        f"- commit {machine.commit}; {results.seconds:.0f} s in all",
        "",
        "## All payment workers killed",
        "",
        f"One call at a time, {WAITING_PURCHASES} purchases begun before each round: without payment they wait.",
        "",
        "| domain | call | calls | p95 ms with payment | p95 ms without | ratio |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.call} | {each.calls} | {each.p95_with:.1f} | {each.p95_without:.1f} | "
        f"**{each.ratio:.2f}** ({min(each.ratio_of_pairs):.2f} to {max(each.ratio_of_pairs):.2f}) |"
        for each in results.isolation
    ]
    lines += [
        "",
        "A ratio below 1: slower without payment. In brackets: the lowest and the highest pair of rounds.",
        "",
        "## 1, 2 and 4 payment workers",
        "",
        f"Each call is one activity that waits {DELAY_SECONDS} s for the acquirer; a worker runs {SLOTS} at once.",
        "",
        "| workers | calls | per second | of one worker | of what the slots could | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.workers} | {each.calls} | {each.per_second:.1f} | **{each.of_one:.2f}** | {each.of_slots:.2f} | "
        f"{each.p50_milliseconds:.0f} | {each.p99_milliseconds:.0f} |"
        for each in results.throughput
    ]
    lines += ["", f"![Throughput by the number of payment workers]({picture})", ""]
    return "\n".join(lines)


def as_picture(results: Results) -> str:
    """Return the throughput by the number of workers as an SVG, beside what their slots could do at most."""
    return bars(
        "Calls a second by the number of payment workers",
        [str(each.workers) for each in results.throughput],
        {
            "measured": [each.per_second for each in results.throughput],
            "the most their slots could": [each.workers * SLOTS / DELAY_SECONDS for each in results.throughput],
        },
    )


def write(results: Results, directory: Path) -> list[Path]:
    """Write all three; return where they are. A run of the same minute is written over."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = f"scale-{results.date.replace(':', '').replace(' ', '-').removesuffix('-UTC')}"
    files = {
        directory / f"{stem}.json": as_json(results),
        directory / f"{stem}.md": as_markdown(results, picture=f"{stem}.svg"),
        directory / f"{stem}.svg": as_picture(results),
    }
    for path, text in files.items():
        path.write_text(text)
    return list(files)
