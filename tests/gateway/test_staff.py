"""Staff act for another account by the header Partner-Account; nobody else does."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from temporalio.client import Client

from platform_gateway.identity.callers import Role
from platform_gateway.stores import Stores
from tests.gateway.api import new_user_id, notification, opened_api
from tests.gateway.identities import guarded_api, key_of, opened_stores
from tests.gateway.stubs import WAITS


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncGenerator[Stores]:
    async with opened_stores(tmp_path) as stores:
        yield stores


@pytest.fixture
async def api(client: Client, stores: Stores) -> AsyncGenerator[httpx.AsyncClient]:
    async with guarded_api(client, stores) as api:
        yield api


async def test_staff_act_for_an_account_and_what_they_change_is_kept(
    api: httpx.AsyncClient, stores: Stores, client: Client
) -> None:
    staff, acme = await key_of(stores, "platform"), await key_of(stores, "acme")
    acting = {**staff, "Partner-Account": "acme"}
    path = f"/v1/users/{new_user_id()}/onboarding"

    started = await api.post(path, json={"email": "a@example.com", "name": WAITS}, headers=acting)
    workflow_id = started.json()["workflowId"]
    seen = [await api.get(f"/v1/operations/{workflow_id}", headers=headers) for headers in (acting, acme, staff)]
    made = await api.post("/v1/api-keys", json={"role": "partner"}, headers=acting)
    log = await api.get("/v1/audit-log", headers=acme)

    assert workflow_id.startswith("acme:")
    assert [answer.status_code for answer in seen] == [200, 200, 404]
    assert made.json()["account"] == "acme"
    entries = [(each["action"], each["outcome"], each["home"]) for each in reversed(log.json()["entries"])]
    assert entries == [
        ("onboardUser", "asked", "platform"),
        ("onboardUser", "done", "platform"),
        ("getOperation", "read", "platform"),
        ("createApiKey", "asked", "platform"),
        ("createApiKey", "done", "platform"),
    ]
    targets = {path, f"/v1/operations/{workflow_id}", "/v1/api-keys"}
    assert {each["target"] for each in log.json()["entries"]} == targets
    await client.get_workflow_handle(workflow_id).terminate()


async def test_staff_do_not_look_into_an_account_when_that_cannot_be_kept(
    api: httpx.AsyncClient, stores: Stores
) -> None:
    staff, acme = await key_of(stores, "platform"), await key_of(stores, "acme")
    async with stores.database.write() as connection:
        await connection.execute(text("DROP TABLE audit_log"))

    refused = await api.get("/v1/operations/acme:a:b:c", headers={**staff, "Partner-Account": "acme"})
    own = await api.get("/v1/operations/acme:a:b:c", headers=acme)

    assert (refused.status_code, refused.json()["type"]) == (503, "audit_unavailable")
    assert own.status_code == 404


async def test_staff_who_act_for_an_account_read_its_entries_alone(api: httpx.AsyncClient, stores: Stores) -> None:
    staff = await key_of(stores, "platform")
    for account in ("acme", "zenith"):
        await api.post("/v1/api-keys", json={"role": "partner"}, headers={**staff, "Partner-Account": account})

    log = await api.get("/v1/audit-log", headers={**staff, "Partner-Account": "acme"})

    assert {entry["account"] for entry in log.json()["entries"]} == {"acme"}


async def test_role_of_staff_counts_in_another_account_as_well(api: httpx.AsyncClient, stores: Stores) -> None:
    reviewer = await key_of(stores, "platform", Role.REVIEWER)

    answer = await api.get("/v1/purchases", headers={**reviewer, "Partner-Account": "acme"})

    assert answer.status_code == 403
    assert answer.json()["type"] == "insufficient_scope"


@pytest.mark.parametrize("account", ["zenith", "platform", "", "Zenith", "acme:user", "acme,zenith"])
async def test_nobody_else_acts_for_another_account(api: httpx.AsyncClient, stores: Stores, account: str) -> None:
    acme = await key_of(stores, "acme")

    answer = await api.get("/v1/operations/zenith:a:b:c", headers={**acme, "Partner-Account": account})
    log = await api.get("/v1/audit-log", headers=acme)

    assert (answer.status_code, answer.json()["type"]) == (403, "foreign_account")
    (entry,) = log.json()["entries"]
    assert (entry["action"], entry["outcome"], entry["details"]) == ("actForAccount", "denied", {"account": account})


async def test_account_that_cannot_be_is_nobodys(api: httpx.AsyncClient, stores: Stores) -> None:
    staff = await key_of(stores, "platform")

    answer = await api.get("/v1/purchases", headers={**staff, "Partner-Account": "acme:user"})

    assert (answer.status_code, answer.json()["type"]) == (403, "foreign_account")


async def test_own_account_may_be_named(api: httpx.AsyncClient, stores: Stores) -> None:
    acme = await key_of(stores, "acme")

    answer = await api.get("/v1/operations/acme:a:b:c", headers={**acme, "Partner-Account": "acme"})

    assert answer.status_code == 404


async def test_while_authentication_is_off_everybody_is_demo_and_nobody_else(client: Client) -> None:
    async with opened_api(client, auth="off", tenant="acme") as api:
        started = await api.post("/api/temporal/notification/start", json=notification())
        own = await api.get("/v1/operations/demo:a:b:c", headers={"Authorization": "Bearer whatever"})
        other = await api.get("/v1/operations/acme:a:b:c", headers={"Partner-Account": "acme"})

    assert started.json()["workflowId"].startswith("demo:")
    assert (own.status_code, other.status_code) == (404, 403)
