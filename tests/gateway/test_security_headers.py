"""What every answer tells a browser. That a broken middleware says it too, test_no_exception_text.py shows."""

import httpx
import pytest
from temporalio.client import Client

from tests.gateway.api import notification, opened_api

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/temporal/notification/start", 202),
        ("GET", "/v1/operations/demo:a:b:c", 404),
        ("POST", "/v1/users/u-1/onboarding", 422),
        ("GET", "/v1/users/u-1", 503),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/livez", 405),
    ],
)
async def test_every_answer_has_them_once(api: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    body = notification() if path.endswith("start") else None

    answer = await api.request(method, path, json=body)

    assert answer.status_code == status
    assert {name: answer.headers.get_list(name) for name in ALWAYS} == {name: [value] for name, value in ALWAYS.items()}
    assert "strict-transport-security" not in answer.headers


async def test_the_documentation_may_load_its_program_and_nothing_else(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    document = await api.get("/openapi.json")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src https://cdn.jsdelivr.net")
    assert "frame-ancestors 'none'" in policy
    assert set(_hosts(page.text)) <= set(_hosts(policy))
    assert "cache-control" not in page.headers
    assert "cache-control" not in document.headers


def _hosts(text: str) -> list[str]:
    return [part.partition("/")[0].rstrip("\"';") for part in text.replace(" ", "/").split("https://")[1:]]


async def test_browsers_are_told_to_come_over_https_where_that_is_set(client: Client) -> None:
    async with opened_api(client, hsts_seconds=31_536_000) as api:
        answer = await api.get("/livez")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
