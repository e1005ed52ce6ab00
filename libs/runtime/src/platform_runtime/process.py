"""The life of one process: its event loop, its signals, its exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Final, NoReturn

_EXIT_PAUSE_SECONDS: Final = 0.25
"""temporalio aborts now and then when a process exits right after its last call (sdk-python#300)."""


def run_process(main: Callable[[], Coroutine[object, object, int]]) -> NoReturn:
    """Run the coroutine function to its end and leave the process with the exit code it returns.

    The process leaves without the interpreter's own tear-down, in which threads of native libraries can crash it; so
    everything that must be flushed is flushed by `main` itself.
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            code = runner.run(_with_exit_pause(main))
    except KeyboardInterrupt:
        code = 130
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
    except BaseException as error:  # noqa: BLE001 - whatever it was, it is shown, and the process ends
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not there on Windows

    return uvloop.new_event_loop


async def _with_exit_pause(main: Callable[[], Coroutine[object, object, int]]) -> int:
    try:
        return await main()
    finally:
        await asyncio.sleep(_EXIT_PAUSE_SECONDS)


def stop_event() -> asyncio.Event:
    """Return an event that is set by the first SIGTERM or SIGINT; a second one kills the process as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop
