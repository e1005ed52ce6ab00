"""What operators do on a server that can pause whole workflows, as the dev server cannot.

Run by `python3 noxfile.py compose`, which has that server.
"""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.client import Client

from deploy.rehearsal.programs import TEMPORAL_SERVER
from platform_cli.tools.finder import find_or_get
from tests.gateway.api import blocked_with, status_when
from tests.gateway.newer_server import newer_server
from tests.gateway.stubs import RETRIES, WAITS, stub_worker
from tests.gateway.tenants import listed_when, onboarding_of, own_tenant

WHY = {"reason": "a test"}


@pytest.fixture
async def newer(tmp_path: Path) -> AsyncGenerator[Client]:
    """Return a client of a newer server, with the stubs behind it."""
    async with newer_server(find_or_get(TEMPORAL_SERVER), tmp_path) as client, stub_worker(client):
        yield client


# Where the rehearsal has pulled its images, the server is built here first, once.
@pytest.mark.timeout(900)
async def test_whole_operations_are_paused_listed_and_resumed(newer: Client) -> None:
    """A paused operation says so, is in the list, and goes on once it is resumed."""
    async with own_tenant(newer) as api:
        waits, retries = await onboarding_of(api, WAITS), await onboarding_of(api, RETRIES)
        await status_when(api, waits, lambda status: status["progress"] is not None, within_seconds=20)
        await status_when(api, retries, blocked_with("reason"), within_seconds=20)
        paused = [await api.post(f"/v1/operations/{each}/pause", json=WHY) for each in (waits, retries, retries)]
        held = [(await api.get(f"/v1/operations/{each}")).json() for each in (waits, retries)]
        listed = await listed_when(api, "blocked=true", count=2)
        retried = await api.post(f"/v1/operations/{retries}/retry", json=WHY)
        resumed = [await api.post(f"/v1/operations/{each}/resume", json=WHY) for each in (waits, retries)]
        moving = (await api.get(f"/v1/operations/{waits}")).json()
        again = await api.post(f"/v1/operations/{waits}/resume", json=WHY)

    assert {(answer.status_code, answer.json()["status"]) for answer in paused} == {(200, "PAUSED")}
    assert all(answer.json()["activities"] == [] for answer in paused)
    assert {(status["status"], status["blockedBy"]["reason"]) for status in held} == {("PAUSED", "paused")}
    assert {each["blockedBy"]["reason"] for each in listed["operations"]} == {"paused"}
    assert (retried.status_code, retried.json()["type"]) == (409, "nothing_to_retry")
    assert {answer.status_code for answer in resumed} == {200}
    assert (moving["status"], moving["blockedBy"]) == ("RUNNING", None)
    assert again.json()["type"] == "not_paused"
