"""Bulk operations: one thing done to many operations, by the rules of the single verb."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from platform_gateway.bulk.worker import bulk_worker
from platform_gateway.identity.callers import SCOPES_OF, Caller, Role, Scope
from platform_gateway.routes.bulk_operations import bulk_operations_router
from platform_gateway.routes.operations import operations_router
from platform_gateway.workflow_gateway import WorkflowGateway
from tests.gateway.api import LINKS, asked_until, blocked_with, status_when
from tests.gateway.stubs import PAST_THE_PIVOT, RETRIES, RETRIES_SLOWLY, WAITS, WAITS_FOR_A_PERSON, attempts_of
from tests.gateway.tenants import ids_of, listed_when, onboarding_of, own_tenant

WHY = "the mail server is back"


@pytest.fixture
async def carried_out(client: Client, worker: None) -> AsyncGenerator[None]:
    """Carry out bulk operations, as each gateway process does."""
    async with bulk_worker(client):
        yield


async def _asked(
    api: httpx.AsyncClient, verb: str, wanted: dict[str, Any], *, key: str | None = None, **members: Any
) -> httpx.Response:
    body = {"verb": verb, "filter": wanted, "reason": WHY, "dryRun": False, **members}
    return await api.post("/v1/bulk-operations", json=body, headers={} if key is None else {"Idempotency-Key": key})


async def _done(api: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    location = answer.headers["location"]
    ended = await asked_until(lambda: api.get(location), lambda found: found.json()["closeTime"] is not None)
    return ended.json()


async def _waiting(api: httpx.AsyncClient, *names: str) -> list[str]:
    started = [await onboarding_of(api, name) for name in names]
    for workflow_id in started:
        await status_when(api, workflow_id, lambda status: status["progress"] is not None)
    await listed_when(api, "status=RUNNING", count=len(names))
    return started


async def test_a_dry_run_tells_what_would_be_done_and_does_nothing(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        started = await _waiting(api, WAITS, WAITS_FOR_A_PERSON, PAST_THE_PIVOT)
        await listed_when(api, "blocked=true", count=1)
        everything = await asked_until(
            lambda: _asked(api, "cancel", {}, dryRun=True), lambda answer: answer.json()["refused"] != {}
        )
        blocked = await _asked(api, "terminate", {"blocked": True, "domain": "user"}, dryRun=True)
        statuses = [(await api.get(f"/v1/operations/{each}")).json()["status"] for each in started]

    assert everything.status_code == 200
    assert everything.json()["matched"] == 3
    assert everything.json()["isAll"] is True
    assert everything.json()["refused"] == {"past_the_pivot": 1}
    assert {each["workflowId"] for each in everything.json()["sample"]} == set(started)
    assert blocked.json()["matched"] == 1
    assert blocked.json()["sample"][0]["blockedBy"]["reason"] == "waiting_for"
    assert statuses == ["RUNNING"] * 3


async def test_a_bulk_cancel_leaves_alone_what_is_past_its_pivot(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        waits, other_waits, past = await _waiting(api, WAITS, WAITS, PAST_THE_PIVOT)
        done = await _done(api, await _asked(api, "cancel", {"type": "user.UserOnboarding"}))
        cancelled = [
            await status_when(api, each, lambda status: status["status"] == "CANCELED") for each in (waits, other_waits)
        ]
        left = (await api.get(f"/v1/operations/{past}")).json()

    assert done["status"] == "COMPLETED"
    assert done["verb"] == "cancel"
    assert done["reason"] == WHY
    assert done["counts"] == {"total": 3, "done": 2, "refused": {"past_the_pivot": 1}, "failed": 0}
    assert len(cancelled) == 2
    assert left["status"] == "RUNNING"


async def test_a_bulk_retry_tries_everything_again_now(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        retrying = [await onboarding_of(api, RETRIES_SLOWLY) for _ in range(3)]
        for workflow_id in retrying:
            await status_when(api, workflow_id, blocked_with("nextAttemptTime"))
        await listed_when(api, "blocked=true", count=3)
        done = await _done(api, await _asked(api, "retry", {"blocked": True}))
        for workflow_id in retrying:
            await status_when(api, workflow_id, lambda status: attempts_of(status["workflowId"]) == 2)

    assert done["counts"] == {"total": 3, "done": 3, "refused": {}, "failed": 0}


async def test_a_bulk_reset_starts_each_operation_once_more(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        started = await _waiting(api, WAITS, WAITS)
        before = {(await api.get(f"/v1/operations/{each}")).json()["runId"] for each in started}
        done = await _done(api, await _asked(api, "reset", {"domain": "user"}, to="firstWorkflowTask"))
        after = {(await api.get(f"/v1/operations/{each}")).json()["runId"] for each in started}

    assert done["counts"]["done"] == 2
    assert before.isdisjoint(after)


async def test_a_bulk_terminate_ends_what_is_meant_and_nothing_else(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api, own_tenant(client) as other:
        await _waiting(api, WAITS, PAST_THE_PIVOT)
        (theirs,) = await _waiting(other, WAITS)
        done = await _done(api, await _asked(api, "terminate", {"status": "RUNNING"}))
        terminated = await listed_when(api, "status=TERMINATED", count=2)
        left = (await other.get(f"/v1/operations/{theirs}")).json()

    assert done["counts"] == {"total": 2, "done": 2, "refused": {}, "failed": 0}
    assert len(ids_of(terminated)) == 2
    assert left["status"] == "RUNNING"


async def test_bulk_pause_and_resume_count_what_the_server_cannot_pause(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        retries = await onboarding_of(api, RETRIES)
        await status_when(api, retries, blocked_with("reason"))
        await onboarding_of(api, WAITS)
        await listed_when(api, "", count=2)
        paused = await _done(api, await _asked(api, "pause", {"domain": "user"}))
        held = (await api.get(f"/v1/operations/{retries}")).json()["blockedBy"]
        resumed = await _done(api, await _asked(api, "resume", {"domain": "user"}))

    assert paused["counts"] == {"total": 2, "done": 1, "refused": {"not_supported": 1}, "failed": 0}
    assert held["reason"] == "paused"
    assert resumed["counts"] == {"total": 2, "done": 1, "refused": {"not_paused": 1}, "failed": 0}


async def test_a_repeated_key_is_the_same_bulk_operation(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api:
        await _waiting(api, WAITS)
        first = await _asked(api, "terminate", {"domain": "user"}, key="k-1")
        ended = await _done(api, first)
        later = await onboarding_of(api, WAITS)
        await listed_when(api, "status=RUNNING", count=1)
        again = await _asked(api, "terminate", {"domain": "user"}, key="k-1")
        other_body = await _asked(api, "cancel", {"domain": "user"}, key="k-1")
        left = (await api.get(f"/v1/operations/{later}")).json()

    assert again.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == ended
    assert other_body.status_code == 422
    assert other_body.json()["type"] == "idempotency_key_reused"
    assert left["status"] == "RUNNING"


async def test_another_accounts_bulk_operation_does_not_exist(client: Client, carried_out: None) -> None:
    async with own_tenant(client) as api, own_tenant(client) as other:
        started = await _asked(api, "cancel", {}, key="k-1")
        bulk_id = started.json()["bulkOperationId"]
        theirs = await _asked(other, "cancel", {}, key="k-1")
        seen = await api.get(f"/v1/bulk-operations/{bulk_id}")
        foreign = [await other.get(f"/v1/bulk-operations/{each}") for each in (uuid4(), "none")]

    assert theirs.json()["workflowId"] != started.json()["workflowId"]
    assert seen.status_code == 200
    assert {answer.status_code for answer in foreign} == {404}
    assert {answer.json()["type"] for answer in foreign} == {"unknown_bulk_operation"}


async def test_without_anybody_to_carry_it_out_it_waits_and_says_so(client: Client) -> None:
    async with own_tenant(client) as api:
        started = await _asked(api, "cancel", {})
        found = await api.get(started.headers["location"])
        status = await status_when(api, started.json()["workflowId"], blocked_with("reason"))
        stopped = await api.post(f"/v1/operations/{started.json()['workflowId']}/cancel")

    assert found.json()["status"] == "RUNNING"
    assert found.json()["counts"] == {"total": 0, "done": 0, "refused": {}, "failed": 0}
    assert status["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["blockedBy"]["queue"] == "gateway"
    assert stopped.status_code == 202


async def test_what_nobody_carried_out_is_carried_out_by_who_comes_next(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        await _waiting(api, *[WAITS] * 12)
        started = await _asked(api, "terminate", {"domain": "user"})
        async with bulk_worker(client):
            done = await _done(api, started)

    assert started.json()["counts"]["done"] == 0
    assert done["counts"] == {"total": 12, "done": 12, "refused": {}, "failed": 0}


async def test_a_cancelled_bulk_operation_stops_and_tells_what_it_has_done(
    client: Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding, taken = asyncio.Event(), asyncio.Event()

    async def held(*_: Any) -> None:
        taken.set()
        await holding.wait()

    monkeypatch.setattr("platform_gateway.bulk.activities.terminate", held)
    async with own_tenant(client) as api, bulk_worker(client):
        await _waiting(api, *[WAITS] * 12)
        started = await _asked(api, "terminate", {"domain": "user"})
        async with asyncio.timeout(10):
            await taken.wait()
        stopped = await api.post(f"/v1/operations/{started.json()['workflowId']}/cancel")
        holding.set()
        done = await _done(api, started)

    assert stopped.status_code == 202
    assert done["status"] == "CANCELED"
    assert done["counts"] == {"total": 12, "done": 10, "refused": {}, "failed": 0}


@pytest.mark.parametrize(
    ("verb", "status"), [("retry", 200), ("pause", 200), ("cancel", 200), ("reset", 200), ("terminate", 403)]
)
async def test_who_may_not_do_it_to_one_may_not_do_it_to_many(client: Client, verb: str, status: int) -> None:
    operator = Caller(tenant="demo", subject="user:grace", scopes=SCOPES_OF[Role.OPERATOR])
    workflows = WorkflowGateway(client, links=LINKS)
    app = FastAPI()
    app.include_router(bulk_operations_router(workflows, authenticate=lambda _: operator))
    app.include_router(operations_router(workflows, authenticate=lambda _: operator))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as api:
        answer = await _asked(api, verb, {"type": "none"}, dryRun=True)

    assert answer.status_code == status
    assert answer.json().get("scope") == (Scope.OPERATIONS_TERMINATE if status == 403 else None)


async def test_a_bulk_operation_never_takes_a_bulk_operation(client: Client) -> None:
    async with own_tenant(client) as api:
        await _asked(api, "cancel", {})
        listed = await listed_when(api, "", count=1)
        preview = await _asked(api, "terminate", {}, dryRun=True)

    assert listed["operations"][0]["type"] == "gateway.BulkOperation"
    assert preview.json()["matched"] == 0


async def test_no_more_than_the_most_are_taken_and_that_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_gateway.bulk.bulk_operations.MOST_ITEMS", 2)
    async with own_tenant(client) as api:
        for _ in range(3):
            await onboarding_of(api, WAITS)
        await listed_when(api, "", count=3)
        preview = await _asked(api, "cancel", {}, dryRun=True)

    assert preview.json()["matched"] == 2
    assert preview.json()["isAll"] is False


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"verb": "delete"}, "verb"),
        ({"reason": ""}, "reason"),
        ({"dryRun": "perhaps"}, "dryRun"),
        ({"filter": {"domain": "elsewhere"}}, "filter.domain"),
        ({"filter": {"startedAfter": "2026-11-23T12:00:00"}}, "filter.startedAfter"),
        ({"filter": {"startedAfter": 1_700_000_000}}, "filter.startedAfter"),
        ({"filter": {"type": "a' OR WorkflowId STARTS_WITH 'acme"}}, "filter.type"),
        ({"filter": {"unknown": 1}}, "filter.unknown"),
        ({"to": "firstWorkflowTask"}, "to"),
    ],
)
async def test_a_bulk_operation_that_is_none_is_refused(
    api: httpx.AsyncClient, members: dict[str, Any], field: str
) -> None:
    body: dict[str, Any] = {"verb": "cancel", "filter": {}, "reason": WHY, "dryRun": True, **members}

    answer = await api.post("/v1/bulk-operations", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_bulk_operation_is_in_the_audit_log_once(client: Client) -> None:
    async with own_tenant(client) as api:
        started = await _asked(api, "cancel", {"domain": "user"})
        log = (await api.get("/v1/audit-log")).json()["entries"]

    (kept,) = [entry for entry in log if entry["outcome"] != "asked"]
    assert kept["action"] == "startBulkOperation"
    assert kept["outcome"] == "done"
    assert kept["details"] == {
        "verb": "cancel",
        "reason": WHY,
        "filter": {"domain": "user"},
        "dryRun": False,
        "matched": 0,
        "bulkOperationId": started.json()["bulkOperationId"],
    }
