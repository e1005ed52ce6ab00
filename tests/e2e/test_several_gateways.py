"""Two gateway processes on one platform behave as one, whichever of them a request meets."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from tests.support.another_gateway import another_gateway
from tests.support.marketplace_by_rest import in_review
from tests.support.platform import Platform, new_id, onboarding_body
from tests.support.run_counts import runs_by_id
from tests.support.waiting import eventually

# The first of them may bring the platform up.
pytestmark = pytest.mark.timeout(180)

AT_ONCE = 50
REVIEWS_AT_ONCE = 10
ENOUGH_SECONDS = 60


class Gateways:
    """Both gateways behind one address: each request goes to the one after the last."""

    def __init__(self, *gateways: httpx.AsyncClient) -> None:
        self._next = itertools.cycle(gateways)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Read from one of them."""
        return await next(self._next).get(path, params=parameters)

    async def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Post to one of them."""
        return await next(self._next).post(path, json=body, headers=headers)


@pytest.fixture(scope="module")
async def gateways(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Gateways]:
    async with another_gateway(platform, tmp_path_factory.mktemp("gateway")) as second:
        yield Gateways(platform.http, second)


async def test_posts_at_once_with_one_key_are_one_operation(gateways: Gateways, platform: Platform) -> None:
    key, body = new_id("key"), {"message": "Hello", "type": "info"}
    path = f"/v1/users/{new_id('u')}/notifications"

    answers = await asyncio.gather(*(gateways.post(path, body, **{"Idempotency-Key": key}) for _ in range(AT_ONCE)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["runId"] for answer in answers}) == 1
    assert (await runs_by_id(platform.temporal))[answers[0].json()["workflowId"]] == 1


async def test_onboardings_of_one_user_at_once_are_one_operation(gateways: Gateways, platform: Platform) -> None:
    body = onboarding_body(new_id("u"))
    path = "/api/temporal/onboarding/execute"

    answers = await asyncio.gather(*(gateways.post(path, body) for _ in range(AT_ONCE)))

    assert all(answer.is_success for answer in answers)
    assert len({answer.json()["runId"] for answer in answers}) == 1
    assert (await runs_by_id(platform.temporal))[answers[0].json()["workflowId"]] == 1


async def test_key_that_one_has_seen_is_known_to_the_other(gateways: Gateways) -> None:
    key, path = new_id("key"), f"/v1/users/{new_id('u')}/notifications"

    first = await gateways.post(path, {"message": "Hello", "type": "info"}, **{"Idempotency-Key": key})
    repeated = await gateways.post(path, {"message": "Hello", "type": "info"}, **{"Idempotency-Key": key})
    another = await gateways.post(path, {"message": "Hello", "type": "info"}, **{"Idempotency-Key": new_id("key")})
    other_body = await gateways.post(path, {"message": "Bye", "type": "info"}, **{"Idempotency-Key": key})

    assert repeated.headers["idempotent-replayed"] == "true"
    assert repeated.json()["runId"] == first.json()["runId"] != another.json()["runId"]
    assert (other_body.status_code, other_body.json()["type"]) == (422, "idempotency_key_reused")


async def test_cursor_of_one_continues_on_the_other(gateways: Gateways) -> None:
    user = new_id("u")
    for number in range(4):
        notified = await gateways.post(
            f"/v1/users/{user}/notifications", {"message": f"{number}", "type": "info"}, Prefer="wait=20"
        )
        assert notified.status_code == httpx.codes.OK.value, notified.text
    whole = await gateways.get(f"/v1/users/{user}/inbox")

    read: list[dict[str, Any]] = []
    parameters: dict[str, str] = {}
    for _ in range(4):
        page: dict[str, Any] = (await gateways.get(f"/v1/users/{user}/inbox", limit=1, **parameters)).json()
        read += page["messages"]
        parameters = {"cursor": page["nextCursor"]}

    assert len(read) == 4
    assert read == whole.json()["messages"]


async def test_operation_of_one_is_told_and_cancelled_by_the_other(gateways: Gateways, platform: Platform) -> None:
    _, workflow_id = await in_review(platform.http)
    path = f"/v1/operations/{workflow_id}"

    told = [(await gateways.get(path)).json() for _ in range(2)]
    cancelled = await gateways.post(f"{path}/cancel")

    async def both_say_canceled() -> bool:
        return [(await gateways.get(path)).json()["status"] for _ in range(2)] == ["CANCELED"] * 2

    await eventually(both_say_canceled, within_seconds=ENOUGH_SECONDS, every_seconds=0.2)
    refused = [await gateways.post(f"{path}/cancel") for _ in range(2)]

    # Each links to where its settings say that Temporal's pages are.
    assert {**told[0], "links": None} == {**told[1], "links": None}
    assert cancelled.status_code == 202
    assert [(answer.status_code, answer.json()["type"]) for answer in refused] == [(409, "operation_closed")] * 2


async def test_decisions_at_once_are_one_decision(gateways: Gateways, platform: Platform) -> None:
    listing, _ = await in_review(platform.http)
    path = f"/v1/listings/{listing}/submissions/{listing}/review"
    decision = {"reviewerId": "edsger", "approved": True, "reason": "fine"}

    answers = await asyncio.gather(*(gateways.post(path, decision) for _ in range(REVIEWS_AT_ONCE)))
    others = [await gateways.post(path, {**decision, "reviewerId": "barbara"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200] * REVIEWS_AT_ONCE
    assert {answer.json()["outcome"] for answer in answers} == {"published"}
    assert [(answer.status_code, answer.json()["type"]) for answer in others] == [(409, "already_decided")] * 2
    assert {answer.json()["decided"]["reviewerId"] for answer in others} == {"edsger"}
