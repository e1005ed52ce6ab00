"""Payouts: asked for by staff once, approved by two people, cancelled until they are sent, seen by their partner."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.view import TENANT_HEADER
from platform_gateway.identity.callers import Role
from platform_gateway.stores import Stores
from tests.gateway.api import asked_until, closed_status, opened_api, status_when
from tests.gateway.identities import guarded_api, key_of, opened_stores
from tests.gateway.payment_stubs import DIFFERS, REVIEWED, SENT, payment_stub_worker
from tests.gateway.views_server import FakeViews

WAIT = {"Prefer": "wait=10"}
ADA = {"decision": "approve", "reviewerId": "ada", "comment": "fine"}
BARBARA = {"decision": "approve", "reviewerId": "barbara"}
EDSGER = {"decision": "reject", "reviewerId": "edsger", "comment": "who is that"}


@pytest.fixture
async def paying_api(patient_api: httpx.AsyncClient, client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    async with payment_stub_worker(client):
        yield patient_api


def payout(*, prefix: str = "po", **changes: Any) -> dict[str, Any]:
    """Return the body of a payout."""
    return {"payoutId": f"{prefix}-{uuid4().hex[:12]}", "currency": "EUR", "requesterId": "grace", **changes}


async def reviewed(api: httpx.AsyncClient) -> str:
    """Ask for a payout and return the path of its decision, once it waits for that."""
    answer = await api.post("/v1/payouts", json=payout(prefix=REVIEWED))
    workflow_id = answer.json()["workflowId"]
    await status_when(api, workflow_id, lambda status: status["progress"] is not None)
    return f"/v1/payouts/{workflow_id.split(':')[-1]}/decision"


def workflow_of(decision: str) -> str:
    """Return the workflow that a decision is about."""
    return f"demo:payment:partner-payout:{decision.split('/')[-2]}"


async def test_payout_is_made_once_by_its_id(paying_api: httpx.AsyncClient) -> None:
    body = payout()

    first = await paying_api.post("/v1/payouts", json=body, headers=WAIT)
    again = await paying_api.post("/v1/payouts", json=body)
    other = await paying_api.post("/v1/payouts", json={**body, "currency": "USD"})
    by_another = await paying_api.post("/v1/payouts", json={**body, "requesterId": "ada"})

    assert first.status_code == 200
    assert first.json()["result"] == {
        "payoutId": body["payoutId"],
        "status": "paid",
        "amount": {"minorUnits": 1250, "currency": "EUR", "exponent": 2},
        "withheld": {"minorUnits": 0, "currency": "EUR", "exponent": 2},
        "carried": None,
    }
    assert again.headers["idempotent-replayed"] == "true"
    assert [(answer.status_code, answer.json()["type"]) for answer in (other, by_another)] == [
        (409, "different_details")
    ] * 2


async def test_payout_needs_a_name(api: httpx.AsyncClient) -> None:
    nameless = await api.post("/v1/payouts", json={"currency": "EUR", "requesterId": "grace"})
    key = {"Idempotency-Key": uuid4().hex}
    named = [await api.post("/v1/payouts", json={"currency": "EUR", "requesterId": "grace"}, headers=key) for _ in "12"]

    assert (nameless.status_code, nameless.json()["errors"][0]["field"]) == (422, "payoutId")
    assert {answer.status_code for answer in named} == {202}
    assert len({answer.json()["runId"] for answer in named}) == 1


async def test_failed_payout_says_why_without_its_raw_text(paying_api: httpx.AsyncClient) -> None:
    answer = await paying_api.post("/v1/payouts", json=payout(prefix=DIFFERS), headers=WAIT)

    assert (answer.status_code, answer.json()["type"]) == (409, "payout_differs")
    assert "db-7.internal" not in answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": "euro"}, "currency"),
        ({"exponent": 5}, "exponent"),
        ({"payoutId": "a:b"}, "payoutId"),
        ({"amount": 5}, "amount"),
        ({"requesterId": None}, "requesterId"),
    ],
)
async def test_what_cannot_be_a_payout_names_the_field(
    api: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/payouts", json=payout(**changes))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_two_people_approve_it(paying_api: httpx.AsyncClient) -> None:
    decision = await reviewed(paying_api)

    first = await paying_api.post(decision, json=ADA)
    second = await paying_api.post(decision, json=BARBARA)
    status = await closed_status(paying_api, workflow_of(decision))

    assert (first.status_code, first.json()["outcome"]) == (200, "waiting_for_second")
    assert (second.status_code, second.json()["outcome"]) == (200, "approved")
    assert second.json()["decisions"] == [ADA, {**BARBARA, "comment": ""}]
    assert status["result"]["status"] == "paid"


async def test_same_person_twice_is_refused_and_told_what_was_decided(paying_api: httpx.AsyncClient) -> None:
    decision = await reviewed(paying_api)
    await paying_api.post(decision, json=ADA)

    again = await paying_api.post(decision, json=ADA)
    otherwise = await paying_api.post(decision, json={**ADA, "decision": "reject"})

    for answer in (again, otherwise):
        assert (answer.status_code, answer.json()["type"]) == (409, "payout_already_decided")
        assert answer.json()["decisions"] == [ADA]
        assert "db-7.internal" not in answer.text
    await paying_api.post(decision, json=EDSGER)


async def test_same_request_again_gets_the_same_answer_also_after_the_end(paying_api: httpx.AsyncClient) -> None:
    decision = await reviewed(paying_api)
    headers = {"Idempotency-Key": uuid4().hex}

    first, at_once = await asyncio.gather(*(paying_api.post(decision, json=ADA, headers=headers) for _ in "12"))
    later = await paying_api.post(decision, json=ADA, headers=headers)
    other_body = await paying_api.post(decision, json={**ADA, "comment": "!"}, headers=headers)
    await paying_api.post(decision, json=BARBARA)
    await closed_status(paying_api, workflow_of(decision))
    after_the_end = await paying_api.post(decision, json=ADA, headers=headers)

    assert [answer.status_code for answer in (first, at_once, later, after_the_end)] == [200] * 4
    assert first.json() == at_once.json() == later.json() == after_the_end.json()
    assert later.headers["idempotent-replayed"] == after_the_end.headers["idempotent-replayed"] == "true"
    assert (other_body.status_code, other_body.json()["type"]) == (409, "payout_already_decided")


async def test_who_asked_for_it_does_not_approve_it(paying_api: httpx.AsyncClient) -> None:
    decision = await reviewed(paying_api)

    own = await paying_api.post(decision, json={**ADA, "reviewerId": "grace"})
    await paying_api.post(decision, json=EDSGER)
    await closed_status(paying_api, workflow_of(decision))
    own_after_the_end = await paying_api.post(decision, json={**ADA, "reviewerId": "grace"})

    assert [(answer.status_code, answer.json()["type"]) for answer in (own, own_after_the_end)] == [
        (403, "reviewer_is_requester")
    ] * 2


async def test_late_decision_is_told_what_was_decided(paying_api: httpx.AsyncClient) -> None:
    decision = await reviewed(paying_api)
    rejected = await paying_api.post(decision, json=EDSGER)
    await closed_status(paying_api, workflow_of(decision))

    late = await paying_api.post(decision, json=ADA)

    assert rejected.json()["outcome"] == "rejected"
    assert (late.status_code, late.json()["type"]) == (409, "payout_already_decided")
    assert late.json()["decisions"] == [EDSGER]


@pytest.mark.parametrize("prefix", ["po", SENT])
async def test_payout_that_needs_no_review_takes_no_decision(
    paying_api: httpx.AsyncClient, client: Client, prefix: str
) -> None:
    body = payout(prefix=prefix)
    started = await paying_api.post("/v1/payouts", json=body)
    await status_when(
        paying_api,
        started.json()["workflowId"],
        lambda status: status["closeTime"] is not None or status["progress"] is not None,
    )

    answer = await paying_api.post(f"/v1/payouts/{body['payoutId']}/decision", json=ADA)
    if prefix == SENT:
        await client.get_workflow_handle(started.json()["workflowId"]).terminate()

    assert (answer.status_code, answer.json()["type"]) == (409, "payout_not_in_review")
    assert "decisions" not in answer.json()


async def test_without_a_worker_a_decision_is_503_with_the_reason_and_taken_once_when_it_is_sent_again(
    patient_api: httpx.AsyncClient, client: Client
) -> None:
    async with payment_stub_worker(client):
        decision = await reviewed(patient_api)
    headers = {"Idempotency-Key": uuid4().hex}
    asked_at = time.monotonic()

    away = await patient_api.post(decision, json=ADA, headers=headers)
    waited = time.monotonic() - asked_at
    async with payment_stub_worker(client):
        back = await patient_api.post(decision, json=ADA, headers=headers)
        await patient_api.post(decision, json=EDSGER)

    assert waited < 5
    assert (away.status_code, away.json()["type"]) == (503, "no_worker")
    assert int(away.headers["retry-after"]) > 0
    assert (away.json()["blockedBy"]["reason"], away.json()["blockedBy"]["queue"]) == ("waiting_for_worker", "payment")
    assert (back.status_code, back.json()["outcome"]) == (200, "waiting_for_second")


async def test_payout_is_one_of_its_account(paying_api: httpx.AsyncClient, client: Client) -> None:
    decision = await reviewed(paying_api)

    async with opened_api(client, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as acme:
        answers = [
            await acme.post(decision, json=ADA),
            await acme.post(decision.replace("decision", "cancel")),
            await paying_api.post("/v1/payouts/nothing/decision", json=ADA),
        ]
    await paying_api.post(decision, json=EDSGER)

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(404, "unknown_payout")] * 3


async def test_payout_is_cancelled_until_it_is_sent(paying_api: httpx.AsyncClient, client: Client) -> None:
    decision = await reviewed(paying_api)
    sent = payout(prefix=SENT)
    started = await paying_api.post("/v1/payouts", json=sent)
    await status_when(paying_api, started.json()["workflowId"], lambda status: status["progress"] is not None)

    waiting = await paying_api.post(decision.replace("decision", "cancel"))
    status = await closed_status(paying_api, workflow_of(decision))
    too_late = await paying_api.post(f"/v1/payouts/{sent['payoutId']}/cancel")
    await client.get_workflow_handle(started.json()["workflowId"]).terminate()

    assert (waiting.status_code, status["status"]) == (202, "CANCELED")
    assert (too_late.status_code, too_late.json()["type"]) == (409, "past_the_pivot")


@pytest.mark.parametrize(
    "body", [{}, {**ADA, "decision": "yes"}, {**ADA, "reviewerId": ""}, {"decision": "approve"}, {**ADA, "score": 5}]
)
async def test_what_cannot_be_a_decision_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.post("/v1/payouts/po-1/decision", json=body)

    assert answer.status_code == 422


async def test_plan_is_changed_and_read(paying_api: httpx.AsyncClient, client: Client, views: FakeViews) -> None:
    plan = {"schedule": "weekly", "delayDays": 3, "reviewAboveMinorUnits": None}
    kept = {
        "schedule": "weekly",
        "minimumMinorUnits": 1,
        "delayDays": 3,
        "reserveBasisPoints": 0,
        "reserveDays": 0,
        "reviewAboveMinorUnits": None,
        "destination": None,
    }
    views.answers["/views/payout-plan"] = {
        "currency": "EUR",
        "plan": {
            "schedule": "weekly",
            "minimum_minor_units": 1,
            "delay_days": 3,
            "reserve_basis_points": 0,
            "reserve_days": 0,
            "review_above_minor_units": None,
            "destination": None,
        },
        "is_default": False,
    }

    changed = await paying_api.put("/v1/payout-plans/EUR", json=plan, headers=WAIT)
    async with opened_api(client, views_url=views.url) as api:
        found = await api.get("/v1/payout-plans/EUR")
    wrong = await paying_api.put("/v1/payout-plans/euro", json=plan)

    assert (changed.status_code, changed.json()["result"]) == (200, {"currency": "EUR", "plan": kept})
    assert found.json() == {"currency": "EUR", "plan": kept, "isDefault": False}
    assert wrong.status_code == 422


async def test_payouts_are_shown_to_their_partner(client: Client, views: FakeViews) -> None:
    euros = {"minor_units": 1250, "currency": "EUR", "exponent": 2}
    row = {
        "payout_id": "po-1",
        "status": "carried",
        "amount": {**euros, "minor_units": 0},
        "withheld": {**euros, "minor_units": 0},
        "carried": "below_minimum",
        "cut": "2026-11-23T00:00:00Z",
        "needs_review": False,
        "created_at": "2026-11-23T00:15:00Z",
        "changed_at": "2026-11-23T00:15:00Z",
        "reserve_until": None,
    }
    views.answers["/views/payout"] = {"payout": row}
    views.answers["/views/payouts"] = {"payouts": [row], "next_cursor": "c-2"}

    async with opened_api(client, views_url=views.url, api_key="k", tenant="acme", headers={"X-API-Key": "k"}) as api:
        one = await api.get("/v1/payouts/po-1")
        page = await api.get("/v1/payouts", params={"limit": 1, "cursor": "c-1"})
        views.answers["/views/payout"] = {"payout": None}
        missing = await api.get("/v1/payouts/po-1")

    assert one.json()["carried"] == "below_minimum"
    assert one.json()["links"] == {
        "self": "/v1/payouts/po-1",
        "operation": "/v1/operations/acme:payment:partner-payout:po-1",
    }
    assert page.json() == {"payouts": [one.json()], "nextCursor": "c-2"}
    assert {request.headers[TENANT_HEADER] for request in views.requests} == {"acme"}
    assert (missing.status_code, missing.json()["type"]) == (404, "unknown_payout")


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncGenerator[Stores]:
    async with opened_stores(tmp_path) as stores:
        yield stores


async def test_partner_asks_for_nothing_and_decides_on_nothing_about_its_own_payouts(
    client: Client, stores: Stores
) -> None:
    async with guarded_api(client, stores) as api:
        answers: list[httpx.Response] = []
        for role in (Role.PARTNER, Role.ADMIN):
            headers = await key_of(stores, "acme", role)
            answers += [
                await api.post("/v1/payouts", json={"payoutId": "po-1", "currency": "EUR"}, headers=headers),
                await api.post("/v1/payouts/po-1/decision", json={"decision": "approve"}, headers=headers),
                await api.post("/v1/payouts/po-1/cancel", headers=headers),
                await api.put(
                    "/v1/payout-plans/EUR",
                    json={"schedule": "daily", "delayDays": 0, "reviewAboveMinorUnits": None},
                    headers=headers,
                ),
            ]

    assert [answer.status_code for answer in answers] == [403] * 8
    assert [answer.json()["type"] for answer in answers] == ["insufficient_scope"] * 4 + ["staff_only"] * 4


async def test_staff_are_told_apart_by_who_they_are_and_name_nobody_else(client: Client, stores: Stores) -> None:
    async with guarded_api(client, stores) as api, payment_stub_worker(client):
        grace = {**await key_of(stores, "platform"), "Partner-Account": "acme"}
        ada, barbara = [
            {**await key_of(stores, "platform", Role.REVIEWER), "Partner-Account": "acme"} for _ in range(2)
        ]
        payout_id = f"{REVIEWED}-{uuid4().hex[:12]}"
        body = {"payoutId": payout_id, "currency": "EUR"}
        named = await api.post("/v1/payouts", json={**body, "requesterId": "somebody"}, headers=grace)
        asked = await api.post("/v1/payouts", json=body, headers=grace)
        decision, approve = f"/v1/payouts/{payout_id}/decision", {"decision": "approve"}
        own = await api.post(decision, json=approve, headers=grace)
        disguised = await api.post(decision, json={**approve, "reviewerId": "somebody"}, headers=ada)
        first = await _taken(api, decision, approve, ada)
        again = await api.post(decision, json=approve, headers=ada)
        second = await api.post(decision, json=approve, headers=barbara)
        log = await api.get("/v1/audit-log", headers=grace)

    assert (named.status_code, named.json()["errors"][0]["field"]) == (422, "requesterId")
    assert asked.json()["workflowId"] == f"acme:payment:partner-payout:{payout_id}"
    assert (own.status_code, own.json()["type"]) == (403, "reviewer_is_requester")
    assert (disguised.status_code, disguised.json()["errors"][0]["field"]) == (422, "reviewerId")
    assert first.json()["outcome"] == "waiting_for_second"
    assert (again.status_code, again.json()["type"]) == (409, "payout_already_decided")
    assert second.json()["outcome"] == "approved"
    entries = [each for each in log.json()["entries"] if each["action"] == "decidePayout"]
    assert {each["account"] for each in entries} == {"acme"}
    assert {"decision": "approve", "reviewerId": entries[0]["subject"]} in [each["details"] for each in entries]


async def _taken(api: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    """Decide as soon as the payout is in review."""
    return await asked_until(
        lambda: api.post(path, json=body, headers=headers), lambda answer: answer.status_code != 409
    )
