"""A namespace of its own for a test that needs the platform's real queues."""

from datetime import timedelta
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.support.waiting import eventually

_RETENTION = timedelta(days=1)


async def new_namespace(server: WorkflowEnvironment) -> Client:
    """Register a namespace and return a client of it."""
    name = f"test-{uuid4().hex[:12]}"
    retention = Duration(seconds=int(_RETENTION.total_seconds()))
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    await server.client.workflow_service.register_namespace(request)
    client = await Client.connect(
        server.client.service_client.config.target_host, namespace=name, data_converter=pydantic_data_converter
    )

    async def known() -> bool:
        # The server learns of a new namespace from its own cache, some time after it was registered.
        await client.count_workflows("WorkflowType = 'none'")
        return True

    await eventually(known, within_seconds=20)
    return client
