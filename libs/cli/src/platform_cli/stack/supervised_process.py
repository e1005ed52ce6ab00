"""One process under supervision: started, watched, started again after a crash, stopped."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from platform_cli.bound_process import bound, kill_group
from platform_cli.errors import StackError
from platform_cli.stack.backoff import Backoff
from platform_cli.stack.process_spec import ProcessSpec
from platform_runtime.settings import BAD_SETTINGS_EXIT_CODE

_PROBE_INTERVAL_SECONDS = 0.05
_LOG_LIMIT_BYTES = 20 * 1024**2
_SHOWN_LINES = 12
_LONGEST_LINE_BYTES = 1024


class State(StrEnum):
    """Where a process stands."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class SupervisedProcess:
    """Keeps one process of the stack alive.

    `on_event` gets a line for a person, and perhaps the last lines of the log.
    """

    def __init__(self, spec: ProcessSpec, *, on_event: Callable[[str, list[str]], None]) -> None:
        self.spec = spec
        self.state = State.STARTING
        self.restarts = 0
        self.pid: int | None = None
        self.started_at: float | None = None
        self._on_event = on_event
        self._backoff = Backoff()
        self._stopping = asyncio.Event()
        self._first_outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life: asyncio.Task[None] | None = None
        self._kill_now = False

    async def start(self) -> None:
        """Start it and wait until it is ready for the first time.

        Raises:
            StackError: it crashed again and again, or was not ready in time; it is no longer running then.
        """
        _rotate(self.spec.log)
        self._life = asyncio.create_task(self._live(), name=self.spec.name)
        await self._first_outcome

    async def run_once(self) -> None:
        """Run a one-shot command to its end.

        Raises:
            StackError: it ended with an error, or took longer than its `ready_timeout_seconds`.
        """
        _rotate(self.spec.log)
        process = await self._spawn()
        exited = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait(
            {exited, stopping}, timeout=self.spec.ready_timeout_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        stopping.cancel()
        if not exited.done():
            await self._terminate(process, exited)
            self.pid = None
            if self._stopping.is_set():
                raise StackError(f"{self.spec.name} was stopped before its end")
            raise StackError(self._with_log(f"did not end within {self.spec.ready_timeout_seconds:g} s"))
        self.pid = None
        self.state = State.STOPPED if exited.result() == 0 else State.FAILED
        if exited.result() != 0:
            raise StackError(self._with_log(f"failed ({_ending(exited.result())})"))

    async def stop(self, *, kill: bool = False) -> None:
        """End it, with its whole process group: SIGTERM, then SIGKILL when its time is up or `kill` is given."""
        self._kill_now = self._kill_now or kill
        self._stopping.set()
        if self._life is not None:
            await asyncio.wait({self._life})
        if self.state is not State.FAILED:
            self.state = State.STOPPED

    async def _live(self) -> None:
        try:
            while not self._stopping.is_set():
                process = await self._spawn()
                reason = await self._one_life(process)
                self.pid = None
                if reason is None or not await self._may_start_again(process, reason):
                    break
        finally:
            if not self._first_outcome.done():
                self._first_outcome.set_exception(StackError(f"{self.spec.name} was stopped before it was ready"))
                # The waiter may be gone, and asyncio would complain about an exception that nobody took.
                self._first_outcome.exception()

    async def _spawn(self) -> Process:
        with self.spec.log.open("ab") as log:
            self._log_start = log.tell()
            # Directly into the file and not through a pipe of ours: its writing must not depend on our being alive.
            process = await asyncio.create_subprocess_exec(
                *bound(self.spec.command),
                env=dict(self.spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                # A group of its own, so that Ctrl-C reaches us alone and we stop everything in order.
                start_new_session=True,
            )
        self.pid = process.pid
        self.started_at = time.time()
        self._started = time.monotonic()
        return process

    async def _one_life(self, process: Process) -> str | None:
        """Watch a process until it ends; return why it ended, None when it was stopped."""
        exited = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        ready = asyncio.create_task(self._until_ready())
        reason = None
        try:
            await asyncio.wait(
                {exited, stopping, ready},
                timeout=self.spec.ready_timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ready.done() and not exited.done() and not stopping.done():
                ready.result()
                self._became_ready()
                await asyncio.wait({exited, stopping}, return_when=asyncio.FIRST_COMPLETED)
            elif not exited.done() and not stopping.done():
                reason = f"was not ready within {self.spec.ready_timeout_seconds:g} s: {self._not_ready}"
        except BaseException:
            # Only a bug in a probe comes here; its process must not stay behind unwatched.
            kill_group(process.pid)
            raise
        finally:
            ready.cancel()
            stopping.cancel()
        if not exited.done():
            await self._terminate(process, exited)
        # A process that ends may leave children; they are of its group.
        kill_group(process.pid)
        if self._stopping.is_set():
            return None
        return reason or f"ended ({_ending(exited.result())})"

    async def _until_ready(self) -> None:
        assert self.spec.ready is not None
        self._not_ready = "it has not been asked yet"
        while (problem := await self.spec.ready()) is not None:
            self._not_ready = problem
            await asyncio.sleep(_PROBE_INTERVAL_SECONDS)

    def _became_ready(self) -> None:
        self.state = State.READY
        if self._first_outcome.done():
            self._on_event("is ready again", [])
        else:
            self._first_outcome.set_result(None)
            self._on_event(f"is ready ({time.monotonic() - self._started:.1f} s)", [])

    async def _may_start_again(self, process: Process, reason: str) -> bool:
        pause = self._backoff.pause_after(lived_seconds=time.monotonic() - self._started)
        if pause is None or process.returncode == BAD_SETTINGS_EXIT_CODE:
            self._give_up(reason)
            return False
        self.restarts += 1
        self.state = State.RESTARTING
        self._on_event(f"{reason}; starting it again in {pause:.1f} s", [])
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({stopping}, timeout=pause)
        stopping.cancel()
        return True

    def _give_up(self, reason: str) -> None:
        self.state = State.FAILED
        if self._first_outcome.done():
            self._on_event(f"{reason}; gave up, see {self.spec.log}", self._last_lines())
        else:
            self._first_outcome.set_exception(StackError(self._with_log(reason)))

    async def _terminate(self, process: Process, exited: "asyncio.Task[int]") -> None:
        if not self._kill_now:
            kill_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.spec.stop_timeout_seconds
        # In short waits, because a second Ctrl-C may end the patience at any time.
        while not self._kill_now and time.monotonic() < deadline and not exited.done():
            await asyncio.wait({exited}, timeout=0.1)
        if not exited.done():
            kill_group(process.pid)
            await exited

    def _with_log(self, reason: str) -> str:
        lines = "".join(f"\n    {line}" for line in self._last_lines())
        return f"{self.spec.name} {reason}; its log is {self.spec.log}{lines}"

    def _last_lines(self) -> list[str]:
        """Return the last lines that this life of the process has written, and none of its earlier ones."""
        return last_lines(self.spec.log, since=self._log_start)


def last_lines(log: Path, count: int = _SHOWN_LINES, *, since: int = 0) -> list[str]:
    """Return the last lines of a log file, from byte `since` on; none when there is no file."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(since, file.tell() - _LONGEST_LINE_BYTES * count))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def _ending(return_code: int) -> str:
    if return_code >= 0:
        return f"exit code {return_code}"
    try:
        return signal.Signals(-return_code).name
    except ValueError:
        return f"signal {-return_code}"


def _rotate(log: Path) -> None:
    """Keep one older file of a log that has become long; called only while nobody writes to it."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
