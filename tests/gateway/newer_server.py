"""A Temporal server that is newer than the dev server, and can pause whole workflows."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from tests.support.network import free_port

_READY_WITHIN_SECONDS = 60
_NAMESPACE = "default"
_PORTS = (
    "FRONTEND_GRPC_PORT",
    "FRONTEND_HTTP_PORT",
    "FRONTEND_MEMBERSHIP_PORT",
    "HISTORY_GRPC_PORT",
    "HISTORY_MEMBERSHIP_PORT",
    "MATCHING_GRPC_PORT",
    "MATCHING_MEMBERSHIP_PORT",
    "WORKER_GRPC_PORT",
    "WORKER_MEMBERSHIP_PORT",
)


@asynccontextmanager
async def newer_server(executable: Path, directory: Path) -> AsyncGenerator[Client]:
    """Run the server on SQLite with pausing switched on; yield a client of it."""
    dynamic = directory / "dynamic.yaml"
    dynamic.write_text("frontend.WorkflowPauseEnabled:\n  - value: true\n")
    ports = {name: str(free_port()) for name in _PORTS}
    variables = {
        **ports,
        "DB": "sqlite",
        "DBNAME": str(directory / "temporal.db"),
        "VISIBILITY_DBNAME": str(directory / "visibility.db"),
        "NUM_HISTORY_SHARDS": "1",
        "BIND_ON_IP": "127.0.0.1",
        "TEMPORAL_BROADCAST_ADDRESS": "127.0.0.1",
        "PROMETHEUS_ENDPOINT": f"127.0.0.1:{free_port()}",
        "TEMPORAL_ALLOW_NO_AUTH": "true",
        "DYNAMIC_CONFIG_FILE_PATH": str(dynamic),
    }
    process = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond
        [str(executable), "start"],
        env=variables,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_READY_WITHIN_SECONDS):
            client = await _ready(f"127.0.0.1:{ports['FRONTEND_GRPC_PORT']}")
        yield client
    finally:
        process.kill()
        process.wait(10)


async def _ready(address: str) -> Client:
    retention = Duration(seconds=24 * 3600)
    request = RegisterNamespaceRequest(namespace=_NAMESPACE, workflow_execution_retention_period=retention)
    is_registered = False
    while True:
        try:
            client = await Client.connect(address, namespace=_NAMESPACE, data_converter=pydantic_data_converter)
            if not is_registered:
                await client.workflow_service.register_namespace(request)
                is_registered = True
            await client.count_workflows("WorkflowType = 'none'")
        except (RuntimeError, RPCError):
            # It starts, or has not learnt of its namespace yet.
            await asyncio.sleep(0.1)
        else:
            return client
