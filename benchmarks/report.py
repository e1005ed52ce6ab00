"""The results, as JSON for programs and as a table for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figures import Ratios, Summary
from benchmarks.machine import Machine
from benchmarks.rounds import Load


@dataclass(frozen=True)
class Comparison:
    """Ours and the other under one load."""

    name: str
    other_name: str
    load: Load
    aim: float
    """What the ratio of the throughput should be at least."""
    ours: Summary
    other: Summary
    ratios: Ratios

    @property
    def reaches_aim(self) -> bool:
        """Whether it is."""
        return self.ratios.throughput >= self.aim


@dataclass(frozen=True)
class Results:
    """One run."""

    date: str
    machine: Machine
    load_before: float
    load_after: float
    seconds: float
    traces: bool
    events: Mapping[str, float]
    """How many events a purchase made on average, by program."""
    comparisons: Sequence[Comparison]


def as_json(results: Results) -> str:
    """Return everything."""
    exact = json.dumps(asdict(results))
    rounded = json.loads(exact, parse_float=lambda text: round(float(text), 3))
    return json.dumps(rounded, indent=2) + "\n"


def as_markdown(results: Results) -> str:
    """Return a page with one table."""
    machine = results.machine
    traces = "spans exported to Jaeger" if results.traces else "spans made and not exported"
    lines = [
        f"# {results.date}",
        "",
        str(machine),
        f"- load average {results.load_before} before and {results.load_after} after",
        f"- commit {machine.commit}; {traces}; {results.seconds:.0f} s in all",
        "",
        "| | at once | | calls | per second | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in results.comparisons:
        for name, it in (("ours", each.ours), (each.other_name, each.other)):
            lines.append(
                f"| {each.name} | {each.load.at_once} | {name} | {it.calls} | {it.per_second:.1f} | "
                f"{it.p50_milliseconds:.1f} | {it.p99_milliseconds:.1f} |"
            )
        found = each.ratios
        lines.append(
            f"| | | **ratio** (aim {each.aim}) | | **{found.throughput:.2f}** "
            f"({min(found.throughput_of_pairs):.2f} to {max(found.throughput_of_pairs):.2f}) | {found.p50:.2f} | "
            f"{found.p99:.2f} |"
        )
    events = ", ".join(f"{name} {number:.1f}" for name, number in results.events.items())
    if events:
        lines += ["", f"Events of one saturated purchase, on average: {events}."]
    lines += ["", "A ratio below 1: ours is slower. In brackets: the lowest and the highest pair of rounds.", ""]
    return "\n".join(lines)


def write(results: Results, directory: Path) -> list[Path]:
    """Write both; return where they are. A run of the same minute is written over."""
    directory.mkdir(parents=True, exist_ok=True)
    stem = results.date.replace(":", "").replace(" ", "-").removesuffix("-UTC")
    files = {directory / f"{stem}.json": as_json(results), directory / f"{stem}.md": as_markdown(results)}
    for path, text in files.items():
        path.write_text(text)
    return list(files)
