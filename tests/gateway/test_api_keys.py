"""API keys over REST: shown once, no more than their giver, two at a rotation, and gone when they are revoked."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from temporalio.client import Client

from platform_gateway.identity.callers import Role, Scope
from platform_gateway.stores import Stores
from tests.gateway.api import asked_until
from tests.gateway.identities import guarded_api, key_of, opened_stores

READ = "/v1/operations/acme:user:notification:none"


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stores]:
    async with opened_stores(tmp_path_factory.mktemp("keys")) as stores:
        yield stores


@pytest.fixture(scope="module")
async def api(client: Client, stores: Stores) -> AsyncGenerator[httpx.AsyncClient]:
    async with guarded_api(client, stores) as api:
        yield api


@pytest.fixture(scope="module")
async def admin(stores: Stores) -> dict[str, str]:
    return await key_of(stores, "acme")


def _bearer(made: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {made.json()['apiKey']}"}


async def _made(api: httpx.AsyncClient, admin: dict[str, str], **body: Any) -> httpx.Response:
    made = await api.post("/v1/api-keys", json={"role": "partner", **body}, headers=admin)
    assert made.status_code == 201, made.text
    return made


async def test_new_key_is_shown_once_and_lets_its_account_in(
    api: httpx.AsyncClient, admin: dict[str, str], stores: Stores
) -> None:
    made = await _made(api, admin, name="warehouse")
    as_bearer = await api.get(READ, headers=_bearer(made))
    as_key = await api.get(READ, headers={"X-API-Key": made.json()["apiKey"]})
    listed = await api.get("/v1/api-keys", headers=admin)
    async with stores.database.read() as connection:
        kept = str((await connection.execute(text("SELECT * FROM api_keys"))).all())

    secret = made.json()["apiKey"].removeprefix(f"pp_live_{made.json()['keyId']}_")
    assert (as_bearer.status_code, as_key.status_code) == (404, 404)
    assert made.headers["cache-control"] == "no-store"
    assert len(secret) == 43
    assert secret not in listed.text
    assert secret not in kept
    (shown,) = [key for key in listed.json()["apiKeys"] if key["keyId"] == made.json()["keyId"]]
    assert shown == {name: value for name, value in made.json().items() if name != "apiKey"}
    assert shown["name"] == "warehouse"


async def test_key_has_the_scopes_that_it_was_given_and_no_others(
    api: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    made = await _made(api, admin, scopes=["operations:read"])

    allowed = await api.get(READ, headers=_bearer(made))
    refused = await api.get("/v1/purchases", headers=_bearer(made))

    assert allowed.status_code == 404
    assert refused.status_code == 403
    assert refused.json()["type"] == "insufficient_scope"
    assert refused.json()["scope"] == "purchases:read"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "owner"}, "role"),
        ({"role": "reviewer", "scopes": ["purchases:write"]}, "scopes"),
        ({"role": "partner", "scopes": []}, "scopes"),
        ({"role": "partner", "scopes": ["everything"]}, "scopes.0"),
        ({"role": "partner", "name": " "}, "name"),
        ({"role": "partner", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"role": "partner", "expiresAt": "2999-01-01T00:00:00"}, "expiresAt"),
        ({"role": "partner", "tenant": "zenith"}, "tenant"),
    ],
)
async def test_wrong_request_for_a_key_names_its_field(
    api: httpx.AsyncClient, admin: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/api-keys", json=body, headers=admin)

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {field}


async def test_nobody_makes_a_key_that_may_do_more_than_they(
    api: httpx.AsyncClient, admin: dict[str, str], stores: Stores
) -> None:
    narrow = await key_of(stores, "acme", scopes=[Scope.API_KEYS_MANAGE, Scope.OPERATIONS_READ])
    strong = (await _made(api, admin, role="admin")).json()["keyId"]

    partner = await api.post("/v1/api-keys", json={"role": "partner"}, headers=narrow)
    wider = await api.post(
        "/v1/api-keys", json={"role": "partner", "scopes": ["operations:read", "users:read"]}, headers=narrow
    )
    successor_of_a_stronger_one = await api.post(f"/v1/api-keys/{strong}/rotate", headers=narrow)
    no_more = await api.post("/v1/api-keys", json={"role": "partner", "scopes": ["operations:read"]}, headers=narrow)

    refused = [partner, wider, successor_of_a_stronger_one]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert {answer.json()["type"] for answer in refused} == {"scope_not_owned"}
    assert no_more.status_code == 201


async def test_keys_of_another_account_do_not_exist(
    api: httpx.AsyncClient, admin: dict[str, str], stores: Stores
) -> None:
    foreign = (await _made(api, admin)).json()["keyId"]
    zenith = await key_of(stores, "zenith")

    answers = [
        await api.post(f"/v1/api-keys/{key_id}/{verb}", headers=zenith)
        for key_id in (foreign, "0123456789abcdef")
        for verb in ("rotate", "revoke")
    ]
    listed = await api.get("/v1/api-keys", headers=zenith)

    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "traceId": ""}) for answer in answers}) == 1
    assert {key["account"] for key in listed.json()["apiKeys"]} == {"zenith"}


async def test_rotated_key_works_until_its_end_and_two_are_the_most(
    api: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    first = await _made(api, admin)
    path = f"/v1/api-keys/{first.json()['keyId']}"

    second = await api.post(f"{path}/rotate", json={"overlapSeconds": 3600}, headers=admin)
    again = await api.post(f"{path}/rotate", headers=admin)
    on_top = await api.post(f"/v1/api-keys/{second.json()['keyId']}/rotate", headers=admin)
    both = [await api.get(READ, headers=_bearer(key)) for key in (first, second)]
    listed = (await api.get("/v1/api-keys", headers=admin)).json()["apiKeys"]

    assert second.status_code == 201
    assert second.json()["role"] == first.json()["role"]
    assert [(each.status_code, each.json()["type"]) for each in (again, on_top)] == [(409, "key_not_rotated")] * 2
    assert [answer.status_code for answer in both] == [404, 404]
    (old,) = [key for key in listed if key["keyId"] == first.json()["keyId"]]
    assert old["successor"] == second.json()["keyId"]
    end = datetime.fromisoformat(old["expiresAt"])
    assert timedelta(minutes=58) < end - datetime.now(UTC) <= timedelta(hours=1)


async def test_rotation_without_an_overlap_ends_the_old_key(api: httpx.AsyncClient, admin: dict[str, str]) -> None:
    first = await _made(api, admin)
    let_in = await api.get(READ, headers=_bearer(first))

    second = await api.post(f"/v1/api-keys/{first.json()['keyId']}/rotate", json={"overlapSeconds": 0}, headers=admin)
    refused = await asked_until(
        lambda: api.get(READ, headers=_bearer(first)), lambda answer: answer.status_code == 401, within_seconds=5
    )
    third = await api.post(f"/v1/api-keys/{second.json()['keyId']}/rotate", headers=admin)

    assert let_in.status_code == 404
    assert refused.status_code == 401
    assert third.status_code == 201


async def test_lost_successor_is_revoked_and_the_key_rotated_again_for_as_long(
    api: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    first = await _made(api, admin)
    path = f"/v1/api-keys/{first.json()['keyId']}/rotate"
    lost = await api.post(path, headers=admin)
    await api.post(f"/v1/api-keys/{lost.json()['keyId']}/revoke", headers=admin)

    found = await api.post(path, headers=admin)

    assert found.status_code == 201
    assert found.json()["expiresAt"] is None


async def test_successor_of_a_key_for_a_while_works_for_as_long(api: httpx.AsyncClient, admin: dict[str, str]) -> None:
    first = await _made(api, admin, expiresAt=(datetime.now(UTC) + timedelta(days=7)).isoformat())

    second = await api.post(f"/v1/api-keys/{first.json()['keyId']}/rotate", headers=admin)

    lifetime = datetime.fromisoformat(second.json()["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < lifetime <= timedelta(days=7)


async def test_revoked_key_is_refused_like_one_that_never_was(
    api: httpx.AsyncClient, admin: dict[str, str], stores: Stores
) -> None:
    made = await _made(api, admin)
    path = f"/v1/api-keys/{made.json()['keyId']}/revoke"
    let_in = await api.get(READ, headers=_bearer(made))
    expired = await key_of(stores, "acme", expires_at=datetime.now(UTC) + timedelta(milliseconds=50))

    revoked = await api.post(path, headers=admin)
    again = await api.post(path, headers=admin)
    dead = await asked_until(
        lambda: api.get(READ, headers=_bearer(made)), lambda answer: answer.status_code == 401, within_seconds=5
    )
    others = [
        await api.get(READ, headers=headers)
        for headers in (
            {},
            expired,
            {"Authorization": f"{_bearer(made)['Authorization'][:-1]}!"},
            {"Authorization": f"{admin['Authorization'][:-8]}aaaaaaaa"},
            {"X-API-Key": f"pp_live_0123456789abcdef_{'a' * 43}"},
        )
    ]

    assert let_in.status_code == 404
    assert revoked.json() == again.json()
    assert revoked.json()["revokedAt"] is not None
    assert [answer.status_code for answer in others] == [401] * 5
    assert len({str({**answer.json(), "traceId": ""}) for answer in [dead, *others]}) == 1


async def test_list_goes_on_where_its_cursor_says(api: httpx.AsyncClient, stores: Stores) -> None:
    admin = await key_of(stores, "pages")
    made = [(await _made(api, admin)).json()["keyId"] for _ in range(4)]
    seen: list[str] = []
    cursor: str | None = None

    while True:
        query: dict[str, Any] = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = (await api.get("/v1/api-keys", params=query, headers=admin)).json()
        seen += [key["keyId"] for key in page["apiKeys"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    first = (await api.get("/v1/api-keys", params={"limit": 1}, headers=admin)).json()["nextCursor"]
    foreign = await api.get("/v1/api-keys", params={"cursor": first}, headers=await key_of(stores, "others"))

    assert len(seen) == 5
    assert seen[:4] == made[::-1]
    assert foreign.status_code == 422


async def test_static_key_and_stored_ones_work_beside_each_other(client: Client, tmp_path: Path) -> None:
    async with opened_stores(tmp_path) as stores:
        acme = await key_of(stores, "acme", Role.PARTNER)
        async with guarded_api(client, stores, api_key="static", tenant="shop") as api:
            answers = [
                await api.get(READ, headers=headers) for headers in (acme, {"X-API-Key": "static"}, {"X-API-Key": "x"})
            ]

    assert [answer.status_code for answer in answers] == [404, 404, 401]


async def test_without_the_database_stored_keys_are_503_and_the_static_one_goes_on(
    client: Client, tmp_path: Path
) -> None:
    async with opened_stores(tmp_path) as stores:
        acme = await key_of(stores, "acme")
        async with stores.database.write() as connection:
            await connection.execute(text("DROP TABLE api_keys"))
        async with guarded_api(client, stores, api_key="static") as api:
            stored = await api.get(READ, headers=acme)
            static = await api.get(READ, headers={"X-API-Key": "static"})
            listed = await api.get("/v1/api-keys", headers={"X-API-Key": "static"})

    assert (stored.status_code, stored.json()["type"]) == (503, "identity_unavailable")
    assert static.status_code == 404
    assert (listed.status_code, listed.json()["type"]) == (503, "keys_unavailable")
