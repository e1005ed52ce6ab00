"""The life of a supervisor process: lock, plan, control socket, signals, and a stop in order."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from platform_cli.errors import StackError
from platform_cli.services import service_named
from platform_cli.settings import StackSettings
from platform_cli.stack.control import Answer, Request, listening
from platform_cli.stack.home import Home
from platform_cli.stack.leftovers import end_leftovers
from platform_cli.stack.plan import Plan, check_ports, make_plan
from platform_cli.stack.status import Phase, StackStatus
from platform_cli.stack.supervisor import Supervisor


class Reporter(Protocol):
    """Tells a person what happens."""

    def event(self, name: str, text: str, lines: list[str]) -> None:
        """Something happened to a process."""
        ...

    def up(self, status: StackStatus) -> None:
        """Everything is ready."""
        ...


def run_stack(settings: StackSettings, workers: Mapping[str, int], reporter: Reporter) -> None:
    """Bring a stack up and keep it up until SIGINT, SIGTERM, SIGHUP or `partner down`; then take it down.

    Call it in the main thread of a process of its own.

    Raises:
        StackError: one runs already, or it did not come up; then nothing of it is left running.
    """
    home = Home(settings.partner_home)
    home.create()
    with home.supervised():
        for name in end_leftovers(home):
            reporter.event(name, "was left running by a supervisor that was killed; ended it", [])
        try:
            plan = make_plan(settings, workers)
            check_ports(plan)
            asyncio.run(_run(plan, reporter))
        except StackError as error:
            _write_state(home, _failed(str(error)))
            raise


async def _run(plan: Plan, reporter: Reporter) -> None:
    stop = asyncio.Event()
    supervisor = Supervisor(plan, on_event=reporter.event, on_change=lambda status: _write_state(plan.home, status))
    _write_state(plan.home, supervisor.snapshot())
    killing: list[asyncio.Task[None]] = []

    def on_signal() -> None:
        if stop.is_set():
            reporter.event("supervisor", "asked twice: killing what still runs", [])
            killing.append(asyncio.create_task(supervisor.kill()))
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    async with listening(plan.home, _answering(supervisor, stop)):
        await _up_until(stop, supervisor, lambda: reporter.up(supervisor.snapshot()))
    reporter.event("supervisor", "everything is stopped", [])


async def _up_until(stop: asyncio.Event, supervisor: Supervisor, on_up: Callable[[], None]) -> None:
    starting = asyncio.create_task(supervisor.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            on_up()
            await stopping
    finally:
        await supervisor.stop()
        stopping.cancel()
        # A start that was interrupted ends with an error of its own, which nobody needs.
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


def _answering(supervisor: Supervisor, stop: asyncio.Event) -> Callable[[Request], Awaitable[Answer]]:
    async def answer(request: Request) -> Answer:
        if request.command == "stop":
            stop.set()
            return Answer()
        if request.command == "scale":
            for name, instances in request.workers.items():
                await supervisor.scale(service_named(name), instances)
        return Answer(status=await supervisor.status())

    return answer


def _write_state(home: Home, status: StackStatus) -> None:
    """Leave the status where it can be read without the supervisor: after it has died, or failed to start."""
    draft = home.state.with_suffix(".new")
    draft.write_text(status.model_dump_json(indent=2))
    draft.replace(home.state)


def _failed(error: str) -> StackStatus:
    return StackStatus(phase=Phase.DOWN, supervisor_pid=os.getpid(), processes=[], used=[], urls={}, error=error)
