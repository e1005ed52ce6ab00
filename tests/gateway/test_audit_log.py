"""The audit log: decisions and denials are in it, before they are taken, and it cannot be changed."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client

from platform_gateway.identity.callers import Role
from platform_gateway.stores import Stores
from tests.gateway.api import new_user_id
from tests.gateway.identities import entries, guarded_api, key_of, opened_stores
from tests.gateway.stubs import WAITS


@pytest.fixture
async def stores(tmp_path: Any) -> AsyncGenerator[Stores]:
    async with opened_stores(tmp_path) as stores:
        yield stores


@pytest.fixture
async def api(client: Client, stores: Stores) -> AsyncGenerator[httpx.AsyncClient]:
    async with guarded_api(client, stores) as api:
        yield api


def _subject(headers: dict[str, str]) -> str:
    return f"key:{headers['Authorization'].split('_')[2]}"


async def _onboarding(api: httpx.AsyncClient, headers: dict[str, str]) -> str:
    body = {"email": "a@example.com", "name": WAITS}
    started = await api.post(f"/v1/users/{new_user_id()}/onboarding", json=body, headers=headers)
    workflow_id: str = started.json()["workflowId"]
    return workflow_id


async def test_decision_is_kept_before_it_is_taken_and_with_what_came_of_it(
    api: httpx.AsyncClient, stores: Stores, client: Client
) -> None:
    admin, reviewer = await key_of(stores, "acme"), await key_of(stores, "acme", Role.REVIEWER)
    workflow_id = await _onboarding(api, admin)

    await api.post(f"/v1/operations/{workflow_id}/cancel", headers=admin)
    await api.post("/v1/operations/acme:user:notification:none/cancel", headers=admin)
    await api.post("/v1/purchases/none/cancel", headers=admin)
    await api.post(
        "/v1/listings/lamp/submissions/none/review",
        json={"reviewerId": "edsger", "approved": False, "reason": "dim"},
        headers=reviewer,
    )
    await api.post("/v1/api-keys", json={"role": "owner"}, headers=admin)
    await api.get(f"/v1/operations/{workflow_id}", headers=admin)

    who = _subject(admin)
    assert await entries(stores, "acme") == [
        (who, "cancelOperation", "asked"),
        (who, "cancelOperation", "done"),
        (who, "cancelOperation", "asked"),
        (who, "cancelOperation", "unknown_operation"),
        (who, "cancelPurchase", "asked"),
        (who, "cancelPurchase", "unknown_purchase"),
        (_subject(reviewer), "reviewSubmission", "asked"),
        (_subject(reviewer), "reviewSubmission", "unknown_submission"),
        (who, "createApiKey", "asked"),
        (who, "createApiKey", "invalid_request"),
    ]
    of_the_review = (await stores.audit.page("acme", before=None, limit=3))[2]
    assert of_the_review.target == "/v1/listings/lamp/submissions/none/review"
    assert of_the_review.details == {"approved": False, "reviewerId": "edsger"}
    assert of_the_review.trace_id is not None
    await client.get_workflow_handle(workflow_id).terminate()


async def test_management_of_keys_is_kept_without_their_secrets(api: httpx.AsyncClient, stores: Stores) -> None:
    admin = await key_of(stores, "acme")

    made = await api.post("/v1/api-keys", json={"role": "reviewer"}, headers=admin)
    rotated = await api.post(f"/v1/api-keys/{made.json()['keyId']}/rotate", headers=admin)
    await api.post(f"/v1/api-keys/{made.json()['keyId']}/revoke", headers=admin)
    shown = await api.get("/v1/audit-log", headers=admin)

    done = [entry for entry in shown.json()["entries"] if entry["outcome"] == "done"]
    assert [entry["action"] for entry in done] == ["revokeApiKey", "rotateApiKey", "createApiKey"]
    assert done[2]["details"]["keyId"] == made.json()["keyId"]
    assert done[2]["details"]["role"] == "reviewer"
    assert done[1]["details"] == {"successor": rotated.json()["keyId"]}
    assert not [key for key in (made, rotated) if key.json()["apiKey"][25:] in shown.text]


async def test_denials_are_kept(api: httpx.AsyncClient, stores: Stores) -> None:
    admin, partner = await key_of(stores, "acme"), await key_of(stores, "acme", Role.PARTNER)
    expired = await key_of(stores, "acme", expires_at=datetime.now(UTC) + timedelta(milliseconds=20))
    revoked = await key_of(stores, "acme")
    await api.post(f"/v1/api-keys/{_subject(revoked).removeprefix('key:')}/revoke", headers=admin)
    wrong = {"Authorization": f"{partner['Authorization'][:-8]}aaaaaaaa"}
    nobodys = {"Authorization": f"Bearer pp_live_0123456789abcdef_{'a' * 43}"}

    statuses = [
        (await api.get("/v1/users/u-1", headers=headers)).status_code for headers in (expired, revoked, wrong, nobodys)
    ]
    repeated = [(await api.get("/v1/users/u-1", headers=wrong)).status_code for _ in range(20)]
    forbidden = await api.get("/v1/audit-log", headers=partner)

    found = await stores.audit.page("acme", before=None, limit=200)
    denied = [(entry.subject, entry.action, entry.details) for entry in reversed(found) if entry.outcome == "denied"]
    assert {*statuses, *repeated} == {401}
    assert forbidden.status_code == 403
    assert denied == [
        (_subject(expired), "authenticate", {"reason": "expired"}),
        (_subject(revoked), "authenticate", {"reason": "revoked"}),
        (_subject(partner), "authenticate", {"reason": "wrong_secret"}),
        (_subject(partner), "listAuditLog", {"scope": "audit:read"}),
    ]


async def test_what_cannot_be_recorded_is_not_done(api: httpx.AsyncClient, stores: Stores, client: Client) -> None:
    admin, partner = await key_of(stores, "acme"), await key_of(stores, "acme", Role.PARTNER)
    workflow_id = await _onboarding(api, admin)
    async with stores.database.write() as connection:
        await connection.execute(text("DROP TABLE audit_log"))

    answers = [
        await api.post(f"/v1/operations/{workflow_id}/cancel", headers=admin),
        await api.post(f"/api/temporal/workflow/{workflow_id}/cancel", headers=admin),
        await api.post("/v1/api-keys", json={"role": "partner"}, headers=admin),
    ]
    denied = await api.get("/v1/audit-log", headers=partner)
    unread = await api.get("/v1/audit-log", headers=admin)
    kept = await stores.keys.page("acme", after=None, limit=10)
    status = await api.get(f"/v1/operations/{workflow_id}", headers=admin)
    history = await client.get_workflow_handle(workflow_id).fetch_history()

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(503, "audit_unavailable")] * 3
    assert (denied.status_code, unread.status_code) == (403, 503)
    assert len(kept) == 2
    assert status.status_code == 200
    assert not [
        event for event in history.events if event.HasField("workflow_execution_cancel_requested_event_attributes")
    ]
    await client.get_workflow_handle(workflow_id).terminate()


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET outcome = 'done'", "DELETE FROM audit_log"])
async def test_entry_cannot_be_changed(stores: Stores, statement: str) -> None:
    await stores.audit.record(None, "buy", "/v1/purchases", outcome="denied")

    with pytest.raises(SQLAlchemyError, match="append only"):
        async with stores.database.write() as connection:
            await connection.execute(text(statement))

    assert await entries(stores) == [(None, "buy", "denied")]


async def test_account_reads_its_own_entries_and_staff_those_of_all(api: httpx.AsyncClient, stores: Stores) -> None:
    acme, zenith, staff = [await key_of(stores, tenant) for tenant in ("acme", "zenith", "platform")]
    for headers in (acme, zenith, acme):
        await api.post("/v1/api-keys", json={"role": "partner"}, headers=headers)

    async def accounts(headers: dict[str, str], **query: str) -> list[str]:
        answer = await api.get("/v1/audit-log", params=query, headers=headers)
        return [entry["account"] for entry in answer.json()["entries"] if entry["outcome"] == "done"]

    own = await accounts(acme)
    foreign = await api.get("/v1/audit-log", params={"account": "zenith"}, headers=acme)
    everything, one = await accounts(staff), await accounts(staff, account="zenith")
    first = await api.get("/v1/audit-log", params={"limit": 3}, headers=acme)
    cursor = first.json()["nextCursor"]
    rest = await api.get("/v1/audit-log", params={"limit": 3, "cursor": cursor}, headers=acme)
    carried_over = await api.get("/v1/audit-log", params={"cursor": cursor}, headers=zenith)
    made_up = await api.get("/v1/audit-log", params={"cursor": "made-up"}, headers=acme)

    assert own == ["acme", "acme"]
    assert (foreign.status_code, foreign.json()["type"]) == (403, "foreign_account")
    assert everything == ["acme", "zenith", "acme"]
    assert one == ["zenith"]
    assert [len(page.json()["entries"]) for page in (first, rest)] == [3, 1]
    assert rest.json()["nextCursor"] is None
    assert (carried_over.status_code, made_up.status_code) == (422, 422)


async def test_staff_who_read_what_is_kept_about_others_are_kept_there_themselves(
    api: httpx.AsyncClient, stores: Stores
) -> None:
    acme, staff = await key_of(stores, "acme"), await key_of(stores, "platform")

    for query in ({}, {"account": "acme"}, {"account": "platform"}):
        await api.get("/v1/audit-log", params=query, headers=staff)
    await api.get("/v1/audit-log", headers=acme)

    (of_acme,) = await stores.audit.page("acme", before=None, limit=10)
    (of_all,) = await stores.audit.page("platform", before=None, limit=10)
    assert (of_acme.subject, of_acme.home) == (_subject(staff), "platform")
    assert (of_all.subject, of_all.home) == (_subject(staff), None)
    for entry in (of_acme, of_all):
        assert (entry.action, entry.target, entry.outcome) == ("listAuditLog", "/v1/audit-log", "read")


async def test_staff_read_nothing_about_others_that_cannot_be_kept(api: httpx.AsyncClient, stores: Stores) -> None:
    staff = await key_of(stores, "platform")
    async with stores.database.write() as connection:
        full = "CREATE TRIGGER is_full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(FAIL, 'full'); END"
        await connection.execute(text(full))

    answers = [
        await api.get("/v1/audit-log", params=query, headers=staff)
        for query in ({}, {"account": "acme"}, {"account": "platform"})
    ]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json()["type"] == "audit_unavailable"
