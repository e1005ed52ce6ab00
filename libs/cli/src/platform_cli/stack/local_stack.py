"""The local stack for other commands: make sure that it runs, know where everything is, stop what was started.

stack = LocalStack(stack_settings())
status = stack.ensure_running()      # starts a supervisor in the background unless one runs
status.urls["gateway"]               # also: api, temporal, traces, mail
stack.started                        # whether this call started it
stack.stop_what_was_started()        # a stack that ran before stays
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from platform_cli.bytecode import with_bytecode
from platform_cli.errors import StackError
from platform_cli.settings import StackSettings
from platform_cli.stack.control import Request, ask
from platform_cli.stack.home import Home
from platform_cli.stack.plan import check_ports, make_plan
from platform_cli.stack.status import Phase, StackStatus
from platform_cli.stack.supervised_process import State

SUPERVISOR_LOG = "supervisor"

_START_TIMEOUT_SECONDS = 240.0
_STOP_TIMEOUT_SECONDS = 90.0
_POLL_SECONDS = 0.05


class LocalStack:
    """The stack of one PARTNER_HOME, seen from a process that is not its supervisor."""

    def __init__(self, settings: StackSettings) -> None:
        self.home = Home(settings.partner_home)
        self.started = False
        """Whether `ensure_running` of this object started the stack."""
        self._settings = settings

    @property
    def is_running(self) -> bool:
        """Whether a supervisor of this home is alive; perhaps not everything is ready."""
        return self.home.is_supervised()

    def status(self) -> StackStatus:
        """Return how everything is, each process asked at this moment.

        Raises:
            StackError: no stack runs.
        """
        answer = ask(self.home, Request(command="status"))
        if answer.status is None:
            raise StackError(answer.error or "the supervisor gave no status")
        return answer.status

    def ensure_running(
        self, workers: Mapping[str, int] | None = None, *, on_ready: Callable[[str], None] = lambda _name: None
    ) -> StackStatus:
        """Return once everything is ready: a stack that runs is waited for, else one is started in the background.

        `on_ready` is called with the name of each process once it is ready.

        Missing tools are fetched or built first, with progress on standard error; a warm start takes seconds.

        Raises:
            StackError: what is not ready, and why; a stack that this call started is stopped again.
        """
        if self.is_running:
            return self._wait_until_ready(None, on_ready)
        # Here as well as in the supervisor, so that this terminal shows the progress and gets the errors at once.
        check_ports(make_plan(self._settings, workers or {}))
        process = self._spawn_supervisor(workers or {})
        self.started = True
        try:
            return self._wait_until_ready(process, on_ready)
        except BaseException:
            # One that ended by itself left nothing; what runs now, if anything, somebody else has started.
            self.started = process.poll() is None
            self.stop_what_was_started()
            raise

    def stop_what_was_started(self) -> None:
        """Stop the stack if `ensure_running` of this object started it; a repeat does nothing.

        Raises:
            StackError: it did not end in time.
        """
        if self.started:
            self.stop()
            self.started = False

    def stop(self) -> bool:
        """Stop the stack, whoever started it, and wait until it is gone; return False if none ran.

        Raises:
            StackError: it did not end in time.
        """
        if not self.is_running:
            return False
        # It may end between the question and the request.
        with contextlib.suppress(StackError):
            ask(self.home, Request(command="stop"))
        deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
        while self.is_running:
            if time.monotonic() > deadline:
                raise StackError(f"the stack did not end in time: see {self.home.log_of(SUPERVISOR_LOG)}")
            time.sleep(_POLL_SECONDS)
        return True

    def scale(self, workers: Mapping[str, int]) -> StackStatus:
        """Have that many workers of each named service, and return once they are ready.

        Raises:
            StackError: no stack runs, or a worker did not become ready.
        """
        answer = ask(self.home, Request(command="scale", workers=dict(workers)))
        if answer.error is not None or answer.status is None:
            raise StackError(answer.error or "the supervisor gave no status")
        return answer.status

    def _spawn_supervisor(self, workers: Mapping[str, int]) -> "subprocess.Popen[bytes]":
        options = [f"--workers={name}={count}" for name, count in workers.items()]
        with self.home.log_of(SUPERVISOR_LOG).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "platform_cli", "up", *options],
                env=with_bytecode(dict(os.environ)) | {"PARTNER_HOME": str(self.home.directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(
        self, process: "subprocess.Popen[bytes] | None", on_ready: Callable[[str], None]
    ) -> StackStatus:
        told: set[str] = set()
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                raise StackError(self._last_error())
            if process is None and not self.is_running:
                raise StackError(f"the stack of {self.home.directory} has just ended: start it again")
            status = self._last_status()
            # What an earlier run left in the file is not an answer to this one.
            if status is not None and (process is None or status.supervisor_pid == process.pid):
                for name in (each.name for each in status.processes if each.state is State.READY):
                    if name not in told:
                        told.add(name)
                        on_ready(name)
                if status.phase is Phase.UP:
                    return self._ready()
            time.sleep(_POLL_SECONDS)
        raise StackError(f"the stack was not ready in time: see {self.home.log_of(SUPERVISOR_LOG)}")

    def _last_status(self) -> StackStatus | None:
        """Return what the state file says: it is written at every change, and there before the socket is."""
        try:
            return StackStatus.model_validate_json(self.home.state.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _ready(self) -> StackStatus:
        status = self.status()
        for process in status.processes:
            if process.problem is not None or process.state is not State.READY:
                reason = process.problem or f"it is {process.state}, see {process.log}"
                raise StackError(f"{process.name} is not ready: {reason}")
        return status

    def _last_error(self) -> str:
        status = self._last_status()
        if status is not None and status.error is not None:
            return status.error
        return f"the supervisor ended at once: see {self.home.log_of(SUPERVISOR_LOG)}"
