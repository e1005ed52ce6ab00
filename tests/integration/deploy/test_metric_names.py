"""The alerts ask for metrics that a worker really has: a name that nobody writes would never fire."""

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from platform_contracts.user.notification import WORKFLOW_TYPE, NotificationInput
from tests.architecture.members import ROOT
from tests.support.namespaces import new_namespace
from tests.support.platform import free_ports
from tests.support.waiting import eventually


async def test_worker_has_every_metric_that_an_alert_asks_for(
    temporal_server: WorkflowEnvironment, tmp_path: Path
) -> None:
    client = await new_namespace(temporal_server)
    (port,) = free_ports(1)
    environment = os.environ | {
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
        "PARTNER_HOME": str(tmp_path),
        "USER_INTERNAL_PORT": str(port),
        "OTEL_TRACES_EXPORTER": "none",
    }
    command = [sys.executable, "-m", "user_service"]
    prepare = await asyncio.create_subprocess_exec(*command, "prepare", env=environment)
    assert await asyncio.wait_for(prepare.wait(), 30) == 0
    asked_for = set(
        re.findall(r"\b(?:temporal|platform)_[a-z_]+", (ROOT / "deploy/prometheus/alerts.yaml").read_text())
    )

    worker = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        await _work_that_ends_in_every_way(client)

        async def missing() -> set[str]:
            async with httpx.AsyncClient() as http:
                text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            return asked_for - {line.partition("{")[0] for line in text.splitlines()}

        async def all_there() -> bool:
            return not await missing()

        await eventually(all_there, within_seconds=15)
    finally:
        worker.terminate()
        await asyncio.wait_for(worker.wait(), 20)

    assert asked_for >= {"temporal_workflow_failed_total", "temporal_workflow_task_execution_failed_total"}


async def _work_that_ends_in_every_way(client: Client) -> None:
    async with asyncio.timeout(30):
        await _notify(client, "info")
        with pytest.raises(WorkflowFailureError):
            await _notify(client, "sms")
    # A type that the worker does not know: its task fails, again and again.
    await client.start_workflow("user.Unknown", id="unknown", task_queue="user")


async def _notify(client: Client, kind: str) -> None:
    notification = NotificationInput(tenant="demo", notification_id=kind, user_id="u", message="Hello", type=kind)
    await client.execute_workflow(WORKFLOW_TYPE, notification, id=kind, task_queue="user")
