"""The resource API: the same operations, with Location and Prefer."""

import asyncio
import time

import httpx
import pytest

from tests.gateway.api import closed_status, new_user_id
from tests.gateway.stubs import TAKES_A_SECOND, WAITS, WITHDRAWN

DETAILS = {"email": "ann@example.com", "name": "Ann"}
NOTE = {"message": "Hello", "type": "info"}


@pytest.mark.parametrize(("kind", "body"), [("onboarding", DETAILS), ("notifications", NOTE)])
async def test_work_is_taken_and_looked_at_by_its_location(
    api: httpx.AsyncClient, kind: str, body: dict[str, str]
) -> None:
    answer = await api.post(f"/v1/users/{new_user_id()}/{kind}", json=body)

    operation = await api.get(answer.headers["location"])

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/operations/{answer.json()['workflowId']}"
    assert int(answer.headers["retry-after"]) > 0
    assert operation.status_code == 200
    assert operation.json()["links"]["self"] == answer.headers["location"]
    assert operation.json()["links"]["cancel"] == f"{answer.headers['location']}/cancel"


async def test_prefer_wait_gets_the_result(served_api: httpx.AsyncClient) -> None:
    user_id = new_user_id()

    onboarded = await served_api.post(
        f"/v1/users/{user_id}/onboarding", json={**DETAILS, "name": TAKES_A_SECOND}, headers={"Prefer": "wait=10"}
    )
    notified = await served_api.post(f"/v1/users/{user_id}/notifications", json=NOTE, headers={"Prefer": "wait=10"})

    assert onboarded.status_code == notified.status_code == 200
    assert onboarded.json()["result"]["accountStatus"] == "active"
    assert notified.json()["result"]["deliveries"] == [
        {"channel": "in_app", "status": "sent", "reason": None},
        {"channel": "email", "status": "skipped", "reason": "no_address"},
    ]


async def test_prefer_wait_waits_no_longer_than_asked(served_api: httpx.AsyncClient) -> None:
    started_at = time.monotonic()

    answer = await served_api.post(
        f"/v1/users/{new_user_id()}/onboarding", json={**DETAILS, "name": WAITS}, headers={"Prefer": "wait=1"}
    )

    assert answer.status_code == 202
    assert 1 <= time.monotonic() - started_at < 3
    await served_api.post(f"{answer.headers['location']}/cancel")


async def test_a_failure_that_was_waited_for_is_a_problem(served_api: httpx.AsyncClient) -> None:
    answer = await served_api.post(
        f"/v1/users/{new_user_id()}/notifications", json={**NOTE, "type": "sms"}, headers={"Prefer": "wait=5"}
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "user.UnknownNotificationType"


async def test_a_notification_that_was_cancelled_before_temporal_forgot_it_is_cancelled(
    served_api: httpx.AsyncClient,
) -> None:
    body = {"message": "Hello", "type": WITHDRAWN}

    answer = await served_api.post("/v1/users/u-1/notifications", json=body, headers={"Prefer": "wait=10"})
    status = await closed_status(served_api, answer.json()["workflowId"])

    assert (answer.status_code, answer.json()["type"]) == (409, "operation_canceled")
    assert status["failure"]["message"] == "The notification was cancelled."


async def test_who_waits_for_nothing_is_answered_at_once(api: httpx.AsyncClient) -> None:
    async with asyncio.timeout(2):
        answer = await api.post(f"/v1/users/{new_user_id()}/onboarding", json=DETAILS, headers={"Prefer": "wait=0"})

    assert answer.status_code == 202
