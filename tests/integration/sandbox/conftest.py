"""One acquirer for all tests that do not end it; each uses operations of its own."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import pytest

from tests.integration.sandbox.acquirer_process import AcquirerProcess, running_acquirer


@pytest.fixture(scope="session")
async def acquirer_process(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[AcquirerProcess]:
    """Return an acquirer that runs."""
    async with running_acquirer(tmp_path_factory.mktemp("acquirer"), slow_seconds=0.5) as process:
        yield process


@pytest.fixture
async def acquirer(acquirer_process: AcquirerProcess) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of it; faults end with the test."""
    async with httpx.AsyncClient(base_url=acquirer_process.url, timeout=10, trust_env=False) as client:
        yield client
        await client.delete("/v1/faults")


@pytest.fixture
def operation() -> str:
    """Return the name of an operation that nobody else uses."""
    return f"acme.{uuid4().hex[:12]}"
