"""On what it was measured; nothing that names the machine or its owner."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from platform_cli.tools.temporal_server import VERSION as TEMPORAL_CLI_VERSION

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Machine:
    """What the figures depend on besides the code."""

    cores: int
    model: str
    system: str
    python: str
    temporalio: str
    temporal_cli: str
    commit: str
    """Ends with `+` when the tree was not as committed."""

    def __str__(self) -> str:
        """Return it for a page, as the first lines of a list."""
        return (
            f"- {self.cores} cores of {self.model}, {self.system}\n"
            f"- Python {self.python}, temporalio {self.temporalio}, dev server of temporal CLI {self.temporal_cli} "
            "on a database file"
        )


def machine() -> Machine:
    """Return what this is."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        model=_model(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        temporalio=version("temporalio"),
        temporal_cli=TEMPORAL_CLI_VERSION,
        commit=_commit(),
    )


def load_average() -> float:
    """Return how many processes wanted to run, on average of the last minute."""
    return round(os.getloadavg()[0], 1)


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        return finished.stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--porcelain", "-uno") else "")
