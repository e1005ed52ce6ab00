"""What the workflow tests of the payment service share."""

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.namespaces import new_namespace


@pytest.fixture(scope="session")
async def own_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace of their own: the queue of user has one name."""
    return await new_namespace(temporal_server)
