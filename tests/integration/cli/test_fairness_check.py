"""The doctor finds out whether tenants take turns, on a real server with and without what makes them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from platform_cli.commands.fairness_check import fairness_problem
from platform_cli.tools import temporal_server as dev_server
from tests.support.waiting import eventually


@pytest.fixture
async def unfair_client(temporal_executable: Path) -> AsyncGenerator[Client]:
    """Return a client of a server without them; its one partition makes it first in, first out."""
    async with await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType]
        dev_server_existing_path=str(temporal_executable),
        dev_server_extra_args=[
            argument
            for value in dev_server.DYNAMIC_CONFIG
            if "Matcher" not in value and "Fairness" not in value
            for argument in ("--dynamic-config-value", value)
        ],
        dev_server_log_level="error",
    ) as environment:
        yield environment.client


async def test_our_server_lets_tenants_take_turns(client: Client) -> None:
    problem = await fairness_problem(client)

    assert problem is None


async def test_a_server_that_ignores_fairness_keys_is_found(unfair_client: Client) -> None:
    problem = await fairness_problem(unfair_client)

    assert problem is not None
    assert problem.startswith("fairness keys are ignored: a tenant with 2 tasks was served")


async def test_the_probe_leaves_nothing_behind(client: Client) -> None:
    await fairness_problem(client)

    async def gone() -> bool:
        return (await client.count_workflows("WorkflowType = 'platform.FairnessProbe'")).count == 0

    # Until the listing has seen them all; before that none is as good as gone.
    await asyncio.sleep(1)
    assert await eventually(gone, within_seconds=20)
