"""What waits for a person: who sees it, and who resolves it."""

from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from platform_contracts.identifiers import PLATFORM_TENANT
from platform_contracts.task_queues import TaskQueue
from platform_contracts.view import TENANT_HEADER
from platform_gateway.identity.callers import Role
from tests.fakes.payment_escalations import FakeEscalations, escalated, escalation_worker
from tests.gateway.identities import entries, guarded_api, key_of, opened_stores
from tests.gateway.views_server import FakeViews

WAITING = escalated(7)
PATH = f"/v1/escalations/{WAITING.escalation_id}"
SEEN = {
    "escalation_id": WAITING.escalation_id,
    "account": "buyers",
    "reason": "charge_unresolved",
    "subject": "charge:buyers:p-7",
    "details": [{"name": "provider", "value": "acquirer"}],
    "opened_at": "2026-01-02T03:11:05Z",
}
BODY = {"resolution": "The acquirer confirms that nothing was charged."}


def _show(views: FakeViews) -> None:
    views.answers["/views/escalations"] = {"escalations": [SEEN], "next_cursor": "c-2"}
    views.answers["/views/escalation"] = {"escalation": SEEN}


async def test_page_and_one_escalation_are_read_for_the_account_that_calls(
    client: Client, tmp_path: Path, views: FakeViews
) -> None:
    _show(views)
    async with opened_stores(tmp_path) as stores, guarded_api(client, stores, views_url=views.url) as api:
        operator = await key_of(stores, PLATFORM_TENANT, Role.OPERATOR)

        page = await api.get("/v1/escalations", params={"open": "true", "limit": 5, "cursor": "c-1"}, headers=operator)
        one = await api.get(PATH, headers=operator)

    assert page.json() == {"escalations": [one.json()], "nextCursor": "c-2"}
    assert one.json()["links"] == {"self": PATH}
    assert one.json()["resolvedAt"] is None
    assert [request.headers[TENANT_HEADER] for request in views.requests] == [PLATFORM_TENANT] * 2
    assert dict(views.requests[0].query_params) == {"is_open": "true", "limit": "5", "cursor": "c-1"}


async def test_operator_resolves_it_once_and_is_audited(client: Client, tmp_path: Path, views: FakeViews) -> None:
    _show(views)
    escalations = FakeEscalations(WAITING)
    async with (
        opened_stores(tmp_path) as stores,
        guarded_api(client, stores, views_url=views.url) as api,
        escalation_worker(client, escalations, task_queue=TaskQueue.PAYMENT),
    ):
        operator = await key_of(stores, PLATFORM_TENANT, Role.OPERATOR)
        asking = {**operator, "Prefer": "wait=20"}

        resolved = await api.post(f"{PATH}/resolution", json=BODY, headers=asking)
        repeated = await api.post(f"{PATH}/resolution", json=BODY, headers=asking)
        other = await api.post(f"{PATH}/resolution", json={"resolution": "No idea."}, headers=asking)
        seen = await entries(stores, PLATFORM_TENANT)

    assert resolved.status_code == 200
    assert resolved.json()["result"]["resolution"] == BODY["resolution"]
    assert repeated.json()["result"] == resolved.json()["result"]
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (409, "different_details")
    assert escalations.rows[WAITING.escalation_id].resolution == BODY["resolution"]
    assert ("resolveEscalation", "done") in {(action, outcome) for _, action, outcome in seen}


@pytest.mark.parametrize(
    ("tenant", "role", "status", "problem"),
    [
        ("buyers", Role.ADMIN, 403, "staff_only"),
        ("buyers", Role.PARTNER, 403, "insufficient_scope"),
        (PLATFORM_TENANT, Role.REVIEWER, 403, "insufficient_scope"),
    ],
)
async def test_nobody_else_resolves_it(
    client: Client, tmp_path: Path, views: FakeViews, tenant: str, role: Role, status: int, problem: str
) -> None:
    _show(views)
    async with opened_stores(tmp_path) as stores, guarded_api(client, stores, views_url=views.url) as api:
        key = await key_of(stores, tenant, role)

        refused = await api.post(f"{PATH}/resolution", json=BODY, headers=key)

    assert (refused.status_code, refused.json()["type"]) == (status, problem)


async def test_unknown_one_is_not_found(client: Client, tmp_path: Path, views: FakeViews) -> None:
    views.answers["/views/escalation"] = {"escalation": None}
    async with opened_stores(tmp_path) as stores, guarded_api(client, stores, views_url=views.url) as api:
        operator = await key_of(stores, PLATFORM_TENANT, Role.OPERATOR)

        answers: list[httpx.Response] = [
            await api.get(PATH, headers=operator),
            await api.post(f"{PATH}/resolution", json=BODY, headers=operator),
        ]

    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(404, "unknown_escalation")] * 2
