"""The gateway's own worker: it carries out bulk operations, in every gateway process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version

from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import Worker

from platform_gateway.bulk.activities import BulkActivities
from platform_gateway.bulk_contract import TASK_QUEUE
from platform_gateway.workflows.bulk_operation import BulkOperationWorkflow
from platform_runtime.logs import get_logger
from platform_runtime.sandbox import workflow_runner
from platform_runtime.settings import TemporalSettings
from platform_runtime.temporal_client import connect_when_there

_AGAIN_AFTER_SECONDS = 5.0

_log = get_logger(__name__)


def bulk_worker(client: Client) -> Worker:
    """Return a worker for bulk operations; it takes little, for clients come first."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[BulkOperationWorkflow],
        activities=[BulkActivities(client).operate],
        workflow_runner=workflow_runner(),
        # Without a name for this build the SDK hashes every loaded module, which takes a worker 2 s at each start.
        build_id=f"platform-gateway {version('platform-gateway')}",
        max_cached_workflows=20,
        max_concurrent_workflow_tasks=5,
        max_concurrent_activities=10,
        max_concurrent_workflow_task_polls=2,
        max_concurrent_activity_task_polls=2,
        graceful_shutdown_timeout=timedelta(seconds=5),
    )


@asynccontextmanager
async def working_on_bulk_operations(settings: TemporalSettings, *, runtime: Runtime | None) -> AsyncGenerator[None]:
    """Carry out bulk operations while the block runs, from when Temporal is there; the block never waits for it."""
    stop = asyncio.Event()
    working = asyncio.create_task(_work(settings, runtime, stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def _work(settings: TemporalSettings, runtime: Runtime | None, stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        # A worker wants a client that has connected; the one of the routes connects with its first call.
        connecting = asyncio.create_task(connect_when_there(settings, runtime=runtime))
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            connecting.cancel()
            return
        try:
            worker = bulk_worker(connecting.result())
            running = asyncio.create_task(worker.run())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await worker.shutdown()
            await running
        except Exception:  # noqa: BLE001 - the gateway answers requests all the same; bulk operations wait
            _log.exception("bulk_worker.failed", again_after_seconds=_AGAIN_AFTER_SECONDS)
            await asyncio.wait({stopping}, timeout=_AGAIN_AFTER_SECONDS)
