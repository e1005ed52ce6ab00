"""Whether somebody polls a task queue, as far as Temporal can tell."""

import asyncio
import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

# A task that waits longer is the sure sign that nobody takes it: the list of pollers goes on naming the dead.
_LONGEST_WAIT = timedelta(seconds=2)
_CALL_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Poller:
    """Who asked a queue for work, by the identity the SDK gave itself: process id and host."""

    identity: str

    @property
    def is_known_dead(self) -> bool:
        """Whether it was a process of this machine and is gone; of other machines nothing is known."""
        found = re.fullmatch(r"(\d+)@(.+)", self.identity)
        if found is None or found[2] != socket.gethostname():
            return False
        try:
            os.kill(int(found[1]), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


async def queue_problem(client: Client, queue: str) -> str | None:
    """Return why work on the queue would wait, None when somebody takes it.

    Raises:
        RPCError: Temporal cannot tell.
        TimeoutError: it did not tell in time.
    """
    types = {"workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}
    async with asyncio.timeout(_CALL_TIMEOUT_SECONDS):
        problems = await asyncio.gather(*(_problem(client, queue, name, value) for name, value in types.items()))
    return next((problem for problem in problems if problem is not None), None)


async def _problem(client: Client, queue: str, kind: str, queue_type: "TaskQueueType.ValueType") -> str | None:
    description = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=queue_type,
            report_stats=True,
        )
    )
    if not living(description.pollers):
        return f"nobody polls the {kind} tasks of queue {queue}"
    waiting = description.stats.approximate_backlog_count
    since = description.stats.approximate_backlog_age.ToTimedelta()
    if waiting and since > _LONGEST_WAIT:
        return f"{waiting} {kind} tasks of queue {queue} wait, the oldest for {since.total_seconds():.0f} s"
    return None


def living(pollers: Iterable[PollerInfo]) -> list[Poller]:
    """Return the pollers that may be alive: for a minute the server lists those too that are not."""
    found = [Poller(poller.identity) for poller in pollers]
    return [poller for poller in found if not poller.is_known_dead]
