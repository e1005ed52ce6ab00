"""An operation leads to what it made, to its history and to its trace; and back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.user.notification import (
    Notification,
    NotificationInput,
    notification_workflow_id,
)
from platform_runtime.workflow_calls import start_workflow
from tests.gateway.api import new_user_id


async def _started(api: httpx.AsyncClient, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    started = await api.post(path, json=body)
    assert started.status_code == 202, started.text
    return (await api.get(started.headers["location"])).json()


@pytest.mark.parametrize(
    ("path", "body", "resource"),
    [
        ("/v1/users/{id}/onboarding", {"email": "a@example.com", "name": "Ann"}, "/v1/users/{id}"),
        ("/v1/users/{id}/notifications", {"message": "Hello", "type": "info"}, "/v1/users/{id}/inbox"),
        (
            "/v1/listings",
            {"listingId": "{id}", "title": "A lamp", "price": {"minorUnits": 1, "currency": "EUR"}, "stock": 1},
            "/v1/listings/{id}",
        ),
        ("/v1/listings/{id}/submissions", {"submitterId": "u-1", "submissionId": "s-{id}"}, "/v1/listings/{id}"),
        ("/v1/listings/{id}/archive", None, "/v1/listings/{id}"),
        (
            "/v1/purchases",
            {
                "purchaseId": "{id}",
                "buyerId": "ada",
                "lines": [{"listingId": "lamp", "quantity": 1}],
                "paymentToken": "tok_ok",
            },
            "/v1/purchases/{id}",
        ),
    ],
    ids=["onboarding", "notification", "draft", "submission", "archive", "purchase"],
)
async def test_operation_leads_to_what_it_is_about(
    api: httpx.AsyncClient, path: str, body: dict[str, Any] | None, resource: str
) -> None:
    its_id = f"x-{uuid4().hex[:12]}"
    asked = None if body is None else {name: _with_id(value, its_id) for name, value in body.items()}

    status = await _started(api, path.format(id=its_id), asked)

    assert status["links"]["resource"] == resource.format(id=its_id)


def _with_id(value: Any, its_id: str) -> Any:
    return value.replace("{id}", its_id) if isinstance(value, str) else value


async def test_purchase_that_a_key_names_is_led_to_as_well(api: httpx.AsyncClient) -> None:
    body = {"buyerId": "ada", "lines": [{"listingId": "lamp", "quantity": 1}], "paymentToken": "tok_ok"}

    started = await api.post("/v1/purchases", json=body, headers={"Idempotency-Key": new_user_id()})
    status = (await api.get(started.headers["location"])).json()

    assert status["links"]["resource"] == f"/v1/purchases/{status['workflowId'].rpartition(':')[2]}"


async def test_operation_leads_to_its_history_and_its_trace(api: httpx.AsyncClient, client: Client) -> None:
    trace_id = uuid4().hex
    started = await api.post(
        f"/v1/users/{new_user_id()}/onboarding",
        json={"email": "a@example.com", "name": "Ann"},
        headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
    )

    status = (await api.get(started.headers["location"])).json()

    links = status["links"]
    page = f"http://temporal.example/namespaces/{client.namespace}/workflows/"
    assert links["webUi"].startswith(page)
    assert links["webUi"].endswith(status["runId"])
    assert links["temporal"] == links["webUi"]
    assert status["traceId"] == trace_id
    assert links["trace"] == f"http://jaeger.example/trace/{trace_id}"


async def test_operation_that_no_request_started_has_neither_trace_nor_resource(
    api: httpx.AsyncClient, client: Client
) -> None:
    notification_id = new_user_id()
    notification = NotificationInput(
        tenant="demo", notification_id=notification_id, user_id="u-1", type="info", message="Hello"
    )
    workflow_id = notification_workflow_id(tenant="demo", notification_id=notification_id)
    await start_workflow(client, Notification.run, notification, id=workflow_id, task_queue="user")

    status = (await api.get(f"/v1/operations/{workflow_id}")).json()

    assert status["traceId"] is None
    assert status["links"]["trace"] is None
    assert status["links"]["resource"] is None
