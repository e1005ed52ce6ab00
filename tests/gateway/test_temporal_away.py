"""Temporal goes away and comes back: every route says so in time, nothing is lost, and the gateway is not restarted."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from platform_contracts.task_queues import TaskQueue
from platform_gateway.commands import Command
from platform_gateway.operations.starting import Started
from platform_gateway.problem_route import MAX_BODY_BYTES
from platform_gateway.workflow_gateway import WorkflowGateway
from platform_runtime.settings import TemporalSettings
from platform_runtime.temporal_client import connect
from tests.gateway.api import LINKS, asked_until, new_user_id, notification, onboarding, opened_api
from tests.gateway.documented_requests import DOCUMENTED, DocumentedRequest, send
from tests.gateway.stubs import stub_worker
from tests.gateway.temporal_process import TemporalProcess, Wire, wire_to
from tests.support.network import free_port
from tests.support.waiting import eventually

ANSWERED_WITHIN_SECONDS = 15
"""Three times the five seconds that are promised."""

DETAILS = {"email": "ann@example.com", "name": "Ann"}
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/api/temporal/notification/start", notification()),
    ("POST", "/api/temporal/onboarding/execute", onboarding()),
    ("GET", "/api/temporal/workflow/demo:user:notification:n/status", None),
    ("POST", "/api/temporal/workflow/demo:user:notification:n/cancel", None),
    ("POST", "/v1/users/u-1/onboarding", DETAILS),
    ("POST", "/v1/users/u-1/notifications", {"message": "a", "type": "info"}),
    ("GET", "/v1/operations/demo:user:notification:n", None),
    ("GET", "/v1/operations/demo:user:notification:n/events", None),
    ("POST", "/v1/operations/demo:user:notification:n/cancel", None),
    ("GET", "/v1/schedules", None),
    ("GET", "/v1/schedules/demo:a:b:c", None),
    ("POST", "/v1/schedules/demo:a:b:c/pause", {"reason": "a"}),
    ("GET", "/readyz", None),
]


async def lazily_connected(address: str) -> Client:
    """Return a client like the process's own, without the global tracer that its plugin needs."""
    settings = TemporalSettings(address=address)
    client = await connect(settings, lazy=True)
    config = client.config()
    config["plugins"] = []
    config["interceptors"] = []
    return Client(**config)


@pytest.fixture
def temporal(
    temporal_server: WorkflowEnvironment, temporal_executable: Path, tmp_path: Path
) -> Generator[TemporalProcess]:
    """Return a server of the test's own; stopped at the end."""
    server = TemporalProcess(temporal_executable, tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def nowhere() -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of a gateway without Temporal."""
    async with opened_api(await lazily_connected(f"127.0.0.1:{free_port()}")) as api:
        yield api


async def _ask_everything(api: httpx.AsyncClient) -> list[httpx.Response]:
    async with asyncio.timeout(ANSWERED_WITHIN_SECONDS):
        return await asyncio.gather(*(api.request(method, path, json=body) for method, path, body in REQUESTS))


def _is_answered(answer: httpx.Response) -> bool:
    return answer.status_code != 503


def _assert_unavailable(answers: list[httpx.Response]) -> None:
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    for answer in answers[:2]:
        assert answer.json()["type"] == "temporal_unavailable"
        assert answer.json()["workflowId"].startswith("demo:user:")


async def test_a_gateway_that_starts_without_temporal_answers_503_on_every_route() -> None:
    client = await lazily_connected(f"127.0.0.1:{free_port()}")

    async with opened_api(client) as api:
        answers = await _ask_everything(api)

        _assert_unavailable(answers)
        assert (await api.get("/livez")).status_code == 200


STARTING = {
    *("startNotification", "executeOnboarding", "onboardUser", "notifyUser"),
    *("draftListing", "submitListing", "archiveListing", "buy"),
    *("payOut", "changePayoutPlan", "redriveProviderEvent"),
}
"""The operations that start a workflow with their first call."""


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda each: each.operation_id)
async def test_without_temporal_who_tried_a_start_is_told_its_id(
    nowhere: httpx.AsyncClient, documented: DocumentedRequest
) -> None:
    answer = await send(nowhere, documented)

    if documented.operation_id in STARTING:
        assert answer.json()["type"] == "temporal_unavailable"
        assert answer.json()["workflowId"].startswith(("demo:", "platform:"))
    elif answer.status_code >= 400:
        assert "workflowId" not in answer.json()
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) > 0
    assert answer.status_code == 503 or documented.operation_id.endswith(("ApiKey", "ApiKeys", "AuditLog", "Schedule"))


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda each: each.operation_id)
async def test_a_body_that_is_too_large_is_refused_before_temporal_is_asked(
    nowhere: httpx.AsyncClient, documented: DocumentedRequest
) -> None:
    too_large = {"content": b" " * (MAX_BODY_BYTES + 1), "headers": {"Content-Type": "application/json"}}

    answer = await send(nowhere, documented, **too_large)

    assert documented.method == "GET" or answer.status_code == 413


async def test_temporal_comes_goes_and_comes_back_and_the_gateway_stays(temporal: TemporalProcess) -> None:
    async with opened_api(await lazily_connected(temporal.address)) as api:
        before = await _ask_everything(api)
        await temporal.start()
        assert (await api.get("/readyz")).status_code == 200
        started = await api.post("/api/temporal/notification/start", json=notification())
        temporal.stop()
        away = await _ask_everything(api)
        own_client = await temporal.start()
        status = await asked_until(lambda: api.get(started.headers["location"]), _is_answered)
        again = await api.post("/api/temporal/notification/start", json=notification())
        config = own_client.config()
        config["data_converter"] = pydantic_data_converter
        async with stub_worker(Client(**config)):
            executed = await api.post("/api/temporal/onboarding/execute", json=onboarding())

    _assert_unavailable(before)
    _assert_unavailable(away)
    assert started.status_code == again.status_code == 202
    assert status.json()["runId"] == started.json()["runId"]
    assert executed.status_code == 200
    assert status.json()["taskQueue"] == TaskQueue.USER


async def test_a_temporal_that_hangs_is_503_on_every_route(temporal: TemporalProcess) -> None:
    await temporal.start()
    async with opened_api(await lazily_connected(temporal.address)) as api:
        assert (await api.get("/readyz")).status_code == 200
        os.kill(temporal.pid, signal.SIGSTOP)
        try:
            answers = await _ask_everything(api)
        finally:
            os.kill(temporal.pid, signal.SIGCONT)

    _assert_unavailable(answers)


@pytest.fixture
def server_address(temporal_server: WorkflowEnvironment) -> str:
    return temporal_server.client.service_client.config.target_host


async def test_a_start_whose_answer_is_lost_is_found_by_the_id_in_the_503(server_address: str) -> None:
    body = onboarding()
    async with wire_to(server_address) as (wire, address), opened_api(await lazily_connected(address)) as api:
        assert (await api.get("/readyz")).status_code == 200
        wire.is_deaf = True
        lost = await api.post(f"/v1/users/{body['userId']}/onboarding", json=DETAILS)
        wire.heal()
        found = await asked_until(lambda: api.get(f"/v1/operations/{lost.json()['workflowId']}"), _is_answered)
        repeated = await api.post(f"/v1/users/{body['userId']}/onboarding", json=DETAILS)

    assert lost.status_code == 503
    assert found.status_code == 200
    assert repeated.status_code == 202
    assert repeated.json()["runId"] == found.json()["runId"]
    assert repeated.headers["idempotent-replayed"] == "true"


async def test_a_start_whose_first_answer_is_lost_is_one_run(server_address: str, client: Client) -> None:
    async with wire_to(server_address) as (wire, address), opened_api(await lazily_connected(address)) as api:
        assert (await api.get("/readyz")).status_code == 200
        wire.is_deaf = True
        posting = asyncio.create_task(
            api.post("/api/temporal/notification/start", json=notification(userId=new_user_id()))
        )
        await asyncio.sleep(0.5)
        wire.heal()
        answer = await posting

    description = await client.get_workflow_handle(answer.json()["workflowId"]).describe()
    assert answer.status_code == 202
    assert answer.json()["runId"] == description.run_id
    assert "idempotent-replayed" not in answer.headers


async def test_who_waits_while_temporal_goes_away_is_told_where_to_ask(server_address: str, client: Client) -> None:
    body = onboarding()
    async with (
        wire_to(server_address) as (wire, address),
        opened_api(await lazily_connected(address), execute_wait_seconds=3) as api,
    ):
        posting = asyncio.create_task(api.post("/api/temporal/onboarding/execute", json=body))
        handle = client.get_workflow_handle(f"demo:user:user-onboarding:{body['userId']}")
        await eventually(lambda: _is_there(handle), within_seconds=20)
        # Whoever asked has been answered that it started.
        await asyncio.sleep(0.5)
        wire.is_deaf = True
        answer = await posting
        wire.heal()
        found = await asked_until(lambda: api.get(answer.headers["location"]), _is_answered)

    assert answer.status_code == 202
    assert found.json()["runId"] == answer.json()["runId"]


async def _is_there(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        await handle.describe()
    except RPCError:
        return False
    return True


class _CutAfterStart(WorkflowGateway):
    """Loses Temporal's answers from the moment at which a workflow has started."""

    wire: Wire

    async def start(self, command: Command[Any, Any]) -> Started[Any]:
        started = await super().start(command)
        self.wire.is_deaf = True
        return started


async def test_a_bulk_operation_that_cannot_be_looked_at_any_more_is_known_by_its_id(server_address: str) -> None:
    nothing = {"verb": "retry", "filter": {"type": "none"}, "reason": "a test", "dryRun": False}
    async with wire_to(server_address) as (wire, address):
        client = await lazily_connected(address)
        workflows = _CutAfterStart(client, links=LINKS)
        workflows.wire = wire
        async with opened_api(client, workflows=workflows) as api:
            lost = await api.post("/v1/bulk-operations", json=nothing)
            wire.heal()
            found = await asked_until(lambda: api.get(f"/v1/operations/{lost.json()['workflowId']}"), _is_answered)

    assert (lost.status_code, lost.json()["type"]) == (503, "temporal_unavailable")
    assert lost.json()["detail"] == "The operation was started, and cannot be looked at now. Ask for its status."
    assert found.status_code == 200
