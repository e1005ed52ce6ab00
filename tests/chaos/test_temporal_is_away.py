"""Temporal is stopped and started again: every route says so at once, and nothing of ours has to be restarted."""

import time
from http import HTTPStatus

import pytest

from tests.support.own_temporal import own_temporal
from tests.support.platform import free_ports, new_id, onboarding_body, running_platform
from tests.support.waiting import eventually

# Three times the promised 5 s.
ANSWER_WITHIN_SECONDS = 15

ROUTES = [
    ("POST", "/api/temporal/notification/start", {"userId": "u-1", "message": "Hello", "type": "info"}),
    ("POST", "/api/temporal/onboarding/execute", onboarding_body("u-1")),
    ("GET", "/api/temporal/workflow/demo:user:user-onboarding:u-1/status", None),
    ("POST", "/api/temporal/workflow/demo:user:user-onboarding:u-1/cancel", None),
    ("POST", "/v1/users/u-1/notifications", {"message": "Hello", "type": "info"}),
    ("POST", "/v1/users/u-1/onboarding", {"email": "ada@example.com", "name": "Ada"}),
    ("GET", "/v1/operations/demo:user:user-onboarding:u-1", None),
    ("POST", "/v1/operations/demo:user:user-onboarding:u-1/cancel", None),
]


@pytest.mark.timeout(240)
async def test_platform_goes_on_when_temporal_is_back(
    tmp_path_factory: pytest.TempPathFactory, local_stack_tools: None
) -> None:
    home = tmp_path_factory.mktemp("temporal-away")
    port, ui_port = free_ports(2)
    async with own_temporal(home, port, ui_port):
        platform_context = running_platform(home, TEMPORAL_ADDRESS=f"127.0.0.1:{port}")
        platform = await platform_context.__aenter__()
    try:
        for method, route, body in ROUTES:
            before = time.monotonic()
            answer = await platform.http.request(method, route, json=body)
            assert time.monotonic() - before < ANSWER_WITHIN_SECONDS, route
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, route
            assert answer.headers["content-type"] == "application/problem+json"
            assert "retry-after" in answer.headers

        async with own_temporal(home, port, ui_port):
            user = new_id("u")

            async def onboarded() -> bool:
                answer = await platform.gateway.onboard(user_id=user, email=f"{user}@example.com", name="Ada")
                return answer.status_code == HTTPStatus.OK

            assert await eventually(onboarded, within_seconds=60, every_seconds=0.5)
            restarts = [process.restarts for process in platform.stack.status().processes]
    finally:
        await platform_context.__aexit__(None, None, None)

    assert set(restarts) == {0}
