import os
import socket
import subprocess
import sys

from temporalio.api.taskqueue.v1 import PollerInfo

from platform_cli.commands.queue_check import living


def pollers(*identities: str) -> list[PollerInfo]:
    return [PollerInfo(identity=identity) for identity in identities]


def test_poller_whose_process_is_gone_does_not_count() -> None:
    # The server lists it for a minute.
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    found = living(pollers(f"{gone.pid}@{socket.gethostname()}", f"{os.getpid()}@{socket.gethostname()}"))

    assert [poller.identity for poller in found] == [f"{os.getpid()}@{socket.gethostname()}"]


def test_poller_of_another_machine_or_with_a_name_of_its_own_counts() -> None:
    found = living(pollers("999999999@elsewhere", "worker-of-the-user-team"))

    assert len(found) == 2
