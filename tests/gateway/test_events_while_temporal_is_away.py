"""Whoever follows an operation loses nothing when Temporal goes away in the middle."""

import asyncio
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from platform_gateway.following import following
from tests.gateway.api import new_user_id
from tests.gateway.event_streams import events_of, served_gateway
from tests.gateway.temporal_process import TemporalProcess
from tests.gateway.test_temporal_away import lazily_connected

DETAILS = {"email": "ann@example.com", "name": "Ann"}


@pytest.fixture
def temporal(
    temporal_server: WorkflowEnvironment, temporal_executable: Path, tmp_path: Path
) -> Generator[TemporalProcess]:
    """Return a server of the test's own; stopped at the end."""
    server = TemporalProcess(temporal_executable, tmp_path)
    yield server
    server.stop()


async def test_a_stream_goes_on_when_temporal_is_back(temporal: TemporalProcess) -> None:
    await temporal.start()
    async with served_gateway(await lazily_connected(temporal.address)) as gateway:
        path = f"/v1/users/{new_user_id()}/onboarding"
        workflow_id = (await gateway.http.post(path, json=DETAILS)).json()["workflowId"]
        async with asyncio.timeout(40), gateway.stream(workflow_id) as response:
            events = events_of(response)
            told = [await anext(events)]
            temporal.stop()
            await asyncio.sleep(1)
            client = await temporal.start()
            await client.get_workflow_handle(workflow_id).terminate("seen to")
            told += [event async for event in events]

    assert [event.name for event in told] == ["started", "closed"]


async def test_a_stream_ends_when_temporal_stays_away_and_is_gone_on_with_later(
    temporal: TemporalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AWAY_SECONDS", 1)
    await temporal.start()
    async with served_gateway(await lazily_connected(temporal.address)) as gateway:
        path = f"/v1/users/{new_user_id()}/onboarding"
        workflow_id = (await gateway.http.post(path, json=DETAILS)).json()["workflowId"]
        async with asyncio.timeout(40), gateway.stream(workflow_id) as response:
            events = events_of(response)
            told = [await anext(events)]
            temporal.stop()
            stopped_at = time.monotonic()
            told += [event async for event in events]
            ended_after = time.monotonic() - stopped_at
        client = await temporal.start()
        await client.get_workflow_handle(workflow_id).terminate("seen to")
        told += await gateway.told(workflow_id, told[-1].id)

    assert [event.name for event in told] == ["started", "closed"]
    assert ended_after >= 1
