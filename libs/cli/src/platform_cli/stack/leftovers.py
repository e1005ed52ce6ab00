"""Processes that outlived their supervisor.

On Linux there are none, see `die_with_parent`. Elsewhere a supervisor that was killed leaves its processes behind;
the next one finds them in the state file and ends them.
"""

import re
import subprocess
import time

from platform_cli.bound_process import kill_group
from platform_cli.stack.home import Home
from platform_cli.stack.status import Phase, ProcessStatus, StackStatus

_GONE_TIMEOUT_SECONDS = 5.0
# Between our note of a start and what the system says about it.
_CLOCK_SLACK_SECONDS = 5.0


def end_leftovers(home: Home) -> list[str]:
    """Kill what a supervisor of `home` that is dead left running; return the names. Hold the supervisor's lock."""
    try:
        status = StackStatus.model_validate_json(home.state.read_text())
    except (FileNotFoundError, ValueError):
        return []
    if status.phase is Phase.DOWN:
        return []
    ended: list[str] = []
    for process in status.processes:
        if process.pid is not None and _is_the_same(process):
            kill_group(process.pid)
            _wait_until_gone(process.pid)
            ended.append(process.name)
    return ended


def _is_the_same(process: ProcessStatus) -> bool:
    """Return whether the process id still means that process, by its group and the time of its start."""
    age_seconds = _age_of_group_leader(process.pid)
    if age_seconds is None or process.started_at is None:
        return False
    return abs(time.time() - age_seconds - process.started_at) < _CLOCK_SLACK_SECONDS


def _age_of_group_leader(pid: int | None) -> int | None:
    """Return for how many seconds a process has run, None if it is gone, a zombie, or leads no group."""
    try:
        printed = subprocess.run(
            ["ps", "-o", "pgid=,stat=,etime=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except FileNotFoundError:
        return None
    found = re.fullmatch(r"\s*(\d+)\s+[^Z]\S*\s+(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)\s*", printed)
    if found is None or int(found[1]) != pid:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + _GONE_TIMEOUT_SECONDS
    while time.monotonic() < deadline and _age_of_group_leader(pid) is not None:
        time.sleep(0.1)
