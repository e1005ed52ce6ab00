"""How often something was started: the runs of each workflow id."""

from collections import Counter
from uuid import uuid4

from temporalio.client import Client

from tests.support.waiting import eventually


async def runs_by_id(client: Client) -> Counter[str]:
    """Return how many runs each workflow id of the client's namespace has, of all that was started before.

    The list of workflows is some milliseconds behind: a workflow of our own, started last, says when it has caught up.
    """
    last = f"last-{uuid4().hex}"
    # Nobody polls the queue.
    handle = await client.start_workflow("last", id=last, task_queue=last)

    async def counted() -> Counter[str] | None:
        runs = Counter([run.id async for run in client.list_workflows()])
        return runs if last in runs else None

    runs = await eventually(counted, within_seconds=30, every_seconds=0.2)
    await handle.terminate()
    assert runs is not None
    return Counter({workflow_id: count for workflow_id, count in runs.items() if not workflow_id.startswith("last-")})
