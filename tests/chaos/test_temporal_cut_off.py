"""For half a minute Temporal hears requests and its responses are lost: all are answered, and nothing runs twice."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.gateway.gateway_process import running_gateway
from tests.support.namespaces import new_namespace
from tests.support.platform import new_id
from tests.support.run_counts import runs_by_id
from tests.support.toxiproxy import FaultProxy, fault_proxy
from tests.support.waiting import eventually

POSTS = 200
CUT_SECONDS = 30.0
POSTED_WITHIN_SECONDS = 33.0
"""From a second before the cut to some seconds after it."""
ANSWERED_WITHIN_SECONDS = 5.0
RETRIED_WITHIN_SECONDS = 30


@pytest.fixture
async def temporal(temporal_server: WorkflowEnvironment) -> Client:
    """Return a client of a namespace whose user queue nobody polls."""
    return await new_namespace(temporal_server)


@pytest.fixture
async def way(temporal: Client, toxiproxy: None) -> AsyncGenerator[FaultProxy]:
    """Return the gateway's way to Temporal."""
    async with fault_proxy(temporal.service_client.config.target_host) as way:
        yield way


@pytest.fixture
async def gateway(temporal: Client, way: FaultProxy, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of a gateway that reaches Temporal that way, for as many requests at once as there are."""
    async with (
        running_gateway(tmp_path, TEMPORAL_ADDRESS=way.address, TEMPORAL_NAMESPACE=temporal.namespace) as process,
        httpx.AsyncClient(
            base_url=process.url, timeout=40, limits=httpx.Limits(max_connections=POSTS), trust_env=False
        ) as client,
    ):

        async def ready() -> bool:
            return (await client.get("/readyz")).is_success

        await eventually(ready, within_seconds=30)
        yield client


@pytest.mark.timeout(180)
async def test_every_post_is_answered_in_time_and_every_key_is_one_run(
    gateway: httpx.AsyncClient, way: FaultProxy, temporal: Client
) -> None:
    keys = [new_id("key") for _ in range(POSTS)]

    posting = [asyncio.create_task(_posted(gateway, key, number)) for number, key in enumerate(keys)]
    await asyncio.sleep(1)
    await way.lose("downstream")
    await asyncio.sleep(CUT_SECONDS)
    await way.heal()
    answers = await asyncio.gather(*posting)
    retried = await asyncio.gather(*(_retried(gateway, key) for key in keys))

    assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN_SECONDS
    assert {answer.status_code for answer, _ in answers} == {202, 503}
    for (answer, _), again in zip(answers, retried, strict=True):
        assert answer.json()["workflowId"] == again.json()["workflowId"]
        if answer.status_code == 202:
            assert answer.json()["runId"] == again.json()["runId"]
    assert await runs_by_id(temporal) == {answer.json()["workflowId"]: 1 for answer in retried}
    assert len({answer.json()["workflowId"] for answer in retried}) == POSTS


async def _posted(gateway: httpx.AsyncClient, key: str, number: int) -> tuple[httpx.Response, float]:
    """Post in turn, and return the answer and how many seconds it took."""
    await asyncio.sleep(POSTED_WITHIN_SECONDS * number / POSTS)
    before = time.monotonic()
    answer = await _post(gateway, key)
    return answer, time.monotonic() - before


async def _retried(gateway: httpx.AsyncClient, key: str) -> httpx.Response:
    async def accepted() -> httpx.Response | None:
        answer = await _post(gateway, key)
        return answer if answer.status_code == 202 else None

    answer = await eventually(accepted, within_seconds=RETRIED_WITHIN_SECONDS, every_seconds=0.5)
    assert answer is not None
    return answer


async def _post(gateway: httpx.AsyncClient, key: str) -> httpx.Response:
    return await gateway.post(
        "/v1/users/u-1/notifications", json={"message": "Hello", "type": "info"}, headers={"Idempotency-Key": key}
    )
