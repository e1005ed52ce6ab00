"""A status tells why a workflow does not move, each reason brought about on a real server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import PauseActivityRequest
from temporalio.client import Client

from tests.gateway.api import blocked_as, blocked_with, closed_status, new_user_id, notification, status_when
from tests.gateway.stubs import (
    CALLS_NOBODY,
    HAS_A_BUG,
    PAST_THE_PIVOT,
    RETRIES,
    TAKES_A_SECOND,
    UNPOLLED_QUEUE,
    WAITS,
    WAITS_FOR_A_PERSON,
    stub_worker,
)


@asynccontextmanager
async def _onboarding(api: httpx.AsyncClient, client: Client, name: str) -> AsyncGenerator[str]:
    """Start an onboarding that never ends by itself; yield its id, and terminate it."""
    started = await api.post(f"/v1/users/{new_user_id()}/onboarding", json={"email": "a@example.com", "name": name})
    workflow_id = started.json()["workflowId"]
    yield workflow_id
    await client.get_workflow_handle(workflow_id).terminate()


async def _pause_activity(client: Client, workflow_id: str) -> None:
    await client.workflow_service.pause_activity(
        PauseActivityRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id),
            type="user.always_fails",
        )
    )


async def test_without_a_worker_it_waits_for_one_after_two_seconds(api: httpx.AsyncClient, client: Client) -> None:
    async with _onboarding(api, client, WAITS) as workflow_id:
        at_once = await api.get(f"/v1/operations/{workflow_id}")
        status = await status_when(api, workflow_id, blocked_with("reason"))

    assert at_once.json()["blockedBy"] is None
    assert status["blockedBy"].keys() == {"reason", "queue", "since"}
    assert status["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["blockedBy"]["queue"] == "user"
    assert status["blockedBy"]["since"] >= status["startTime"]


async def test_what_moves_is_not_blocked(api: httpx.AsyncClient, client: Client, worker: None) -> None:
    async with _onboarding(api, client, PAST_THE_PIVOT) as workflow_id:
        status = await status_when(api, workflow_id, lambda status: status["progress"] is not None)

    assert status["status"] == "RUNNING"
    assert status["blockedBy"] is None


async def test_progress_is_read_without_a_worker_and_after_the_close(api: httpx.AsyncClient, client: Client) -> None:
    routes = ("/api/temporal/workflow/{}/status", "/v1/operations/{}")
    async with stub_worker(client):
        started = await api.post(
            f"/v1/users/{new_user_id()}/onboarding", json={"email": "a@example.com", "name": WAITS_FOR_A_PERSON}
        )
        workflow_id = started.json()["workflowId"]
        told = (await status_when(api, workflow_id, lambda status: status["progress"] is not None))["progress"]

    without = [(await api.get(route.format(workflow_id))).json() for route in routes]
    await client.get_workflow_handle(workflow_id).terminate()
    after = [(await api.get(route.format(workflow_id))).json() for route in routes]

    assert told == {
        "step": "review",
        "cancellable": True,
        "waitingFor": "reviewer",
        "compensation": "none",
        "traceId": without[0]["traceId"],
    }
    assert [(status["status"], status["progress"]) for status in without] == [("RUNNING", told)] * 2
    assert [(status["status"], status["progress"]) for status in after] == [("TERMINATED", told)] * 2


async def test_a_worker_that_comes_back_takes_the_reason_away(api: httpx.AsyncClient, client: Client) -> None:
    started = await api.post("/api/temporal/notification/start", json=notification())
    workflow_id = started.json()["workflowId"]
    blocked = await status_when(api, workflow_id, blocked_with("reason"))

    async with stub_worker(client):
        status = await closed_status(api, workflow_id)

    assert blocked["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["status"] == "COMPLETED"
    assert status["blockedBy"] is None


async def test_a_worker_that_went_away_in_the_middle_is_noticed(api: httpx.AsyncClient, client: Client) -> None:
    async with stub_worker(client):
        started = await api.post(
            f"/v1/users/{new_user_id()}/onboarding", json={"email": "a@example.com", "name": TAKES_A_SECOND}
        )
        workflow_id = started.json()["workflowId"]
        await asyncio.sleep(0.3)

    # A worker that stops hands its sticky queue back; one that is killed does so after some seconds.
    status = await status_when(api, workflow_id, blocked_with("reason"), within_seconds=20)
    await client.get_workflow_handle(workflow_id).terminate()

    assert status["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["blockedBy"]["queue"] == "user"


async def test_a_bug_in_the_workflow_is_told_by_its_cause(api: httpx.AsyncClient, client: Client, worker: None) -> None:
    async with _onboarding(api, client, HAS_A_BUG) as workflow_id:
        status = await status_when(api, workflow_id, blocked_with("reason"))

    assert status["status"] == "RUNNING"
    assert status["blockedBy"]["reason"] == "workflow_task_failing"
    assert status["blockedBy"]["attempt"] >= 2
    assert status["blockedBy"]["cause"] == "workflow_worker_unhandled_failure"
    assert "db-7.internal" not in str(status)


async def test_a_bug_that_nobody_runs_any_more_waits_for_a_worker(api: httpx.AsyncClient, client: Client) -> None:
    async with _onboarding(api, client, HAS_A_BUG) as workflow_id:
        async with stub_worker(client):
            await status_when(api, workflow_id, blocked_as("workflow_task_failing"))
        # The attempt that the worker took along has to time out first.
        status = await status_when(api, workflow_id, blocked_as("waiting_for_worker"), within_seconds=25)

    assert status["blockedBy"]["queue"] == "user"
    assert status["blockedBy"]["since"] > status["startTime"]


async def test_an_activity_that_fails_is_told_without_its_text(
    api: httpx.AsyncClient, client: Client, worker: None
) -> None:
    async with _onboarding(api, client, RETRIES) as workflow_id:
        status = await status_when(api, workflow_id, blocked_with("nextAttemptTime"))

    blocked = status["blockedBy"]
    assert blocked["reason"] == "activity_retrying"
    assert blocked["name"] == "user.always_fails"
    assert blocked["attempt"] >= 2
    assert blocked["lastError"]["type"] == "user.MailServerAway"
    assert "db-7.internal" not in str(status)


async def test_an_activity_on_a_queue_that_nobody_polls_names_that_queue(
    api: httpx.AsyncClient, client: Client, worker: None
) -> None:
    async with _onboarding(api, client, CALLS_NOBODY) as workflow_id:
        status = await status_when(api, workflow_id, blocked_with("reason"))

    assert status["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["blockedBy"]["queue"] == UNPOLLED_QUEUE


async def test_a_person_who_is_waited_for_is_named(api: httpx.AsyncClient, client: Client, worker: None) -> None:
    async with _onboarding(api, client, WAITS_FOR_A_PERSON) as workflow_id:
        status = await status_when(api, workflow_id, lambda status: status["progress"] is not None)

    assert status["blockedBy"] == {"reason": "waiting_for", "what": "reviewer", "deadline": "2027-01-01T00:00:00Z"}
    assert status["progress"]["waitingFor"] == "reviewer"


async def test_a_paused_activity_is_paused(api: httpx.AsyncClient, client: Client, worker: None) -> None:
    async with _onboarding(api, client, RETRIES) as workflow_id:
        await status_when(api, workflow_id, blocked_with("reason"))
        await _pause_activity(client, workflow_id)
        status = await status_when(api, workflow_id, blocked_as("paused"))

    assert status["blockedBy"] == {"reason": "paused"}


@pytest.mark.parametrize(
    ("behaviour", "reason", "within_seconds"),
    [
        (HAS_A_BUG, "workflow_task_failing", 2),
        (RETRIES, "activity_retrying", 2),
        (WAITS_FOR_A_PERSON, "waiting_for", 2),
        (CALLS_NOBODY, "waiting_for_worker", 15),
    ],
)
async def test_reason_is_told_in_time(
    api: httpx.AsyncClient, client: Client, worker: None, behaviour: str, reason: str, within_seconds: float
) -> None:
    async with _onboarding(api, client, behaviour) as workflow_id:
        status = await status_when(api, workflow_id, blocked_as(reason), within_seconds=within_seconds)

    assert status["status"] == "RUNNING"
    assert status["closeTime"] is None


async def test_without_any_worker_that_is_told_in_time(api: httpx.AsyncClient, client: Client) -> None:
    async with _onboarding(api, client, WAITS) as workflow_id:
        status = await status_when(api, workflow_id, blocked_as("waiting_for_worker"), within_seconds=15)

    assert status["blockedBy"]["queue"] == "user"


async def test_a_pause_is_told_in_time(api: httpx.AsyncClient, client: Client, worker: None) -> None:
    async with _onboarding(api, client, RETRIES) as workflow_id:
        await status_when(api, workflow_id, blocked_as("activity_retrying"))
        await _pause_activity(client, workflow_id)
        status = await status_when(api, workflow_id, blocked_as("paused"), within_seconds=2)

    assert status["status"] == "RUNNING"


@pytest.mark.parametrize("route", ["/api/temporal/workflow/{}/cancel", "/v1/operations/{}/cancel"])
async def test_cancel_past_the_pivot_is_refused(
    api: httpx.AsyncClient, client: Client, worker: None, route: str
) -> None:
    async with _onboarding(api, client, PAST_THE_PIVOT) as workflow_id:
        status = await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answer = await api.post(route.format(workflow_id))

    assert status["links"]["cancel"] is None
    assert answer.status_code == 409
    assert answer.json()["type"] == "past_the_pivot"


async def test_cancel_twice_is_cancel_once(api: httpx.AsyncClient, client: Client) -> None:
    async with _onboarding(api, client, WAITS) as workflow_id:
        answers = [await api.post(f"/v1/operations/{workflow_id}/cancel") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].headers["location"] == f"/v1/operations/{workflow_id}"
