"""Fixtures of the gateway's tests: the API on a real Temporal server, with or without a worker behind it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.gateway.api import opened_api
from tests.gateway.listing_stubs import listing_stub_worker
from tests.gateway.scheduling import RecordedAudit, new_schedule, new_tenant, partner, scheduling_api
from tests.gateway.stubs import stub_worker
from tests.gateway.views_server import FakeViews, served_views
from tests.support.namespaces import new_namespace
from tests.support.waiting import eventually


@pytest.fixture(scope="session")
async def api(client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API that hardly waits; no worker runs."""
    async with opened_api(client, execute_wait_seconds=0.3) as api:
        yield api


@pytest.fixture
async def worker(client: Client) -> AsyncGenerator[None]:
    """Run the stubs of the user domain."""
    async with stub_worker(client):
        yield


@pytest.fixture(scope="session")
async def patient_api(client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API that waits for results."""
    async with opened_api(client) as api:
        yield api


@pytest.fixture
def served_api(patient_api: httpx.AsyncClient, worker: None) -> httpx.AsyncClient:
    """Return a client of the API with a worker behind it."""
    return patient_api


@pytest.fixture
async def selling_api(patient_api: httpx.AsyncClient, client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API with a listing worker behind it."""
    async with listing_stub_worker(client):
        yield patient_api


@pytest.fixture
async def views() -> AsyncGenerator[FakeViews]:
    """Serve views over HTTP."""
    async with served_views() as views:
        yield views


@pytest.fixture(scope="session")
async def scheduling_client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace without the schedules of others: the platform's have fixed ids."""
    client = await new_namespace(temporal_server)
    handle = client.get_schedule_handle(await new_schedule(client, tenant=new_tenant()))
    # The server's own worker, which answers for schedules, comes up some time after the namespace.
    await eventually(handle.describe, within_seconds=60)
    return client


@pytest.fixture
def tenant() -> str:
    """Return an account of the test's own."""
    return new_tenant()


@pytest.fixture
def audit() -> RecordedAudit:
    """Return what is kept of the decisions that are taken through `operator_api`."""
    return RecordedAudit()


@pytest.fixture
async def operator_api(
    scheduling_client: Client, tenant: str, audit: RecordedAudit
) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the API for somebody of the account who may operate its schedules."""
    async with scheduling_api(scheduling_client, partner(tenant), audit=audit) as api:
        yield api
