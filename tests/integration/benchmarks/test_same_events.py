"""The bare program that the purchase is measured against makes the events of the purchase."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import user_service.worker
from benchmarks.bare_purchase import QUEUE_PREFIX, BarePurchase, Order
from benchmarks.bare_worker import registrations
from benchmarks.histories import difference, shape_of
from payment_service.providers.card_acquirer import HttpCardAcquirer
from platform_contracts.task_queues import TaskQueue
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from platform_runtime.sandbox import workflow_runner
from platform_runtime.service_process import Resources
from tests.support.marketplace import LISTING, TENANT, marketplace, workflow_id_of
from user_service.settings import UserSettings

DOMAINS = ("listing", "payment", "user", "analytics")


async def test_bare_purchase_makes_the_events_of_ours(temporal_server: WorkflowEnvironment, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(marketplace(temporal_server, tmp_path))
        bare = await Client.connect(
            temporal_server.client.service_client.config.target_host, namespace=market.client.namespace
        )
        await _start_workers(stack, market.client, bare, tmp_path, HttpCardAcquirer(
            market.acquirer, url=str(market.acquirer.base_url), timeout_seconds=5
        ))  # fmt: skip

        purchase_id = await market.buy()
        assert await market.ended(purchase_id) == "COMPLETED"
        bare_id = f"bare-{uuid4().hex}"
        await bare.execute_workflow(
            BarePurchase.run,
            Order(TENANT, bare_id, "ada", TENANT, LISTING, 1, "tok_ok"),
            id=bare_id,
            task_queue=f"{QUEUE_PREFIX}listing",
        )

        shapes = [await shape_of(bare, each) for each in (workflow_id_of(purchase_id), bare_id)]
    assert difference(*shapes) is None, difference(*shapes)
    assert sum("ACTIVITY_TASK_SCHEDULED" in each for each in shapes[1]) == 6 + 2 * 3


def test_difference_marks_the_lines_that_differ() -> None:
    shown = difference(["STARTED", "TIMER_STARTED", "COMPLETED"], ["STARTED", "COMPLETED"])

    assert shown is not None
    assert [line[0] for line in shown.splitlines()] == [" ", "!", "!"]


async def _start_workers(
    stack: AsyncExitStack, client: Client, bare: Client, home: Path, acquirer: HttpCardAcquirer
) -> None:
    """Start the user service, which the marketplace does without, and the bare program."""
    databases: dict[str, Database] = {}
    for domain in DOMAINS:
        url = f"sqlite:///{home / domain}.sqlite3"
        await asyncio.to_thread(migrate, url, f"{domain}_service.persistence.migrations")
        databases[domain] = await stack.enter_async_context(Database.opened(url))
    user = await user_service.worker.build(
        Resources(settings=UserSettings(), database=databases["user"], service_token=None, stack=stack)
    )
    await stack.enter_async_context(
        Worker(
            client,
            task_queue=TaskQueue.USER,
            workflows=user.workflows,
            activities=user.activities,
            workflow_runner=workflow_runner(),
        )
    )
    for domain in DOMAINS:
        runs = registrations(domain, databases[domain], acquirer)
        worker = Worker(
            bare, task_queue=f"{QUEUE_PREFIX}{domain}", workflows=runs.workflows, activities=runs.activities
        )
        await stack.enter_async_context(worker)
