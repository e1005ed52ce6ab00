"""Runs a worker and starts it again when its code changes: the old one ends before the new one starts, always."""

import asyncio
import contextlib
import importlib.util
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change, awatch  # pyright: ignore[reportUnknownVariableType]

from platform_cli.bound_process import bound, kill_group
from platform_cli.services import Service
from platform_cli.stack.process_spec import ProcessSpec

_LIBRARIES = ("platform_contracts", "platform_workflow_tools", "platform_runtime")
_CODE = (".py", ".toml", ".mako", ".j2", ".jinja", ".html", ".txt", ".sql", ".json")
# Editors write a file in several steps, and a person saves several files at once.
_DEBOUNCE_MILLISECONDS = 300


def keep_current(service: Service, *, prepare: ProcessSpec, worker: ProcessSpec) -> None:
    """Run the worker with the code as it is on disk until SIGINT or SIGTERM, which also end the worker in order."""
    asyncio.run(Reloader(prepare=prepare, worker=worker, directories=code_directories(service)).run())


def code_directories(service: Service) -> list[Path]:
    """Return the directories whose files a worker of the service imports: its own `src` and those of the libraries."""
    found: list[Path] = []
    for name in (service.module, *_LIBRARIES):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            found.append(Path(next(iter(spec.submodule_search_locations))))
    return found


class Reloader:
    """One worker at a time, of the newest code that starts."""

    def __init__(self, *, prepare: ProcessSpec, worker: ProcessSpec, directories: Iterable[Path]) -> None:
        self._prepare = prepare
        self._worker = worker
        self._directories = list(directories)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start, watch, stop, start, ... until SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        changes = awatch(
            *self._directories, watch_filter=_is_code, debounce=_DEBOUNCE_MILLISECONDS, stop_event=self._stopping
        )
        # The watch begins before the start: a change during it is not lost.
        next_change = asyncio.create_task(anext(changes, None))
        _say(f"watching {', '.join(str(directory) for directory in self._directories)}")
        while not self._stopping.is_set():
            current = asyncio.create_task(self._one_version())
            await asyncio.wait({next_change})
            changed = next_change.result()
            current.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                # Only when the old process is gone does this return, so that two versions never poll together.
                await current
            if changed is None:
                break
            _say(f"changed: {', '.join(sorted({Path(path).name for _, path in changed}))}; starting the new code")
            next_change = asyncio.create_task(anext(changes, None))

    async def _one_version(self) -> None:
        """Prepare and run the worker until it ends or is cancelled, and say how it ended."""
        if await _run(self._prepare) != 0:
            _say("the new code cannot prepare its database, see above; waiting for the next change")
            return
        code = await _run(self._worker)
        _say(f"the worker ended with exit code {code}, see above; waiting for the next change")


async def _run(spec: ProcessSpec) -> int:
    """Run a process to its end; when cancelled, stop it and return only when it is gone."""
    process = await asyncio.create_subprocess_exec(
        *bound(spec.command),
        env=dict(spec.environment),
        stdin=asyncio.subprocess.DEVNULL,
        # A group of its own: Ctrl-C reaches us, and we stop the worker in order.
        start_new_session=True,
    )
    try:
        return await process.wait()
    finally:
        await _stop(process, spec.stop_timeout_seconds)


async def _stop(process: Process, timeout_seconds: float) -> None:
    if process.returncode is None:
        kill_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(timeout_seconds):
                await process.wait()
        except TimeoutError:
            _say(f"it did not end within {timeout_seconds:.0f} s of SIGTERM; killing it")
    kill_group(process.pid)
    await process.wait()


def _is_code(_change: Change, path: str) -> bool:
    return path.endswith(_CODE) and "__pycache__" not in path


def _say(text: str) -> None:
    print(f"partner: {text}", file=sys.stderr, flush=True)
