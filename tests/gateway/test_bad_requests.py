"""What is wrong with a request is said before it reaches Temporal, as a problem that names the fields."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from tests.gateway.api import new_user_id, notification, onboarding

START = "/api/temporal/notification/start"
EXECUTE = "/api/temporal/onboarding/execute"


@pytest.mark.parametrize(
    ("route", "body", "fields"),
    [
        (START, {}, {"userId", "message", "type"}),
        (START, notification(userId=7), {"userId"}),
        (START, notification(userId=None), {"userId"}),
        (START, notification(userId=""), {"userId"}),
        (START, notification(userId="ann@example.com"), {"userId"}),
        (START, notification(userId="a" * 65), {"userId"}),
        (START, notification(userId="a\n"), {"userId"}),
        (START, notification(message=""), {"message"}),
        (START, notification(message=["Hello"]), {"message"}),
        (START, notification(message="a\x00b"), {"message"}),
        (START, notification(type=""), {"type"}),
        (START, notification(type=True), {"type"}),
        (START, {"user_id": "u-1", "message": "a", "type": "info"}, {"userId"}),
        (EXECUTE, {}, {"userId", "email", "name"}),
        (EXECUTE, onboarding(email="ann"), {"email"}),
        (EXECUTE, onboarding(email="ann@"), {"email"}),
        (EXECUTE, onboarding(email=""), {"email"}),
        (EXECUTE, onboarding(email="a@example.com, b@example.com"), {"email"}),
        (EXECUTE, onboarding(name=""), {"name"}),
        (EXECUTE, onboarding(name="   "), {"name"}),
        (EXECUTE, onboarding(name="a" * 201), {"name"}),
        (EXECUTE, onboarding(name="Ann\r\nBcc: all@example.com"), {"name"}),
        ("/v1/users/u-1/notifications", {"message": "a", "type": "info", "priority": 1}, {"priority"}),
        ("/v1/users/u-1/onboarding", {"email": "ann@example.com"}, {"name"}),
        ("/v1/users/not%20an%20id/onboarding", {"email": "ann@example.com", "name": "Ann"}, {"userId"}),
    ],
)
async def test_a_wrong_field_is_named(
    api: httpx.AsyncClient, route: str, body: dict[str, Any], fields: set[str]
) -> None:
    answer = await api.post(route, json=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid_request"
    assert {error["field"] for error in answer.json()["errors"]} == fields
    assert "traceId" in answer.json()


async def test_a_problem_does_not_repeat_what_was_sent(api: httpx.AsyncClient) -> None:
    answer = await api.post(EXECUTE, json=onboarding(email="secret-of-ann@@example.com"))

    assert "secret-of-ann" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"{", b"hello", b"\xff\xfe", b'{"userId": "u-1",}', b"[" * 30_000, b'{"a": 1' + b"0" * 10_000 + b"}"],
)
async def test_a_body_that_is_not_json_is_400(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post(START, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["type"] == "malformed_json"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"7", b""])
async def test_json_that_is_no_object_is_422(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post(START, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["in"] == "body"


async def test_half_a_character_is_refused(api: httpx.AsyncClient) -> None:
    body = b'{"userId": "u-1", "message": "\\ud800", "type": "info"}'

    answer = await api.post(START, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_another_content_type_is_415(api: httpx.AsyncClient, content_type: str) -> None:
    answer = await api.post(START, content=b'{"userId": "u-1"}', headers={"Content-Type": content_type})

    assert answer.status_code == 415
    assert answer.json()["type"] == "unsupported_media_type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
async def test_other_kinds_of_json_are_json(api: httpx.AsyncClient, content_type: str) -> None:
    answer = await api.post(
        START,
        content=httpx.Request("POST", "http://a", json=notification()).content,
        headers={"Content-Type": content_type},
    )

    assert answer.status_code == 202


@pytest.mark.parametrize("route", [START, EXECUTE, "/v1/users/u-1/onboarding", "/v1/users/u-1/notifications"])
async def test_two_megabytes_are_413_with_a_length_and_without(api: httpx.AsyncClient, route: str) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(2_000):
            yield b" " * 1_000

    headers = {"Content-Type": "application/json"}

    with_length = await api.post(route, content=b" " * 2_000_000, headers=headers)
    without = await api.post(route, content=chunks(), headers=headers)

    assert with_length.status_code == without.status_code == 413
    assert with_length.json()["type"] == without.json()["type"] == "too_large"


async def test_a_body_of_64_kib_is_read(api: httpx.AsyncClient) -> None:
    body = httpx.Request("POST", "http://a", json=notification()).content

    fits = await api.post(
        START, content=body + b" " * (65_536 - len(body)), headers={"Content-Type": "application/json"}
    )
    one_more = await api.post(
        START, content=body + b" " * (65_537 - len(body)), headers={"Content-Type": "application/json"}
    )

    assert fits.status_code == 202
    assert one_more.status_code == 413


async def test_members_that_the_asked_routes_do_not_know_are_ignored(api: httpx.AsyncClient) -> None:
    answer = await api.post(START, json=notification(priority="high"))

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status", "problem"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/operations/", 404, "not_found"),
        ("GET", START, 405, "method_not_allowed"),
        ("DELETE", "/v1/operations/demo:a:b:c", 405, "method_not_allowed"),
        ("GET", "/v1/operations/demo:a/b", 404, "not_found"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(
    api: httpx.AsyncClient, method: str, path: str, status: int, problem: str
) -> None:
    answer = await api.request(method, path)

    assert answer.status_code == status
    assert answer.json()["type"] == problem
    assert "detail" not in answer.json()


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/listings", "GET, POST"), ("/v1/operations/demo:a:b:c", "GET"), (START, "POST"), ("/livez", "GET")],
)
async def test_a_method_that_is_not_there_is_405_and_tells_which_are(
    api: httpx.AsyncClient, path: str, methods: str
) -> None:
    answer = await api.delete(path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == methods


@pytest.mark.parametrize(
    "workflow_id",
    ["unknown", "demo:user:notification:nope", "demo:", "demo:" + "a" * 2_000, "demo:%00", "demo:%ff", "demo:ä", "%20"],
)
@pytest.mark.parametrize("route", ["/api/temporal/workflow/{}/status", "/v1/operations/{}"])
async def test_an_unknown_id_is_404_however_it_looks(api: httpx.AsyncClient, route: str, workflow_id: str) -> None:
    answer = await api.get(route.format(workflow_id))

    assert answer.status_code == 404
    assert answer.json()["type"] == "unknown_operation"


async def test_cancel_of_an_unknown_id_is_404(api: httpx.AsyncClient) -> None:
    asked = await api.post(f"/api/temporal/workflow/demo:user:user-onboarding:{new_user_id()}/cancel")
    resource = await api.post(f"/v1/operations/demo:user:user-onboarding:{new_user_id()}/cancel")

    assert asked.status_code == resource.status_code == 404
