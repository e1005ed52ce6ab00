"""Child processes that are bound to this one: they end with it, and none of their own children stays behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_WRAPPER = str(Path(__file__).with_name("die_with_parent.py"))
_KEPT_LINES = 15


class CommandError(Exception):
    """A command ended with an error or ran past its deadline; `reason` is one line, `output` its last lines."""

    def __init__(self, reason: str, output: Sequence[str]) -> None:
        self.reason = reason
        self.output = tuple(output)
        super().__init__("\n".join([reason, *output]))


def bound(command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` so that it dies with this process (on Linux).

    The kernel watches the thread that starts the command: start it from a thread that lives as long as the command
    shall, which is the main thread for everything that stays.
    """
    return [sys.executable, "-I", "-S", _WRAPPER, str(os.getpid()), *command]


def kill_group(process_group: int, signal_number: int = signal.SIGKILL) -> None:
    """Send a signal to a process group; one that is gone already is fine."""
    # macOS answers EPERM for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process_group, signal_number)


def run_to_end(
    command: Sequence[str],
    *,
    timeout_seconds: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
) -> str:
    """Run a command to its end and return what it printed, standard error included.

    Raises:
        CommandError: it could not be started, ended with an error, or was killed at `timeout_seconds`.
    """
    try:
        process = subprocess.Popen(
            bound(command),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise CommandError(f"{command[0]} did not start: {error}", ()) from error
    printed: list[str] = []
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        kill_group(process.pid)

    timer = threading.Timer(timeout_seconds, expire)
    timer.daemon = True
    timer.start()
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                printed.append(line)
                on_line(line.rstrip())
            process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                kill_group(process.pid)
    name = Path(command[0]).name
    if expired.is_set():
        raise CommandError(f"{name} was stopped after {timeout_seconds:.0f} s", _last(printed))
    if process.returncode != 0:
        raise CommandError(f"{name} ended with exit code {process.returncode}", _last(printed))
    return "".join(printed)


def _last(lines: Sequence[str]) -> list[str]:
    return [line.rstrip() for line in deque(lines, maxlen=_KEPT_LINES)]
