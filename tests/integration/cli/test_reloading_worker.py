import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(120)

WORKER = """
import pathlib, signal, sys, time
notes = pathlib.Path({notes!r})
def tell(what):
    with notes.open("a") as file:
        file.write(what + " {version}\\n")
def stop(*_):
    time.sleep(0.5)  # it drains
    tell("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
tell("start")
time.sleep(100)
"""

RELOADER = """
import os, sys
from pathlib import Path
import asyncio
from platform_cli.commands.reloading_worker import Reloader
from platform_cli.stack.process_spec import ProcessSpec

def spec(*command):
    return ProcessSpec(name="worker", command=command, environment=os.environ, log=Path("/dev/null"), ready=None)

code = Path(sys.argv[1])
asyncio.run(Reloader(
    prepare=spec(sys.executable, "-c", ""), worker=spec(sys.executable, str(code / "worker.py")), directories=[code]
).run())
"""


class Reloading:
    """A worker under the reloader, whose code a test changes."""

    def __init__(self, directory: Path) -> None:
        self.notes = directory / "notes.txt"
        self.notes.write_text("")
        self.code = directory / "code"
        self.code.mkdir()
        self.write("1")
        self.log = (directory / "log.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", RELOADER, str(self.code)], stdout=self.log, stderr=subprocess.STDOUT
        )

    def write(self, version: str, *, code: str = WORKER) -> None:
        (self.code / "worker.py").write_text(code.format(notes=str(self.notes), version=version))

    def wait_for_note(self, note: str) -> list[str]:
        return self._wait(lambda: note in self.events, note)

    def wait_for_text(self, text: str) -> list[str]:
        return self._wait(lambda: text in Path(self.log.name).read_text(), text)

    def _wait(self, is_there: object, what: str) -> list[str]:
        assert callable(is_there)
        deadline = time.monotonic() + 30
        while not is_there():
            assert time.monotonic() < deadline, f"no {what!r} in {self.events}: {Path(self.log.name).read_text()}"
            time.sleep(0.05)
        return self.events

    @property
    def events(self) -> list[str]:
        return self.notes.read_text().splitlines()


@pytest.fixture
def reloading(tmp_path: Path) -> Iterator[Reloading]:
    reloading = Reloading(tmp_path)
    yield reloading
    reloading.process.kill()
    reloading.process.wait()
    reloading.log.close()


def test_change_stops_the_old_version_before_the_new_one_starts(reloading: Reloading) -> None:
    reloading.wait_for_note("start 1")

    reloading.write("2")
    reloading.wait_for_note("start 2")
    reloading.write("3")
    events = reloading.wait_for_note("start 3")

    # Each one had ended before the next one began: no two of them ever polled together.
    assert events == ["start 1", "stop 1", "start 2", "stop 2", "start 3"]


def test_code_that_does_not_start_waits_for_the_next_change(reloading: Reloading) -> None:
    reloading.wait_for_note("start 1")

    reloading.write("2", code="raise SystemExit('it is broken')")
    reloading.wait_for_text("waiting for the next change")
    reloading.write("3")
    events = reloading.wait_for_note("start 3")

    assert events == ["start 1", "stop 1", "start 3"]


def test_end_of_the_reloader_ends_the_worker_in_order(reloading: Reloading) -> None:
    reloading.wait_for_note("start 1")

    reloading.process.send_signal(signal.SIGTERM)
    reloading.process.wait(timeout=30)

    assert reloading.events == ["start 1", "stop 1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process when its parent dies")
def test_reloader_that_is_killed_leaves_no_worker_behind(reloading: Reloading) -> None:
    reloading.wait_for_note("start 1")
    children = Path(f"/proc/{reloading.process.pid}/task/{reloading.process.pid}/children").read_text().split()

    os.kill(reloading.process.pid, signal.SIGKILL)
    reloading.process.wait(timeout=10)

    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
