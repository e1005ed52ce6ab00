"""Reconciliations: staff read what was compared, and what differs."""

from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.view import TENANT_HEADER
from platform_gateway.identity.callers import Role
from tests.gateway.identities import guarded_api, key_of, opened_stores
from tests.gateway.views_server import FakeViews

AN_ID = "acquirer-0f6e7b1c-2d3a-4b5c-8d9e-0a1b2c3d4e5f"
PATH = f"/v1/reconciliations/{AN_ID}"
SEEN = {
    "reconciliation_id": AN_ID,
    "provider": "acquirer",
    "since": "2026-01-02T03:00:00Z",
    "until": "2026-01-02T04:00:00Z",
    "finished_at": "2026-01-02T04:02:00Z",
    "matched": 5,
    "missing": 0,
    "extra": 1,
    "mismatched": 0,
    "escalated": 0,
}
FINDING = {
    "kind": "capture",
    "account": "buyers",
    "name": "p-1",
    "difference": "extra",
    "state": "open",
    "at_provider": {"minor_units": 1250, "currency": "EUR", "exponent": 2},
    "status_at_provider": "succeeded",
    "posted": 0,
    "pending": 0,
    "first_seen_at": "2026-01-02T04:01:00Z",
    "last_seen_at": "2026-01-02T04:01:00Z",
}


async def _read(
    client: Client, home: Path, views: FakeViews, *paths: str, tenant: str, role: Role
) -> list[httpx.Response]:
    async with opened_stores(home) as stores, guarded_api(client, stores, views_url=views.url) as api:
        key = await key_of(stores, tenant, role)
        return [await api.get(path, headers=key) for path in paths]


async def test_page_and_report_are_read_by_staff(client: Client, tmp_path: Path, views: FakeViews) -> None:
    views.answers["/views/reconciliations"] = {"reconciliations": [SEEN], "next_cursor": "c-2"}
    views.answers["/views/reconciliation"] = {"reconciliation": SEEN, "findings": [FINDING]}

    page, one = await _read(
        client,
        tmp_path,
        views,
        "/v1/reconciliations?limit=5&cursor=c-1",
        PATH,
        tenant=PLATFORM_TENANT,
        role=Role.OPERATOR,
    )

    report = one.json()
    assert report.pop("findings")[0]["atProvider"] == {"minorUnits": 1250, "currency": "EUR", "exponent": 2}
    assert page.json() == {"reconciliations": [report], "nextCursor": "c-2"}
    assert report["links"] == {"self": PATH}
    assert report["extra"] == 1
    assert [request.headers[TENANT_HEADER] for request in views.requests] == [PLATFORM_TENANT] * 2
    assert dict(views.requests[0].query_params) == {"limit": "5", "cursor": "c-1"}


async def test_unknown_one_is_told_by_name(client: Client, tmp_path: Path, views: FakeViews) -> None:
    views.answers["/views/reconciliation"] = {"reconciliation": None}

    (missing,) = await _read(client, tmp_path, views, PATH, tenant=PLATFORM_TENANT, role=Role.OPERATOR)

    assert (missing.status_code, missing.json()["type"]) == (404, "unknown_reconciliation")


@pytest.mark.parametrize(("tenant", "role"), [("acme", Role.PARTNER), (PLATFORM_TENANT, Role.REVIEWER)])
async def test_others_do_not_read_them(
    client: Client, tmp_path: Path, views: FakeViews, tenant: str, role: Role
) -> None:
    (refused,) = await _read(client, tmp_path, views, "/v1/reconciliations", tenant=tenant, role=role)

    assert (refused.status_code, refused.json()["type"]) == (403, "insufficient_scope")
    assert views.requests == []
