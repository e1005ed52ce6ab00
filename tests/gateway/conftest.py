"""Fixtures of the gateway's tests: the API on a real Temporal server, with or without a worker behind it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import opened_api
from tests.gateway.listing_stubs import listing_stub_worker
from tests.gateway.stubs import stub_worker
from tests.gateway.views_server import FakeViews, served_views


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
