"""The whole supervisor as a real process, with a real Temporal dev server and stand-ins for our own processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_cli.services import SERVICES
from platform_cli.stack.home import Home
from platform_cli.stack.leftovers import end_leftovers
from platform_cli.stack.status import Phase, ProcessStatus, StackStatus
from platform_cli.stack.supervised_process import State
from tests.integration.cli.partner import Partner, wait_until_gone

pytestmark = [
    pytest.mark.timeout(180),
    # Not for the server itself: tests that name it have the tool fetched or built before their time starts to run.
    pytest.mark.usefixtures("temporal_server"),
]


@pytest.fixture
def partner(tmp_path: Path, temporal_executable: Path) -> Iterator[Partner]:
    partner = Partner(tmp_path, temporal=temporal_executable)
    yield partner
    assert partner.run("down").returncode == 0


def test_detached_stack_is_ready_is_shown_is_scaled_and_is_stopped_in_reverse_order(partner: Partner) -> None:
    started = partner.run("up", "--detach", "--workers", "user=2")
    shown = partner.run("status")
    again = partner.run("up", "--detach")
    scaled = partner.run("scale", "user=1")
    names = [process.name for process in partner.state.processes]
    pids = list(partner.pids.values())
    down = partner.run("down")
    shown_after = partner.run("status")

    assert started.returncode == 0, started.stderr
    assert "Everything is ready" in started.stdout
    assert shown.returncode == 0, shown.stdout
    assert "user-2" in shown.stdout
    assert "It was running already" in again.stdout
    assert scaled.returncode == 0, scaled.stderr
    workers = ["user-1", "payment-1", "listing-1", "analytics-1"]
    assert names == ["temporal", "mailpit", "acquirer", *workers, "gateway"]
    assert down.returncode == 0, down.stderr
    assert wait_until_gone(pids, within_seconds=5) == []
    assert set(partner.events("prepare")) == {"gateway", *(service.name for service in SERVICES)}
    assert partner.events("start")[-1] == "gateway"
    # The first stop is that of the second user worker, by `scale`.
    assert partner.events("stop")[:2] == ["user", "gateway"]
    assert shown_after.returncode == 1
    assert "partner up" in shown_after.stderr


def test_foreground_stack_refuses_a_second_one_and_ends_by_ctrl_c(partner: Partner) -> None:
    process = partner.spawn("up")
    try:
        assert process.stdout is not None
        printed = list(_lines_until(process, "Everything is ready"))
        second = partner.run("up")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=40)
    finally:
        process.kill()

    assert any("temporal is ready" in line for line in printed)
    assert second.returncode == 1
    assert "runs already" in second.stderr
    assert process.returncode == 0, rest
    assert "everything is stopped" in rest
    assert partner.state.phase is Phase.DOWN


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process when its parent dies")
def test_supervisor_that_is_killed_leaves_no_orphan_and_the_next_one_starts(partner: Partner) -> None:
    assert partner.run("up", "--detach").returncode == 0
    supervisor, pids = partner.state.supervisor_pid, list(partner.pids.values())

    os.kill(supervisor, signal.SIGKILL)

    assert wait_until_gone([supervisor, *pids], within_seconds=10) == []
    assert partner.run("status").returncode == 1
    again = partner.run("up", "--detach")
    assert again.returncode == 0, again.stderr


def test_stack_that_does_not_come_up_says_what_is_not_ready_and_leaves_nothing_running(partner: Partner) -> None:
    (partner.notes / "gateway.crash").write_text("3")

    started = partner.run("up", "--detach")

    assert started.returncode == 1
    assert started.stderr.startswith("partner: gateway ended (exit code 3)")
    assert "gateway cannot start because of a stand-in fault" in started.stderr
    assert partner.run("status").returncode == 1
    assert sorted(partner.events("stop")) == sorted(["acquirer", *(service.name for service in SERVICES)])


def test_worker_that_crashes_again_and_again_is_given_up_and_started_again_by_scale(partner: Partner) -> None:
    assert partner.run("up", "--detach").returncode == 0
    (partner.notes / "user.crash").write_text("3")
    os.kill(partner.pids["user-1"], signal.SIGKILL)
    deadline = time.monotonic() + 40
    while _state_of(partner, "user-1") is not State.FAILED and time.monotonic() < deadline:
        time.sleep(0.1)

    shown = partner.run("status")
    (partner.notes / "user.crash").unlink()
    scaled = partner.run("scale", "user=1")

    assert shown.returncode == 1
    assert "user-1 gave up" in shown.stdout
    assert scaled.returncode == 0, scaled.stderr
    assert _state_of(partner, "user-1") is State.READY


def test_taken_port_is_one_line_that_names_the_setting(partner: Partner) -> None:
    with socket.create_server(("127.0.0.1", int(partner.environment["GATEWAY_PORT"]))):
        started = partner.run("up", "--detach")

    assert started.returncode == 1
    assert "which gateway wants" in started.stderr
    assert "set GATEWAY_PORT" in started.stderr
    assert started.stderr.count("\n") == 1


def test_task_queue_for_all_services_is_refused(partner: Partner) -> None:
    started = partner.run("up", TEMPORAL_TASK_QUEUE="mine")

    assert started.returncode == 1
    assert started.stderr.startswith("partner: TEMPORAL_TASK_QUEUE")
    assert started.stderr.count("\n") == 1


def test_doctor_names_what_nobody_polls_and_the_command_that_mends_it(partner: Partner) -> None:
    before = partner.run("doctor")
    assert partner.run("up", "--detach").returncode == 0

    # The stand-ins answer on their ports, but poll nothing.
    found = partner.run("doctor")

    assert before.returncode == 1
    assert "-> partner up" in before.stdout
    assert found.returncode == 1
    assert "nobody polls the workflow tasks of queue user" in found.stdout
    assert "-> partner scale user=1" in found.stdout
    assert f"{len(SERVICES)} of " in found.stdout


def test_log_of_a_service_is_found_by_its_name(partner: Partner) -> None:
    (partner.notes / "gateway.crash").write_text("3")
    partner.run("up", "--detach")

    shown = partner.run("logs", "gateway")
    unknown = partner.run("logs", "nobody")

    assert "gateway cannot start because of a stand-in fault" in shown.stdout
    assert unknown.returncode == 1
    assert "user-1" in unknown.stderr


def test_process_that_outlived_a_killed_supervisor_is_ended_by_the_next(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as orphan:
        status = _status_with(orphan.pid, started_at=time.time())
        home.state.write_text(status.model_dump_json())

        ended = end_leftovers(home)

        assert ended == ["user-1"]
        assert orphan.wait(timeout=10) == -signal.SIGKILL


def test_process_that_got_the_number_of_an_old_one_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as stranger:
        home.state.write_text(_status_with(stranger.pid, started_at=time.time() - 3600).model_dump_json())

        ended = end_leftovers(home)

        assert ended == []
        assert stranger.poll() is None
        stranger.kill()


def _lines_until(process: "subprocess.Popen[str]", text: str) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if text in line:
            return


def _state_of(partner: Partner, name: str) -> State:
    return next(process.state for process in partner.state.processes if process.name == name)


def _status_with(pid: int, *, started_at: float) -> StackStatus:
    process = ProcessStatus(
        name="user-1", state=State.READY, pid=pid, started_at=started_at, restarts=0, where="", log=""
    )
    return StackStatus(phase=Phase.UP, supervisor_pid=1, processes=[process], used=[], urls={})
