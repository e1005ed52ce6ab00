"""What belongs to another account does not exist: every path with an id, as the API's document has them."""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from temporalio.client import ScheduleState

from analytics_service.schedules import rollup_schedule
from payment_service.domain.escalations import EscalationReason, escalation
from payment_service.persistence.escalations import SqlEscalations
from platform_contracts.analytics.rollup import Granularity
from platform_gateway.openapi.document import operations_of
from platform_runtime.database import Database
from tests.gateway.api import document_of_the_api
from tests.support.another_gateway import another_gateway
from tests.support.marketplace_by_rest import bought, published
from tests.support.platform import Platform, new_id

DOCUMENT = document_of_the_api()
WITH_IDS = {
    operation["operationId"]: (method, path, operation)
    for path, method, operation in operations_of(DOCUMENT)
    if "{" in path
}
OF_THE_CALLER = {
    "onboardUser": "a user's id is the account's own: the same id elsewhere is somebody else",
    "notifyUser": "as for onboardUser; an unknown user has an inbox",
    "listInbox": "an unknown user's inbox is empty",
    "getPayoutPlan": "a currency is everybody's; the plan is the caller's own",
    "changePayoutPlan": "as for getPayoutPlan",
    "receiveProviderEvent": "a provider's name is nobody's; who sends is told by the signature",
    "getReconciliation": "a comparison belongs to no account; only staff see one",
    "redriveProviderEvent": "events belong to no account; only staff try one again",
}
"""Operations whose id is a name within the caller's account, so there is nothing foreign about it."""

OF_NOBODY = {"keyId": "0" * 16, "escalationId": "mismatched-0123456789abcdef"}
"""Ids that have a form of their own."""


@pytest.fixture(scope="module")
async def foreigner(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of the same platform for another account."""
    directory = tmp_path_factory.mktemp("foreigner")
    async with another_gateway(platform, directory, GATEWAY_API_KEY="key-of-others", GATEWAY_TENANT="others") as client:
        yield client


@pytest.fixture(scope="module")
async def ids(platform: Platform) -> AsyncGenerator[Mapping[str, str]]:
    """Yield an id of each kind that the account `demo` has."""
    user_id = new_id("u")
    await platform.gateway.onboard(user_id=user_id, email=f"{user_id}@example.com", name="Ada")
    listing_id = await published(platform.http, stock=5)
    purchase_id = await bought(platform.http, listing_id)
    schedule = await platform.temporal.create_schedule(
        f"demo:analytics:rollup:{new_id('s')}",
        replace(rollup_schedule(Granularity.DAY), state=ScheduleState(paused=True, note="It belongs to demo.")),
    )
    payout = await platform.http.post(
        "/v1/payouts",
        json={"payoutId": new_id("po"), "currency": "EUR", "requesterId": "grace"},
        headers={"Prefer": "wait=20"},
    )
    nothing = {"verb": "retry", "filter": {"type": "none"}, "reason": "a test", "dryRun": False}
    bulk = await platform.http.post("/v1/bulk-operations", json=nothing)
    key = await platform.http.post("/v1/api-keys", json={"role": "partner", "name": "of demo"})
    yield {
        "userId": user_id,
        "listingId": listing_id,
        "submissionId": listing_id,
        "purchaseId": purchase_id,
        "payoutId": payout.json()["result"]["payoutId"],
        "workflowId": f"demo:listing:purchase:{purchase_id}",
        "scheduleId": schedule.id,
        "keyId": key.json()["keyId"],
        "bulkOperationId": bulk.json()["bulkOperationId"],
        "escalationId": await _escalated(platform, purchase_id),
    }
    await schedule.delete()


async def _escalated(platform: Platform, purchase_id: str) -> str:
    """Have something escalated, as the payment service does it, and return its id."""
    one = escalation(
        EscalationReason.MISMATCHED, tenant="demo", subject=f"charge:demo:{purchase_id}", now=datetime.now(UTC)
    )
    async with Database.opened(f"sqlite:///{platform.environment['PARTNER_HOME']}/data/payment.sqlite3") as database:
        await SqlEscalations(database).open(one)
    return one.escalation_id


@pytest.mark.parametrize("operation_id", sorted(WITH_IDS.keys() - OF_THE_CALLER.keys()))
async def test_foreign_id_is_answered_like_one_that_does_not_exist(
    platform: Platform, foreigner: httpx.AsyncClient, ids: Mapping[str, str], operation_id: str
) -> None:
    nobodys = {name: f"{value}-nobodys" for name, value in ids.items()} | OF_NOBODY
    before = await _everything(platform.http, ids)

    foreign = await _called(foreigner, operation_id, ids)
    unknown = await _called(foreigner, operation_id, nobodys)

    assert foreign.status_code == 404, foreign.text
    assert _told(foreign, ids) == _told(unknown, nobodys)
    assert await _everything(platform.http, ids) == before


async def test_foreign_inbox_is_empty(foreigner: httpx.AsyncClient, ids: Mapping[str, str]) -> None:
    inbox = await foreigner.get(f"/v1/users/{ids['userId']}/inbox")

    assert inbox.json()["messages"] == []


def test_every_kind_of_id_of_the_document_is_tried() -> None:
    tried = {
        *("userId", "listingId", "submissionId", "purchaseId", "workflowId"),
        *("bulkOperationId", "keyId", "scheduleId", "payoutId", "currency"),
        *("escalationId", "reconciliationId", "provider", "eventId"),
    }

    parameters = {
        parameter["name"]
        for _method, _path, operation in WITH_IDS.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "path"
    }

    assert parameters == tried


async def _called(client: httpx.AsyncClient, operation_id: str, ids: Mapping[str, str]) -> httpx.Response:
    method, path, operation = WITH_IDS[operation_id]
    names = {parameter["name"] for parameter in operation["parameters"]}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    # What only comes out in the end is waited for; each call is a request of its own.
    headers = {"Prefer": "wait=20"} if "Prefer" in names else {}
    if body is not None and "submissionId" in body:
        body = {**body, "submissionId": new_id("s")}
    return await client.request(method, path.format(**ids), json=body, headers=headers)


def _told(answer: httpx.Response, ids: Mapping[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    # Those of the request itself: its trace, and the operation it started in the caller's own account.
    for own in ("traceId", "workflowId", "runId"):
        body.pop(own, None)
    assert not any(value in json.dumps(body) for value in ids.values())
    return body


async def _everything(api: httpx.AsyncClient, ids: Mapping[str, str]) -> list[Any]:
    paths = (
        f"/v1/users/{ids['userId']}",
        f"/v1/users/{ids['userId']}/inbox",
        f"/v1/listings/{ids['listingId']}",
        f"/v1/purchases/{ids['purchaseId']}",
        f"/v1/payouts/{ids['payoutId']}",
        f"/v1/operations/{ids['workflowId']}",
        f"/v1/schedules/{ids['scheduleId']}",
        "/v1/balances",
    )
    answers = [(await api.get(path)).json() for path in paths]
    answers[-1].pop("asOf")
    return answers
