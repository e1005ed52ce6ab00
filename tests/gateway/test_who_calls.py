"""API keys and tenants: who may come in, and what is not theirs does not exist."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import new_user_id, notification, opened_api
from tests.gateway.stubs import WAITS

KEY = "key-of-acme"
GUARDED = [
    ("POST", "/api/temporal/notification/start"),
    ("POST", "/api/temporal/onboarding/execute"),
    ("GET", "/api/temporal/workflow/acme:a:b:c/status"),
    ("POST", "/api/temporal/workflow/acme:a:b:c/cancel"),
    ("POST", "/v1/users/u-1/onboarding"),
    ("POST", "/v1/users/u-1/notifications"),
    ("GET", "/v1/users/u-1/inbox"),
    ("GET", "/v1/users/u-1"),
    ("POST", "/v1/listings"),
    ("GET", "/v1/listings"),
    ("GET", "/v1/listings/l-1"),
    ("POST", "/v1/listings/l-1/submissions"),
    ("POST", "/v1/listings/l-1/submissions/s-1/review"),
    ("POST", "/v1/listings/l-1/archive"),
    ("POST", "/v1/purchases"),
    ("GET", "/v1/purchases"),
    ("GET", "/v1/purchases/p-1"),
    ("POST", "/v1/purchases/p-1/cancel"),
    ("GET", "/v1/sales"),
    ("GET", "/v1/balances"),
    ("GET", "/v1/analytics/event-counts"),
    ("GET", "/v1/operations"),
    ("GET", "/v1/operations/acme:a:b:c"),
    ("POST", "/v1/operations/acme:a:b:c/retry"),
    ("POST", "/v1/operations/acme:a:b:c/reset"),
    ("POST", "/v1/operations/acme:a:b:c/terminate"),
    ("POST", "/v1/operations/acme:a:b:c/pause"),
    ("POST", "/v1/operations/acme:a:b:c/resume"),
    ("POST", "/v1/operations/acme:a:b:c/cancel"),
    ("POST", "/v1/bulk-operations"),
    ("GET", "/v1/bulk-operations/b-1"),
    ("POST", "/v1/api-keys"),
    ("GET", "/v1/api-keys"),
    ("POST", "/v1/api-keys/0123456789abcdef/rotate"),
    ("POST", "/v1/api-keys/0123456789abcdef/revoke"),
    ("GET", "/v1/audit-log"),
    ("GET", "/v1/schedules"),
    ("GET", "/v1/schedules/acme:a:b:c"),
    ("POST", "/v1/schedules/acme:a:b:c/pause"),
    ("POST", "/v1/schedules/acme:a:b:c/resume"),
    ("POST", "/v1/schedules/acme:a:b:c/trigger"),
    ("POST", "/v1/schedules/acme:a:b:c/backfill"),
]


@pytest.fixture(scope="session")
async def locked_api(client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client without the key that the API wants."""
    async with opened_api(client, api_key=KEY, tenant="acme") as api:
        yield api


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"X-API-Key": ""},
        {"X-API-Key": "ключ"},
    ],
)
async def test_without_the_key_nothing_is_done_and_nothing_is_told(
    locked_api: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]

    answer = await locked_api.request(method, path, headers=encoded, content=b"not json at all" * 10_000)

    assert answer.status_code == 401
    assert answer.json()["type"] == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}, {"X-API-Key": KEY}]
)
async def test_with_the_key_the_caller_is_its_account(client: Client, headers: dict[str, str]) -> None:
    async with opened_api(client, api_key=KEY, tenant="acme", headers=headers) as api:
        answer = await api.post("/api/temporal/notification/start", json=notification())

    assert answer.status_code == 202
    assert answer.json()["workflowId"].startswith("acme:user:notification:")


async def test_a_key_in_a_file_is_a_key(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")

    async with opened_api(client, api_key_file=file, headers={"X-API-Key": KEY}) as api:
        right = await api.post("/api/temporal/notification/start", json=notification())
        wrong = await api.post("/api/temporal/notification/start", json=notification(), headers={"X-API-Key": "other"})

    assert (right.status_code, wrong.status_code) == (202, 401)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health_is_open(client: Client, path: str) -> None:
    async with opened_api(client, api_key=KEY) as api:
        answer = await api.get(path)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_the_documentation_is_for_those_who_develop(client: Client, path: str) -> None:
    async with (
        opened_api(client, api_key=KEY) as locked,
        opened_api(client, api_key=KEY, docs=True) as wanted,
        opened_api(client) as everybodys,
        opened_api(client, docs=False) as unwanted,
    ):
        answers = [await api.get(path) for api in (locked, wanted, everybodys, unwanted)]

    assert [answer.status_code for answer in answers] == [404, 200, 200, 404]


async def test_another_tenants_operation_does_not_exist(client: Client) -> None:
    async with (
        opened_api(client) as demo,
        opened_api(client, api_key=KEY, tenant="acme", headers={"X-API-Key": KEY}) as acme,
    ):
        user_id = new_user_id()
        started = await demo.post(f"/v1/users/{user_id}/onboarding", json={"email": "a@example.com", "name": WAITS})
        existing = started.json()["workflowId"]
        unknown = f"demo:user:user-onboarding:{new_user_id()}"
        own_unknown = f"acme:user:user-onboarding:{user_id}"

        answers = [
            await request(path.format(workflow_id))
            for workflow_id in (existing, unknown, own_unknown)
            for request, path in (
                (acme.get, "/api/temporal/workflow/{}/status"),
                (acme.get, "/v1/operations/{}"),
                (acme.post, "/api/temporal/workflow/{}/cancel"),
                (acme.post, "/v1/operations/{}/cancel"),
            )
        ]
        seen_by_its_owner = await demo.get(f"/v1/operations/{existing}")

    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1
    assert seen_by_its_owner.status_code == 200
    assert seen_by_its_owner.json()["status"] == "RUNNING"
    await client.get_workflow_handle(existing).terminate()


async def test_the_same_key_of_two_tenants_is_two_operations(client: Client) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}
    async with (
        opened_api(client) as demo,
        opened_api(client, api_key=KEY, tenant="acme", headers={"X-API-Key": KEY}) as acme,
    ):
        first = await demo.post("/api/temporal/notification/start", json=body, headers=headers)
        second = await acme.post("/api/temporal/notification/start", json=body, headers=headers)

    assert first.json()["runId"] != second.json()["runId"]
    assert "idempotent-replayed" not in second.headers
