import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from platform_cli.errors import StackError
from platform_cli.stack.process_spec import ProcessSpec
from platform_cli.stack.supervised_process import State, SupervisedProcess
from tests.support.waiting import eventually

# It is ready when it has written the file, and it goes on until SIGTERM.
WELL_BEHAVED = """
    import pathlib, signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pathlib.Path("ready").write_text("")
    time.sleep(60)
"""


class Stage:
    """One process in a directory of its own, and what was told about it."""

    def __init__(self, directory: Path, code: str, *, ready_timeout: float = 20, stop_timeout: float = 10) -> None:
        self.directory = directory
        self.told: list[str] = []
        script = directory / "script.py"
        script.write_text(f"import os\nos.chdir({str(directory)!r})\n{dedent(code)}")
        self.process = SupervisedProcess(
            ProcessSpec(
                name="actor",
                command=(sys.executable, str(script)),
                environment=os.environ,
                log=directory / "actor.log",
                ready=self._ready,
                ready_timeout_seconds=ready_timeout,
                stop_timeout_seconds=stop_timeout,
            ),
            on_event=lambda text, lines: self.told.append("\n".join([text, *lines])),
        )

    async def _ready(self) -> str | None:
        return None if (self.directory / "ready").exists() else "it has not written its file"


@asynccontextmanager
async def on_stage(stage: Stage) -> AsyncGenerator[SupervisedProcess]:
    try:
        yield stage.process
    finally:
        await stage.process.stop(kill=True)


def is_alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WELL_BEHAVED)
    async with on_stage(stage) as process:
        await process.start()
        first = process.pid
        assert first is not None

        os.kill(first, signal.SIGKILL)

        async def is_back() -> bool:
            return process.state is State.READY and process.pid not in (None, first)

        await eventually(is_back, within_seconds=15)
        assert process.restarts == 1
        assert any("SIGKILL" in text for text in stage.told)


async def test_crash_loop_at_the_start_gives_up_with_what_the_process_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "print('the database is on fire', flush=True); raise SystemExit(3)")
    async with on_stage(stage) as process:
        with pytest.raises(StackError) as error:
            await process.start()

        assert "exit code 3" in str(error.value)
        assert "the database is on fire" in str(error.value)
        assert process.state is State.FAILED


async def test_crash_loop_later_gives_up_and_tells(tmp_path: Path) -> None:
    code = "import pathlib\nif pathlib.Path('broken').exists(): raise SystemExit('the new code is broken')\n"
    stage = Stage(tmp_path, code + dedent(WELL_BEHAVED))
    async with on_stage(stage) as process:
        await process.start()
        (tmp_path / "ready").unlink()
        (tmp_path / "broken").write_text("")
        assert process.pid is not None

        os.kill(process.pid, signal.SIGKILL)

        async def gave_up() -> bool:
            return process.state is State.FAILED

        await eventually(gave_up, within_seconds=30)
        assert "gave up" in stage.told[-1]
        assert "the new code is broken" in stage.told[-1]


async def test_wrong_setting_is_not_tried_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "raise SystemExit(2)")
    async with on_stage(stage) as process:
        with pytest.raises(StackError, match="exit code 2"):
            await process.start()

        assert process.restarts == 0


async def test_process_that_ends_on_request_is_not_killed(tmp_path: Path) -> None:
    code = WELL_BEHAVED.replace("sys.exit(0)", "(pathlib.Path('drained').write_text(''), sys.exit(0))")
    stage = Stage(tmp_path, code)
    async with on_stage(stage) as process:
        await process.start()

        await process.stop()

        assert (tmp_path / "drained").exists()
        assert process.state is State.STOPPED


async def test_process_that_ignores_the_request_is_killed_when_its_time_is_up(tmp_path: Path) -> None:
    code = WELL_BEHAVED.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
    stage = Stage(tmp_path, code, stop_timeout=0.5)
    async with on_stage(stage) as process:
        await process.start()
        pid = process.pid

        async with asyncio.timeout(15):
            await process.stop()

        assert not is_alive(pid)


async def test_children_of_a_process_do_not_outlive_it(tmp_path: Path) -> None:
    code = """
        import pathlib, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path("child").write_text(str(child.pid))
        pathlib.Path("ready").write_text("")
        time.sleep(60)
    """
    stage = Stage(tmp_path, code)
    async with on_stage(stage) as process:
        await process.start()
        child = int((tmp_path / "child").read_text())

        await process.stop()

        async def is_gone() -> bool:
            # A killed orphan may wait to be reaped by init: then it is a zombie and runs no more.
            return not is_alive(child) or " Z" in _state_of(child)

        await eventually(is_gone, within_seconds=10)


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except FileNotFoundError:
        return ""


async def test_process_that_never_gets_ready_is_said_to_be_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "import time; time.sleep(60)", ready_timeout=0.3)
    async with on_stage(stage) as process:
        with pytest.raises(StackError, match=r"not ready within 0.3 s: it has not written its file"):
            async with asyncio.timeout(30):
                await process.start()

        assert process.pid is None


async def test_stop_during_the_start_is_not_a_hang(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "import time; time.sleep(60)")
    async with on_stage(stage) as process:
        starting = asyncio.create_task(process.start())
        await asyncio.sleep(0.2)

        async with asyncio.timeout(15):
            await process.stop()

        with pytest.raises(StackError, match="was stopped before it was ready"):
            await starting
