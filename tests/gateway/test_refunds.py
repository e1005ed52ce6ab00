"""Refunds: made once by who runs the marketplace, never above what was paid, and seen by the buyer's account."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.identifiers import idempotency_key_id
from platform_contracts.view import TENANT_HEADER
from platform_gateway.identity.callers import Role
from tests.gateway.api import opened_api
from tests.gateway.identities import entries, guarded_api, key_of, opened_stores
from tests.gateway.refund_stubs import payment_stub_worker
from tests.gateway.test_market_views import PRICE, PURCHASE, SHOWN_PRICE
from tests.gateway.views_server import FakeViews

WAIT = {"Prefer": "wait=10"}
PATH = "/v1/purchases/p-1/refunds"


def paid(*, reversed_units: int = 0, refunds: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return what the payment service shows of a purchase that was paid."""
    return {
        "status": "captured",
        "captured": PRICE,
        "reversed": {**PRICE, "minor_units": reversed_units},
        "refunds": refunds or [],
    }


def refund(**changes: Any) -> dict[str, Any]:
    """Return the body of a refund."""
    return {"refundId": f"r-{uuid4().hex[:12]}", "reason": "broken", **changes}


@pytest.fixture
def sold(views: FakeViews) -> FakeViews:
    views.answers["/views/purchase"] = {"purchase": PURCHASE}
    views.answers["/views/refunds"] = paid()
    return views


@pytest.fixture
async def staff(client: Client, sold: FakeViews) -> AsyncGenerator[httpx.AsyncClient]:
    async with opened_api(client, views_url=sold.url, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as api:
        yield api


async def test_a_refund_is_taken_without_any_worker_and_asked_about_where_it_says(
    staff: httpx.AsyncClient, sold: FakeViews
) -> None:
    body = refund()

    answer = await staff.post(PATH, json=body)
    operation = await staff.get(answer.headers["location"])

    assert answer.status_code == 202
    assert answer.json()["workflowId"] == f"acme:payment:refund:{body['refundId']}"
    assert operation.json()["links"]["resource"] == PATH
    assert {request.headers[TENANT_HEADER] for request in sold.requests} == {"acme"}


async def test_whoever_waits_is_told_what_was_given_back(staff: httpx.AsyncClient, client: Client) -> None:
    body = refund(amount={"minorUnits": 250, "currency": "EUR"})

    async with payment_stub_worker(client):
        answer = await staff.post(PATH, json=body, headers=WAIT)

    assert answer.status_code == 200
    assert answer.json()["result"] == {
        "refundId": body["refundId"],
        "status": "succeeded",
        "amount": {**SHOWN_PRICE, "minorUnits": 250},
    }


@pytest.mark.parametrize(
    ("reason", "status", "type_"),
    [
        ("uncaptured", 409, "not_captured"),
        ("too much", 409, "refund_exceeds"),
        ("odd", 422, "invalid_refund"),
        ("refused", 502, "refund_failed"),
    ],
)
async def test_a_refund_that_failed_is_a_problem_by_its_short_name(
    staff: httpx.AsyncClient, client: Client, reason: str, status: int, type_: str
) -> None:
    async with payment_stub_worker(client):
        answer = await staff.post(PATH, json=refund(reason=reason), headers=WAIT)

    assert (answer.status_code, answer.json()["type"]) == (status, type_)
    assert "db-7.internal" not in answer.text


@pytest.mark.parametrize(
    ("known", "amount", "type_"),
    [
        ({"status": "authorised"}, None, "not_captured"),
        ({"status": None}, None, "not_captured"),
        (paid(reversed_units=1250), None, "refund_exceeds"),
        (paid(reversed_units=1000), {"minorUnits": 251, "currency": "EUR"}, "refund_exceeds"),
    ],
    ids=["authorised", "never charged", "nothing left", "more than what is left"],
)
async def test_what_cannot_be_refunded_is_refused_at_once(
    staff: httpx.AsyncClient, sold: FakeViews, known: dict[str, Any], amount: dict[str, Any] | None, type_: str
) -> None:
    sold.answers["/views/refunds"] = known

    answer = await staff.post(PATH, json=refund(amount=amount))

    assert (answer.status_code, answer.json()["type"]) == (409, type_)


async def test_a_repeated_refund_is_the_same_one_even_when_nothing_is_left(
    staff: httpx.AsyncClient, sold: FakeViews
) -> None:
    body = refund()
    first = await staff.post(PATH, json=body)
    row = {
        "refund_id": body["refundId"],
        "status": "succeeded",
        "amount": PRICE,
        "reason": "broken",
        "requested_at": "2026-11-23T12:00:00Z",
    }
    sold.answers["/views/refunds"] = paid(reversed_units=1250, refunds=[row])

    again = await staff.post(PATH, json=body)
    other = await staff.post(PATH, json={**body, "reason": "late"})

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (409, "different_details")


async def test_a_key_names_the_refund_and_stands_for_one_purchase(staff: httpx.AsyncClient) -> None:
    key = uuid4().hex
    headers = {"Idempotency-Key": key}

    answer = await staff.post(PATH, json={"reason": "broken"}, headers=headers)
    elsewhere = await staff.post("/v1/purchases/p-2/refunds", json={"reason": "broken"}, headers=headers)
    unnamed = await staff.post(PATH, json={"reason": "broken"})

    assert answer.json()["workflowId"] == f"acme:payment:refund:{idempotency_key_id(key)}"
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (422, "idempotency_key_reused")
    assert (unnamed.status_code, unnamed.json()["errors"][0]["field"]) == (422, "refundId")


async def test_the_purchase_of_another_account_is_404(staff: httpx.AsyncClient, sold: FakeViews) -> None:
    sold.answers["/views/purchase"] = {"purchase": None}
    sold.answers["/views/refunds"] = {"status": None}

    answers = [await staff.post(PATH, json=refund()), await staff.get(PATH)]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(404, "unknown_purchase")] * 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": {"minorUnits": 0, "currency": "EUR"}}, "amount.minorUnits"),
        ({"amount": {"minorUnits": 5, "currency": "euro"}}, "amount.currency"),
        ({"reason": ""}, "reason"),
        ({"refundId": "a:b"}, "refundId"),
        ({"buyerId": "bob"}, "buyerId"),
    ],
)
async def test_what_cannot_be_a_refund_names_the_field(
    staff: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await staff.post(PATH, json=refund(**changes))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_refunds_are_shown_with_what_was_paid(staff: httpx.AsyncClient, sold: FakeViews) -> None:
    row = {
        "refund_id": "r-1",
        "status": "pending",
        "amount": {**PRICE, "minor_units": 250},
        "reason": "broken",
        "requested_at": "2026-11-23T12:00:00Z",
    }
    sold.answers["/views/refunds"] = paid(reversed_units=250, refunds=[row])

    answer = await staff.get(PATH)

    assert answer.json() == {
        "purchaseId": "p-1",
        "captured": SHOWN_PRICE,
        "reversed": {**SHOWN_PRICE, "minorUnits": 250},
        "refunds": [
            {
                "refundId": "r-1",
                "status": "pending",
                "amount": {**SHOWN_PRICE, "minorUnits": 250},
                "reason": "broken",
                "requestedAt": "2026-11-23T12:00:00Z",
                "links": {"operation": "/v1/operations/acme:payment:refund:r-1"},
            }
        ],
    }


async def test_only_who_runs_the_marketplace_refunds_and_it_is_kept_who_did(
    client: Client, sold: FakeViews, tmp_path: Path
) -> None:
    async with opened_stores(tmp_path) as stores, guarded_api(client, stores, views_url=sold.url) as api:
        buyers = await key_of(stores, "acme", Role.PARTNER)
        buyers_admin = await key_of(stores, "acme", Role.ADMIN)
        operator = {**await key_of(stores, "platform", Role.OPERATOR), "Partner-Account": "acme"}

        answers = [await api.post(PATH, json=refund(), headers=key) for key in (buyers, buyers_admin, operator)]
        log = await entries(stores, "acme")

    assert [answer.status_code for answer in answers] == [403, 403, 202]
    assert [answer.json().get("type") for answer in answers[:2]] == ["insufficient_scope", "staff_only"]
    assert answers[2].json()["workflowId"].startswith("acme:payment:refund:")
    assert [outcome for _, action, outcome in log if action == "refundPurchase"][-2:] == ["asked", "done"]
