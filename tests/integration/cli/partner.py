"""The command `partner` as a test runs it: a real process, with stand-ins for the platform's processes."""

import os
import subprocess
import sys
import time
from pathlib import Path

from platform_cli.stack.status import StackStatus
from tests.support.network import free_row

STAND_INS = Path(__file__).with_name("stand_ins")
_COMMAND_TIMEOUT_SECONDS = 50.0


class Partner:
    """One PARTNER_HOME with ports of its own."""

    def __init__(self, directory: Path, *, temporal: Path) -> None:
        self.home = directory / "home"
        self.notes = directory / "notes"
        self.notes.mkdir()
        mailpit = directory / "mailpit"
        mailpit.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_INS / "mailpit.py"} "$@"\n')
        mailpit.chmod(0o755)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "OTEL_"))}
        ports = {name: str(free_row(1)) for name in _PORTS}
        # Its neighbour is for the second instance.
        ports["USER_INTERNAL_PORT"] = str(free_row(2))
        self.environment = inherited | ports | {
            "PARTNER_HOME": str(self.home),
            "PARTNER_TEMPORAL_BIN": str(temporal),
            "PARTNER_MAILPIT_BIN": str(mailpit),
            "TEMPORAL_ADDRESS": f"127.0.0.1:{free_row(1)}",
            "OTEL_SDK_DISABLED": "true",
            "PYTHONPATH": str(STAND_INS),
            "STAND_IN_DIRECTORY": str(self.notes),
        }  # fmt: skip

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "platform_cli", *arguments],
            env=self.environment | environment,
            cwd=self.notes,
            capture_output=True,
            text=True,
            timeout=_COMMAND_TIMEOUT_SECONDS,
            check=False,
        )

    def spawn(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "platform_cli", *arguments],
            env=self.environment,
            cwd=self.notes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def state(self) -> StackStatus:
        return StackStatus.model_validate_json((self.home / "state.json").read_text())

    @property
    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in self.state.processes if process.pid is not None}

    def events(self, what: str) -> list[str]:
        """Return the names of the stand-ins to which that happened, in its order."""
        lines = (self.notes / "events.txt").read_text().splitlines()
        return [line.split()[0] for line in lines if line.endswith(f" {what}")]


def wait_until_gone(pids: list[int], *, within_seconds: float) -> list[int]:
    """Return which of the processes still run when time is up."""
    deadline = time.monotonic() + within_seconds
    while (running := [pid for pid in pids if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def _runs(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    # A zombie runs no more; who takes its exit code is not our business.
    return bool(shown.strip()) and not shown.startswith("Z")


_PORTS = (
    "TEMPORAL_UI_PORT",
    "MAILPIT_SMTP_PORT",
    "MAILPIT_UI_PORT",
    "ACQUIRER_PORT",
    "GATEWAY_PORT",
    "GATEWAY_INTERNAL_PORT",
    "PAYMENT_INTERNAL_PORT",
    "LISTING_INTERNAL_PORT",
    "ANALYTICS_INTERNAL_PORT",
)
