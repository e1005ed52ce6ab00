"""A real Temporal dev server for the whole session, and what a test needs to run a workflow on it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from platform_cli.errors import ToolUnavailableError
from platform_cli.tools import temporal_server as dev_server
from tests import tools

_EXECUTABLE = pytest.StashKey[Path | ToolUnavailableError]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Get the server before the first test that needs it: to build it takes longer than any test may."""
    needed = any(
        "temporal_executable" in item.fixturenames for item in session.items if isinstance(item, pytest.Function)
    )
    if needed and not session.config.option.collectonly:
        try:
            session.config.stash[_EXECUTABLE] = dev_server.executable()
        except ToolUnavailableError as unavailable:
            session.config.stash[_EXECUTABLE] = unavailable


@pytest.fixture(scope="session")
def temporal_executable(request: pytest.FixtureRequest) -> Path:
    """Return the path of the `temporal` program; skips when there is no way to get one."""
    found = request.config.stash[_EXECUTABLE]
    if isinstance(found, ToolUnavailableError):
        tools.missing(str(found))
    return found


@pytest.fixture(scope="session")
async def temporal_server(temporal_executable: Path) -> AsyncGenerator[WorkflowEnvironment]:
    """Start a private dev server, in memory, on a random port."""
    # No port is named: on a taken one this would silently use the server that is there.
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        data_converter=pydantic_data_converter,
        dev_server_existing_path=str(temporal_executable),
        dev_server_extra_args=dev_server.tuning_arguments(database_file=False),
        dev_server_log_level="error",
    ) as environment:
        yield environment


@pytest.fixture(scope="session")
async def client(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of the dev server that speaks pydantic."""
    return temporal_server.client


@pytest.fixture
def task_queue() -> str:
    """Return a queue that no other test polls."""
    return f"test-{uuid4().hex[:12]}"
