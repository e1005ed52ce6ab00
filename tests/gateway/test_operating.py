"""What operators do to one operation, on a real server."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.listing import purchase
from tests.gateway.api import blocked_with, new_user_id, status_when
from tests.gateway.stubs import PAST_THE_PIVOT, RETRIES, RETRIES_SLOWLY, WAITS, attempts_of
from tests.gateway.tenants import onboarding_of, own_tenant

WHY = {"reason": "the mail server is back"}
VERBS: Sequence[tuple[str, dict[str, Any]]] = [
    ("cancel", {}),
    ("retry", WHY),
    ("reset", {**WHY, "to": "lastWorkflowTask"}),
    ("terminate", WHY),
    ("pause", WHY),
    ("resume", WHY),
]


async def _asked(api: httpx.AsyncClient, workflow_id: str, verb: str, body: dict[str, Any] = WHY) -> httpx.Response:
    return await api.post(f"/v1/operations/{workflow_id}/{verb}", json=body or None)


async def test_retry_makes_the_next_attempt_now(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, RETRIES_SLOWLY)
        await status_when(api, workflow_id, blocked_with("nextAttemptTime"))
        before = attempts_of(workflow_id)
        answer = await _asked(api, workflow_id, "retry")
        await status_when(api, workflow_id, lambda _: attempts_of(workflow_id) == before + 1, within_seconds=5)

    assert answer.status_code == 200
    assert answer.json()["activities"] == ["user.fails_slowly"]
    assert before == 1


async def test_retry_of_what_waits_for_no_attempt_is_refused(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        answer = await _asked(api, workflow_id, "retry")

    assert answer.status_code == 409
    assert answer.json()["type"] == "nothing_to_retry"


@pytest.mark.parametrize("to", ["firstWorkflowTask", "lastWorkflowTask", 4])
async def test_reset_goes_on_from_the_point_in_a_new_run(client: Client, worker: None, to: str | int) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        before = await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answer = await _asked(api, workflow_id, "reset", {**WHY, "to": to})
        after = await status_when(api, workflow_id, lambda status: status["runId"] != before["runId"])

    assert answer.status_code == 200
    assert answer.json()["previousRunId"] == before["runId"]
    assert answer.json()["runId"] == after["runId"]
    assert after["status"] == "RUNNING"


async def test_reset_past_the_pivot_is_allowed(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, PAST_THE_PIVOT)
        await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answer = await _asked(api, workflow_id, "reset", {**WHY, "to": "firstWorkflowTask"})

    assert answer.status_code == 200


async def test_reset_with_a_key_is_done_once(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answers = [
            await api.post(
                f"/v1/operations/{workflow_id}/reset",
                json={**WHY, "to": "lastWorkflowTask"},
                headers={"Idempotency-Key": "again"},
            )
            for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["runId"] == answers[1].json()["runId"]


@pytest.mark.parametrize("to", [2, 5_000])
async def test_reset_to_an_event_where_no_workflow_task_ended_is_refused(client: Client, worker: None, to: int) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        await status_when(api, workflow_id, lambda status: status["progress"] is not None)
        answer = await _asked(api, workflow_id, "reset", {**WHY, "to": to})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "to"


async def test_reset_of_what_has_not_begun_is_refused(client: Client) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        answers = [
            await _asked(api, workflow_id, "reset", {**WHY, "to": to})
            for to in ("firstWorkflowTask", "lastWorkflowTask")
        ]

    assert {answer.status_code for answer in answers} == {409}
    assert {answer.json()["type"] for answer in answers} == {"nothing_to_reset"}


async def test_terminate_ends_it_at_once_and_keeps_who_and_why(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, PAST_THE_PIVOT)
        answer = await _asked(api, workflow_id, "terminate")
        status = (await api.get(f"/v1/operations/{workflow_id}")).json()
        history = await client.get_workflow_handle(workflow_id).fetch_history()

    assert answer.status_code == 200
    assert answer.json()["status"] == status["status"] == "TERMINATED"
    assert answer.json()["takenOverBy"] is None
    ended = history.events[-1].workflow_execution_terminated_event_attributes
    assert ended.reason == WHY["reason"]
    assert ended.identity == "gateway static-key"


async def test_who_waits_for_a_terminated_operation_is_told(client: Client) -> None:
    async with own_tenant(client) as api:
        order = {
            "purchaseId": new_user_id(),
            "buyerId": "ada",
            "lines": [{"listingId": "lamp", "quantity": 1}],
            "paymentToken": "tok_ok",
        }
        workflow_id = (await api.post("/v1/purchases", json=order)).json()["workflowId"]
        await _asked(api, workflow_id, "terminate")
        answer = await api.post("/v1/purchases", json=order, headers={"Prefer": "wait=5"})

    assert answer.status_code == 409
    assert answer.json()["type"] == "operation_terminated"
    assert answer.json()["workflowId"] == workflow_id


async def test_terminated_purchase_is_taken_over_by_reconciliation(client: Client) -> None:
    async with own_tenant(client) as api:
        order = {
            "purchaseId": new_user_id(),
            "buyerId": "ada",
            "lines": [{"listingId": "lamp", "quantity": 1}],
            "paymentToken": "tok_ok",
        }
        workflow_id = (await api.post("/v1/purchases", json=order)).json()["workflowId"]
        status = (await api.get(f"/v1/operations/{workflow_id}")).json()
        answer = await _asked(api, workflow_id, "terminate")

    assert status["type"] == purchase.WORKFLOW_TYPE
    assert answer.json()["takenOverBy"] == "reconciliation"


async def test_a_paused_operation_says_so_until_it_is_resumed(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, RETRIES)
        await status_when(api, workflow_id, blocked_with("reason"))
        paused = [await _asked(api, workflow_id, "pause") for _ in range(2)]
        held = (await api.get(f"/v1/operations/{workflow_id}")).json()["blockedBy"]
        resumed = await _asked(api, workflow_id, "resume")
        goes_on = await status_when(api, workflow_id, blocked_with("nextAttemptTime"))
        again = await _asked(api, workflow_id, "resume")

    assert [answer.status_code for answer in paused] == [200, 200]
    assert paused[0].json()["activities"] == ["user.always_fails"]
    assert held["reason"] == "paused"
    assert resumed.status_code == 200
    assert resumed.json()["activities"] == ["user.always_fails"]
    assert goes_on["blockedBy"]["reason"] == "activity_retrying"
    assert again.status_code == 409
    assert again.json()["type"] == "not_paused"


async def test_a_pause_that_the_server_cannot_give_is_said_to_be_not_supported(client: Client, worker: None) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        answer = await _asked(api, workflow_id, "pause")
        status = (await api.get(f"/v1/operations/{workflow_id}")).json()

    assert answer.status_code == 501
    assert answer.json()["type"] == "not_supported"
    assert status["status"] == "RUNNING"
    assert status["blockedBy"] is None


@pytest.mark.parametrize(("verb", "body"), VERBS)
async def test_what_has_ended_is_not_operated_on(client: Client, worker: None, verb: str, body: dict[str, Any]) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, "Ann")
        await status_when(api, workflow_id, lambda status: status["status"] == "COMPLETED")
        answer = await _asked(api, workflow_id, verb, body)

    assert answer.status_code == 409
    assert answer.json()["type"] == "operation_closed"


@pytest.mark.parametrize(("verb", "body"), VERBS)
async def test_another_accounts_operation_does_not_exist(client: Client, verb: str, body: dict[str, Any]) -> None:
    async with own_tenant(client) as api, own_tenant(client) as other:
        workflow_id = await onboarding_of(api, WAITS)
        answers = [
            await _asked(other, workflow_id, verb, body),
            await _asked(other, workflow_id + "-unknown", verb, body),
            await _asked(api, workflow_id + "-unknown", verb, body),
            await _asked(api, "no-id", verb, body),
        ]
        status = (await api.get(f"/v1/operations/{workflow_id}")).json()

    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1
    assert status["status"] == "RUNNING"


@pytest.mark.parametrize(("verb", "body"), VERBS[1:])
@pytest.mark.parametrize("reason", [None, "", "  ", "two\nlines", "x" * 501])
async def test_every_order_has_a_reason(
    api: httpx.AsyncClient, verb: str, body: dict[str, Any], reason: str | None
) -> None:
    answer = await _asked(api, "demo:user:user-onboarding:u-1", verb, {**body, "reason": reason})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "reason"


async def test_every_order_is_in_the_audit_log_whatever_came_of_it(client: Client) -> None:
    async with own_tenant(client) as api:
        workflow_id = await onboarding_of(api, WAITS)
        for verb in ("retry", "terminate", "terminate"):
            await _asked(api, workflow_id, verb)
        log = (await api.get("/v1/audit-log")).json()["entries"]

    kept = [entry for entry in reversed(log) if entry["outcome"] != "asked"]
    assert [(entry["action"], entry["outcome"]) for entry in kept] == [
        ("retryOperation", "nothing_to_retry"),
        ("terminateOperation", "done"),
        ("terminateOperation", "operation_closed"),
    ]
    assert all(workflow_id in entry["target"] for entry in kept)
    assert all(entry["details"]["reason"] == WHY["reason"] for entry in kept)
    assert all(entry["subject"] == "static-key" for entry in kept)
