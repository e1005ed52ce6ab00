"""A repeated request is the same request: the start is the only write, and its id the only key."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from platform_gateway.fingerprint import fingerprint
from platform_gateway.rest_models import UserNotificationRequest
from tests.gateway.api import asked_until, closed_status, new_user_id, notification, onboarding, opened_api
from tests.gateway.stubs import FAILS_ONCE, TAKES_A_SECOND, WAITS

START = "/api/temporal/notification/start"
EXECUTE = "/api/temporal/onboarding/execute"


async def test_the_same_key_and_body_is_the_same_operation(api: httpx.AsyncClient) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}

    first = await api.post(START, json=body, headers=headers)
    second = await api.post(START, json=dict(reversed(body.items())), headers=headers)

    assert first.status_code == second.status_code == 202
    assert second.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


async def test_the_same_key_is_the_same_operation_after_it_has_ended(served_api: httpx.AsyncClient) -> None:
    body, headers = notification(type="sms"), {"Idempotency-Key": new_user_id()}
    first = await served_api.post(START, json=body, headers=headers)
    await closed_status(served_api, first.json()["workflowId"])

    second = await served_api.post(START, json=body, headers=headers)

    assert second.json() == {**first.json(), "status": "FAILED"}
    assert second.headers["idempotent-replayed"] == "true"


async def test_the_same_key_with_another_body_is_422(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": new_user_id()}
    first = await api.post(START, json=notification(), headers=headers)

    second = await api.post(START, json=notification(message="Something else"), headers=headers)

    assert second.status_code == 422
    assert second.json()["type"] == "idempotency_key_reused"
    assert second.json()["workflowId"] == first.json()["workflowId"]


async def test_a_key_is_not_readable_in_the_workflow_id(api: httpx.AsyncClient) -> None:
    answer = await api.post(START, json=notification(), headers={"Idempotency-Key": "ann@example.com"})

    assert "ann" not in answer.json()["workflowId"]


async def test_both_apis_share_their_keys(api: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": new_user_id()}
    body = notification()
    first = await api.post(START, json=body, headers=headers)

    second = await api.post(
        f"/v1/users/{body['userId']}/notifications",
        json={"message": body["message"], "type": body["type"]},
        headers=headers,
    )

    assert second.json()["runId"] == first.json()["runId"]


async def test_fifty_requests_at_once_with_one_key_are_one_operation(api: httpx.AsyncClient) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}

    answers = await asyncio.gather(*(api.post(START, json=body, headers=headers) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["runId"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


async def test_one_key_at_once_from_two_tenants_is_two_operations(api: httpx.AsyncClient, client: Client) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}
    key = "other-key"
    async with opened_api(client, api_key=key, tenant="other", headers={"X-API-Key": key}) as other_api:
        both = (api, other_api)

        answers = await asyncio.gather(
            *(each.post(START, json=body, headers=headers) for each in both for _ in range(10))
        )

    runs = {answer.json()["workflowId"]: answer.json()["runId"] for answer in answers}
    assert {answer.status_code for answer in answers} == {202}
    assert {workflow_id.partition(":")[0] for workflow_id in runs} == {"demo", "other"}
    assert len({answer.json()["runId"] for answer in answers}) == len(runs) == 2


async def test_twenty_onboardings_of_one_user_at_once_are_one_run(
    served_api: httpx.AsyncClient, client: Client
) -> None:
    body = onboarding(name=TAKES_A_SECOND)

    answers = await asyncio.gather(*(served_api.post(EXECUTE, json=body) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({str(answer.json()) for answer in answers}) == 1


async def test_onboarding_repeated_gets_the_first_result(served_api: httpx.AsyncClient) -> None:
    body = onboarding()
    first = await served_api.post(EXECUTE, json=body)

    second = await served_api.post(EXECUTE, json=body, headers={"Idempotency-Key": "another-key"})

    assert second.status_code == 200
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("name", ["Ann", WAITS])
async def test_onboarding_of_the_same_user_with_another_body_is_409(served_api: httpx.AsyncClient, name: str) -> None:
    user_id = new_user_id()
    first = await served_api.post(f"/v1/users/{user_id}/onboarding", json={"email": "ann@example.com", "name": name})

    second = await served_api.post(EXECUTE, json=onboarding(user_id, email="bob@example.com"))

    assert second.status_code == 409
    assert second.json()["type"] == "different_details"
    assert second.json()["workflowId"] == first.json()["workflowId"]


async def test_a_failed_onboarding_can_be_run_again(served_api: httpx.AsyncClient) -> None:
    body = onboarding(name=FAILS_ONCE)
    failed = await served_api.post(EXECUTE, json=body)

    again = await served_api.post(EXECUTE, json=body)

    assert failed.status_code == 422
    assert again.status_code == 200
    assert again.json()["runId"] != failed.json()["runId"]
    assert "idempotent-replayed" not in again.headers


@pytest.mark.parametrize("end", ["cancel", "terminate"])
async def test_an_onboarding_that_was_ended_can_be_run_again_even_with_another_body(
    served_api: httpx.AsyncClient, client: Client, end: str
) -> None:
    user_id = new_user_id()
    started = await served_api.post(f"/v1/users/{user_id}/onboarding", json={"email": "ann@example.com", "name": WAITS})
    handle = client.get_workflow_handle(started.json()["workflowId"])
    await (handle.cancel() if end == "cancel" else handle.terminate())
    await closed_status(served_api, started.json()["workflowId"])

    again = await served_api.post(EXECUTE, json=onboarding(user_id, name="Ann"))

    assert again.status_code == 200


async def test_whoever_waits_for_an_onboarding_that_is_cancelled_is_told(served_api: httpx.AsyncClient) -> None:
    body = onboarding(name=WAITS)
    waiting = asyncio.create_task(served_api.post(EXECUTE, json=body))
    workflow_id = f"demo:user:user-onboarding:{body['userId']}"
    await asked_until(lambda: served_api.get(f"/v1/operations/{workflow_id}"), lambda answer: answer.status_code == 200)

    await served_api.post(f"/v1/operations/{workflow_id}/cancel")
    answer = await waiting

    assert answer.status_code == 409
    assert answer.json()["type"] == "operation_canceled"
    assert answer.json()["workflowId"] == workflow_id


async def test_a_workflow_that_no_request_started_is_never_taken_for_a_repeat(
    api: httpx.AsyncClient, client: Client
) -> None:
    body: dict[str, Any] = onboarding()
    handle = await client.start_workflow(
        "user.UserOnboarding", {}, id=f"demo:user:user-onboarding:{body['userId']}", task_queue="user"
    )

    answer = await api.post(EXECUTE, json=body)
    await handle.terminate()

    assert answer.status_code == 409


async def test_the_memo_has_the_fingerprint_of_the_canonical_body_and_nothing_of_the_body_itself(
    api: httpx.AsyncClient, client: Client
) -> None:
    body = onboarding(name="Ann Ünicode")
    canonical = f'{{"email":"ann@example.com","name":"Ann Ünicode","userId":"{body["userId"]}"}}'

    answer = await api.post(EXECUTE, json=body)

    handle = client.get_workflow_handle(answer.json()["workflowId"])
    memo = await (await handle.describe()).memo()
    await handle.terminate()
    assert memo["fingerprint"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert "Ann" not in str(memo)
    assert "example.com" not in str(memo)


def test_a_newer_gateway_that_knows_another_optional_member_takes_an_old_request_for_the_same() -> None:
    class Newer(UserNotificationRequest):
        priority: str = "normal"

    old = fingerprint(UserNotificationRequest.model_validate({"message": "a", "type": "info"}), userId="u-1")
    same, other = (
        fingerprint(Newer.model_validate({"message": "a", "type": "info", **more}), userId="u-1")
        for more in ({}, {"priority": "high"})
    )

    assert same == old
    assert other != old
