"""Purchases: bought once, answered at captured, cancelled until the pivot, and every failure by its name."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from platform_contracts.identifiers import idempotency_key_id
from tests.gateway.api import blocked_with, closed_status, opened_api, status_when
from tests.gateway.listing_stubs import (
    TOKEN_NO_PAYMENT_WORKER,
    TOKEN_NOBODY_RESOLVES,
    TOKEN_PAST_THE_PIVOT,
    TOKEN_TELLS_FOR_EVER,
    TOKEN_WAITS,
)

WAIT = {"Prefer": "wait=10"}


def order(**changes: Any) -> dict[str, Any]:
    """Return the body of a purchase."""
    return {
        "purchaseId": f"p-{uuid4().hex[:12]}",
        "buyerId": "ada",
        "lines": [{"listingId": "lamp", "quantity": 2}],
        "paymentToken": "tok_ok",
        **changes,
    }


async def test_a_purchase_is_taken_without_any_worker(api: httpx.AsyncClient) -> None:
    body = order()

    answer = await api.post("/v1/purchases", json=body)

    assert answer.status_code == 202
    assert answer.json()["workflowId"] == f"demo:listing:purchase:{body['purchaseId']}"
    assert answer.headers["location"] == f"/v1/operations/{answer.json()['workflowId']}"
    assert int(answer.headers["retry-after"]) > 0


async def test_who_waits_for_what_nobody_works_on_is_told_where_to_ask(api: httpx.AsyncClient) -> None:
    asked_at = time.monotonic()

    answer = await api.post("/v1/purchases", json=order(), headers={"Prefer": "wait=1"})

    assert answer.status_code == 202
    assert 1 <= time.monotonic() - asked_at < 3


async def test_who_waits_is_answered_at_captured_while_the_purchase_goes_on(
    selling_api: httpx.AsyncClient, client: Client
) -> None:
    body = order(paymentToken=TOKEN_TELLS_FOR_EVER)

    answer = await selling_api.post("/v1/purchases", json=body, headers=WAIT)
    status = await selling_api.get(f"/v1/operations/{answer.json()['workflowId']}")
    await client.get_workflow_handle(answer.json()["workflowId"]).terminate()

    assert answer.status_code == 200
    assert answer.json()["status"] == status.json()["status"] == "RUNNING"
    assert answer.json()["result"] == {
        "purchaseId": body["purchaseId"],
        "status": "captured",
        "total": {"minorUnits": 2500, "currency": "EUR", "exponent": 2},
    }


async def test_many_who_wait_for_one_purchase_are_one_update(selling_api: httpx.AsyncClient, client: Client) -> None:
    body = order(paymentToken=TOKEN_TELLS_FOR_EVER)

    answers = await asyncio.gather(*(selling_api.post("/v1/purchases", json=body, headers=WAIT) for _ in range(15)))
    handle = client.get_workflow_handle(answers[0].json()["workflowId"])
    history = await handle.fetch_history()
    await handle.terminate()

    updates = [
        event for event in history.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len(updates) == 1


async def test_a_purchase_that_has_ended_is_answered_again(selling_api: httpx.AsyncClient) -> None:
    body = order()
    first = await selling_api.post("/v1/purchases", json=body, headers=WAIT)
    await closed_status(selling_api, first.json()["workflowId"])

    again = await selling_api.post("/v1/purchases", json=body, headers=WAIT)

    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == {**first.json(), "status": "COMPLETED"}


@pytest.mark.parametrize(
    ("token", "status", "type_"),
    [
        ("tok_sold_out", 409, "sold_out"),
        ("tok_not_for_sale", 409, "not_for_sale"),
        ("tok_unknown_listing", 404, "unknown_listing"),
        ("tok_expired", 409, "reservation_expired"),
        ("tok_unavailable", 502, "payment_unavailable"),
        ("tok_declined", 402, "payment_declined"),
        ("tok_bug", 500, "operation_failed"),
    ],
)
async def test_a_purchase_that_failed_is_a_problem_by_its_short_name(
    selling_api: httpx.AsyncClient, token: str, status: int, type_: str
) -> None:
    body = order(paymentToken=token)

    waited = await selling_api.post("/v1/purchases", json=body, headers=WAIT)
    await closed_status(selling_api, waited.json()["workflowId"])
    again = await selling_api.post("/v1/purchases", json=body, headers=WAIT)

    for answer in (waited, again):
        assert answer.status_code == status
        assert answer.json()["type"] == type_
        assert answer.json()["workflowId"].endswith(body["purchaseId"])
        assert answer.json()["failure"]["type"].startswith(("listing.", "payment."))
        assert "db-7.internal" not in answer.text


async def test_a_key_names_the_purchase(api: httpx.AsyncClient) -> None:
    key = uuid4().hex
    body = order(purchaseId=None)
    del body["purchaseId"]

    answers = [await api.post("/v1/purchases", json=body, headers={"Idempotency-Key": key}) for _ in range(2)]

    assert answers[0].json()["workflowId"] == f"demo:listing:purchase:{idempotency_key_id(key)}"
    assert answers[1].json() == answers[0].json()
    assert answers[1].headers["idempotent-replayed"] == "true"


async def test_a_purchase_without_a_name_is_refused(api: httpx.AsyncClient) -> None:
    body = order()
    del body["purchaseId"]

    answer = await api.post("/v1/purchases", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "purchaseId"


async def test_the_same_id_with_another_body_is_409_and_the_same_key_422(api: httpx.AsyncClient) -> None:
    by_id = order()
    by_key = order(purchaseId=None)
    headers = {"Idempotency-Key": uuid4().hex}
    await api.post("/v1/purchases", json=by_id)
    await api.post("/v1/purchases", json=by_key, headers=headers)

    other_by_id = await api.post("/v1/purchases", json={**by_id, "buyerId": "bob"})
    other_by_key = await api.post("/v1/purchases", json={**by_key, "buyerId": "bob"}, headers=headers)

    assert (other_by_id.status_code, other_by_id.json()["type"]) == (409, "different_details")
    assert (other_by_key.status_code, other_by_key.json()["type"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 5}, "amount"),
        ({"price": {"minorUnits": 5, "currency": "EUR"}}, "price"),
        ({"lines": [{"listingId": "lamp", "quantity": 1, "price": 5}]}, "lines.0.price"),
        ({"lines": []}, "lines"),
        ({"lines": [{"listingId": "lamp", "quantity": 0}]}, "lines.0.quantity"),
        ({"lines": [{"listingId": "lamp", "quantity": "1"}]}, "lines.0.quantity"),
        ({"lines": [{"listingId": "lamp", "quantity": 1, "sellerId": "Not:A:Tenant"}]}, "lines.0.sellerId"),
        ({"paymentToken": "4242424242424242"}, "paymentToken"),
        ({"purchaseId": "a:b"}, "purchaseId"),
        ({"buyerId": ""}, "buyerId"),
    ],
)
async def test_what_cannot_be_a_purchase_names_the_field(
    api: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/purchases", json=order(**changes))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert "4242" not in answer.text


async def test_a_line_is_the_callers_own_unless_it_names_a_seller(api: httpx.AsyncClient, client: Client) -> None:
    lines = [{"listingId": "lamp", "quantity": 1}, {"listingId": "desk", "quantity": 1, "sellerId": "acme"}]

    answer = await api.post("/v1/purchases", json=order(lines=lines))

    history = await client.get_workflow_handle(answer.json()["workflowId"]).fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    (request,) = await client.data_converter.decode(started.input.payloads)
    assert [line["seller"] for line in request["lines"]] == ["demo", "acme"]


async def test_a_purchase_can_be_cancelled_before_the_pivot_and_whoever_waits_is_told(
    selling_api: httpx.AsyncClient,
) -> None:
    body = order(paymentToken=TOKEN_WAITS)
    waiting = asyncio.create_task(selling_api.post("/v1/purchases", json=body, headers=WAIT))
    workflow_id = f"demo:listing:purchase:{body['purchaseId']}"
    await status_when(selling_api, workflow_id, lambda status: status["progress"] is not None)

    cancelled = await selling_api.post(f"/v1/purchases/{body['purchaseId']}/cancel")
    waited = await waiting
    await closed_status(selling_api, workflow_id)
    late = await selling_api.post(f"/v1/purchases/{body['purchaseId']}/cancel")

    assert cancelled.status_code == 202
    assert cancelled.headers["location"] == f"/v1/operations/{workflow_id}"
    assert (waited.status_code, waited.json()["type"]) == (409, "operation_canceled")
    assert (late.status_code, late.json()["type"]) == (409, "operation_closed")


async def test_a_purchase_past_the_pivot_cannot_be_cancelled(selling_api: httpx.AsyncClient, client: Client) -> None:
    body = order(paymentToken=TOKEN_PAST_THE_PIVOT)
    started = await selling_api.post("/v1/purchases", json=body)
    await status_when(selling_api, started.json()["workflowId"], lambda status: status["progress"] is not None)

    answer = await selling_api.post(f"/v1/purchases/{body['purchaseId']}/cancel")
    await client.get_workflow_handle(started.json()["workflowId"]).terminate()

    assert (answer.status_code, answer.json()["type"]) == (409, "past_the_pivot")


@pytest.mark.parametrize(("purchase_id", "status"), [("never-made", 404), ("not:an:id", 422)])
async def test_a_purchase_that_does_not_exist_cannot_be_cancelled(
    api: httpx.AsyncClient, purchase_id: str, status: int
) -> None:
    answer = await api.post(f"/v1/purchases/{purchase_id}/cancel")

    assert answer.status_code == status
    assert answer.json()["type"] == ("unknown_purchase" if status == 404 else "invalid_request")


async def test_another_accounts_purchase_does_not_exist(client: Client, api: httpx.AsyncClient) -> None:
    body = order()
    mine = await api.post("/v1/purchases", json=body)

    async with opened_api(client, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as acme:
        cancelled = await acme.post(f"/v1/purchases/{body['purchaseId']}/cancel")
        theirs = await acme.post("/v1/purchases", json=body)

    assert (cancelled.status_code, cancelled.json()["type"]) == (404, "unknown_purchase")
    assert theirs.status_code == 202
    assert theirs.json()["workflowId"] != mine.json()["workflowId"]


@pytest.mark.parametrize("token", [TOKEN_NO_PAYMENT_WORKER, TOKEN_NOBODY_RESOLVES])
async def test_a_purchase_that_nobody_charges_waits_for_a_payment_worker(
    selling_api: httpx.AsyncClient, client: Client, token: str
) -> None:
    started = await selling_api.post("/v1/purchases", json=order(paymentToken=token))
    workflow_id = started.json()["workflowId"]

    status = await status_when(selling_api, workflow_id, blocked_with("reason"))
    await client.get_workflow_handle(workflow_id).terminate()

    assert status["blockedBy"]["reason"] == "waiting_for_worker"
    assert status["blockedBy"]["queue"] == "payment"
    assert status["progress"]["step"] == "authorising"
