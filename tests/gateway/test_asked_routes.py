"""The four asked routes, exact: what goes in, what comes out."""

import re

import httpx

from tests.gateway.api import closed_status, new_user_id, notification, onboarding
from tests.gateway.stubs import FAILS, FAILS_UNEXPECTEDLY, SECRET_TEXT, TAKES_A_SECOND, WAITS


async def test_a_notification_starts_without_waiting_for_a_worker(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/temporal/notification/start", json=notification())

    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"workflowId", "runId", "status"}
    assert re.fullmatch(r"demo:user:notification:[0-9a-f-]{36}", body["workflowId"])
    assert body["status"] == "RUNNING"
    assert answer.headers["location"] == f"/api/temporal/workflow/{body['workflowId']}/status"
    assert (await api.get(answer.headers["location"])).json()["runId"] == body["runId"]


async def test_each_notification_without_a_key_is_a_new_one(api: httpx.AsyncClient) -> None:
    body = notification()

    answers = [await api.post("/api/temporal/notification/start", json=body) for _ in range(2)]

    assert answers[0].json()["workflowId"] != answers[1].json()["workflowId"]


async def test_the_longest_message_is_taken_and_one_character_more_is_not(api: httpx.AsyncClient) -> None:
    longest = await api.post("/api/temporal/notification/start", json=notification(message="ä" * 10_000))
    longer = await api.post("/api/temporal/notification/start", json=notification(message="ä" * 10_001))

    assert longest.status_code == 202
    assert longer.status_code == 422
    assert longer.json()["errors"][0]["field"] == "message"


async def test_the_longest_message_is_counted_in_characters_and_not_in_bytes(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/temporal/notification/start", json=notification(message="😀" * 10_000))

    assert answer.status_code == 202


async def test_onboarding_answers_with_the_result(served_api: httpx.AsyncClient) -> None:
    body = onboarding()

    answer = await served_api.post("/api/temporal/onboarding/execute", json=body)

    assert answer.status_code == 200
    assert answer.json().keys() == {"workflowId", "runId", "status", "result"}
    assert answer.json()["workflowId"] == f"demo:user:user-onboarding:{body['userId']}"
    assert answer.json()["status"] == "COMPLETED"
    assert answer.json()["result"] == {
        "userId": body["userId"],
        "accountStatus": "active",
        "onboardedAt": "2026-11-23T12:00:00Z",
        "welcomeNotificationId": f"welcome-{body['userId']}",
    }


async def test_onboarding_that_takes_longer_than_the_wait_goes_on(api: httpx.AsyncClient, worker: None) -> None:
    answer = await api.post("/api/temporal/onboarding/execute", json=onboarding(name=TAKES_A_SECOND))
    repeated = await api.post("/api/temporal/onboarding/execute", json=onboarding(name=WAITS))

    assert answer.status_code == repeated.status_code == 202
    assert answer.json().keys() == {"workflowId", "runId", "status"}
    assert answer.headers["location"] == f"/api/temporal/workflow/{answer.json()['workflowId']}/status"
    assert int(answer.headers["retry-after"]) > 0


async def test_onboarding_without_a_worker_is_taken_and_not_lost(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/temporal/onboarding/execute", json=onboarding())

    assert answer.status_code == 202
    status = await api.get(answer.headers["location"])
    assert status.json()["status"] == "RUNNING"


async def test_a_failed_onboarding_is_a_problem_with_its_workflow_and_without_raw_text(
    served_api: httpx.AsyncClient,
) -> None:
    body = onboarding(name=FAILS)

    answer = await served_api.post("/api/temporal/onboarding/execute", json=body)

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "user.InvalidAccountDetails"
    assert problem["workflowId"] == f"demo:user:user-onboarding:{body['userId']}"
    assert problem["failure"] == {
        "type": "user.InvalidAccountDetails",
        "message": "The e-mail address or the name is not valid.",
    }
    assert len(problem["traceId"]) == 32
    assert SECRET_TEXT not in answer.text


async def test_an_unexpected_failure_is_a_500_that_gives_nothing_away(served_api: httpx.AsyncClient) -> None:
    answer = await served_api.post("/api/temporal/onboarding/execute", json=onboarding(name=FAILS_UNEXPECTEDLY))

    assert answer.status_code == 500
    assert answer.json()["type"] == "operation_failed"
    assert answer.json()["failure"]["type"] == "user.MailServerAway"
    assert "db-7.internal" not in answer.text


async def test_status_tells_everything_about_a_completed_workflow(served_api: httpx.AsyncClient) -> None:
    user_id = new_user_id()
    executed = await served_api.post("/api/temporal/onboarding/execute", json=onboarding(user_id))
    workflow_id = executed.json()["workflowId"]

    answer = await served_api.get(f"/api/temporal/workflow/{workflow_id}/status")

    status = answer.json()
    assert answer.status_code == 200
    assert list(status) == [
        *("workflowId", "runId", "type", "taskQueue", "status", "startTime", "closeTime", "result", "failure"),
        *("progress", "blockedBy", "traceId", "links"),
    ]
    assert status["type"] == "user.UserOnboarding"
    assert status["taskQueue"] == "user"
    assert status["status"] == "COMPLETED"
    assert status["startTime"] < status["closeTime"]
    assert status["result"] == executed.json()["result"]
    assert status["failure"] is None
    assert status["blockedBy"] is None
    assert status["progress"] == {
        "step": "onboarded",
        "cancellable": False,
        "waitingFor": None,
        "compensation": "none",
        "traceId": status["traceId"],
    }
    web_ui = (
        "http://temporal.example/namespaces/default/workflows/"
        f"demo%3Auser%3Auser-onboarding%3A{user_id}/{status['runId']}"
    )
    assert status["links"] == {
        "self": f"/api/temporal/workflow/{workflow_id}/status",
        "cancel": None,
        "webUi": web_ui,
        "temporal": web_ui,
        "trace": f"http://jaeger.example/trace/{status['traceId']}",
        "resource": f"/v1/users/{user_id}",
    }


async def test_status_of_a_failed_workflow_has_the_type_and_the_safe_text(served_api: httpx.AsyncClient) -> None:
    started = await served_api.post("/api/temporal/notification/start", json=notification(type="sms"))
    workflow_id = started.json()["workflowId"]

    status = await closed_status(served_api, workflow_id)

    assert status["status"] == "FAILED"
    assert status["failure"] == {
        "type": "user.UnknownNotificationType",
        "message": "There is no notification of this type.",
    }
    assert status["result"] is None
    assert SECRET_TEXT not in str(status)


async def test_cancel_stops_a_running_workflow_and_refuses_a_closed_one(served_api: httpx.AsyncClient) -> None:
    user_id = new_user_id()
    started = await served_api.post(f"/v1/users/{user_id}/onboarding", json={"email": "a@example.com", "name": WAITS})
    workflow_id = started.json()["workflowId"]

    canceled = await served_api.post(f"/api/temporal/workflow/{workflow_id}/cancel")
    status = await closed_status(served_api, workflow_id)
    again = await served_api.post(f"/api/temporal/workflow/{workflow_id}/cancel")

    assert canceled.status_code == 202
    assert canceled.json().keys() == {"workflowId", "runId", "status"}
    assert canceled.headers["location"] == f"/api/temporal/workflow/{workflow_id}/status"
    assert status["status"] == "CANCELED"
    assert status["failure"] is None
    assert again.status_code == 409
    assert again.json()["type"] == "operation_closed"
