"""What a client asks for in headers: `Idempotency-Key` and `Prefer`."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from platform_gateway.problems import Problem
from platform_gateway.routes.headers import key_of, wait_seconds_of
from tests.gateway.api import new_user_id, notification, onboarding
from tests.gateway.stubs import TAKES_A_SECOND, WAITS

START = "/api/temporal/notification/start"
EXECUTE = "/api/temporal/onboarding/execute"
DETAILS = {"email": "ann@example.com", "name": "Ann"}
LISTING = {"listingId": "lamp", "title": "A lamp", "price": {"minorUnits": 1250, "currency": "EUR"}, "stock": 1}

KEYED_ROUTES: list[tuple[str, dict[str, Any] | None]] = [
    (START, notification()),
    (EXECUTE, onboarding()),
    ("/v1/users/u-1/onboarding", DETAILS),
    ("/v1/users/u-1/notifications", {"message": "Hello", "type": "info"}),
    ("/v1/listings", LISTING),
    ("/v1/listings/lamp/submissions", {"submitterId": "grace"}),
    ("/v1/listings/lamp/submissions/s-1/review", {"reviewerId": "ada", "approved": True}),
    ("/v1/listings/lamp/archive", None),
    ("/v1/purchases", {"buyerId": "ada", "lines": [{"listingId": "lamp", "quantity": 1}], "paymentToken": "tok_ok"}),
]

BAD_BARE_KEYS = ["", " ", "a b", "a" * 256, "schlüssel", "a\tb"]
BAD_QUOTED_KEYS = ['"', '"a', '""', '"a"b', '"a" "b"', '"a";p=1', r'"a\b"', '"ü"', '"' + "a" * 256 + '"']


@pytest.mark.parametrize(("route", "body"), KEYED_ROUTES, ids=[route for route, _ in KEYED_ROUTES])
@pytest.mark.parametrize("key", ["a b", '"a'])
async def test_a_key_of_wrong_form_is_400_on_every_route(
    api: httpx.AsyncClient, route: str, body: dict[str, Any] | None, key: str
) -> None:
    answer = await api.post(route, json=body, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert answer.json()["type"] == "invalid_idempotency_key"


@pytest.mark.parametrize("key", BAD_BARE_KEYS + BAD_QUOTED_KEYS)
async def test_a_key_of_wrong_form_starts_nothing(api: httpx.AsyncClient, key: str) -> None:
    body = onboarding()

    answer = await api.post(EXECUTE, json=body, headers=[(b"Idempotency-Key", key.encode("latin-1"))])
    status = await api.get(f"/v1/operations/demo:user:user-onboarding:{body['userId']}")

    assert answer.status_code == 400
    assert status.status_code == 404


async def test_two_keys_are_400(api: httpx.AsyncClient) -> None:
    answer = await api.post(START, json=notification(), headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("order-42", "order-42"),
        ('"order-42"', "order-42"),
        ('"order 42"', "order 42"),
        (r'"say \"hi\" \\o/"', r'say "hi" \o/'),
        ('or"der"', 'or"der"'),
        ("  order-42\t", "order-42"),
        ("a" * 255, "a" * 255),
        ('"' + "a" * 255 + '"', "a" * 255),
    ],
)
def test_a_key_is_a_string_in_quotes_or_stands_bare(value: str, key: str) -> None:
    found = key_of([value])

    assert found == key


def test_without_the_header_there_is_no_key() -> None:
    found = key_of([])

    assert found is None


async def test_a_key_is_the_same_with_and_without_quotes(api: httpx.AsyncClient) -> None:
    key, body = uuid4().hex, notification()

    bare = await api.post(START, json=body, headers={"Idempotency-Key": key})
    quoted = await api.post(START, json=body, headers={"Idempotency-Key": f'"{key}"'})

    assert quoted.json() == bare.json()
    assert quoted.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], None),
        ([""], None),
        (["respond-async"], None),
        (["wait=5"], 5),
        (["WAIT = 5"], 5),
        (['wait="5"'], 5),
        (["respond-async, wait=7"], 7),
        (["respond-async", "wait=7"], 7),
        (["wait=7;x=y, respond-async"], 7),
        (["wait=7; x; , respond-async"], 7),
        (["wait=1, wait=9"], 1),
        (["wait=soon, wait=9"], None),
        (['note="a, wait=9", wait=3'], 3),
        (['note="say \\", wait=9"'], None),
        (["note; wait=9"], None),
        (["(what?), wait=4"], 4),
        (["wait=600"], 30),
        (["wait=0"], 0),
        (["wait=-1"], None),
        (["wait=soon"], None),
        (["wait"], None),
        (["await=5"], None),
        (["wait=" + "9" * 50], None),
    ],
)
def test_prefer_is_read_as_rfc_7240_has_it(prefer: list[str], seconds: int | None) -> None:
    found = wait_seconds_of(prefer)

    assert found == seconds


@pytest.mark.parametrize("text", ["wait" + " ;" * 20_000 + "?", 'a="' + "\\" * 60_000, '"' * 60_000, "a " * 30_000])
def test_a_header_that_is_made_to_be_slow_is_read_in_no_time(text: str) -> None:
    started = time.perf_counter()

    found = wait_seconds_of([text])
    with pytest.raises(Problem):
        key_of([text])

    assert found is None
    assert time.perf_counter() - started < 2


async def test_an_applied_preference_is_told_with_the_result_and_with_202(served_api: httpx.AsyncClient) -> None:
    path = f"/v1/users/{new_user_id()}/onboarding"

    done = await served_api.post(
        path, json={**DETAILS, "name": TAKES_A_SECOND}, headers={"Prefer": "respond-async, wait=300"}
    )
    goes_on = await served_api.post(
        f"/v1/users/{new_user_id()}/onboarding", json={**DETAILS, "name": WAITS}, headers={"Prefer": "wait=1"}
    )

    assert (done.status_code, done.headers["preference-applied"]) == (200, "wait=30")
    assert (goes_on.status_code, goes_on.headers["preference-applied"]) == (202, "wait=1")


async def test_who_prefers_nothing_is_told_of_no_preference(served_api: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        answer = await served_api.post(f"/v1/users/{new_user_id()}/onboarding", json={**DETAILS, "name": WAITS})

    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


async def test_execute_waits_as_long_as_is_preferred(served_api: httpx.AsyncClient) -> None:
    async with asyncio.timeout(8):
        answer = await served_api.post(EXECUTE, json=onboarding(name=WAITS), headers={"Prefer": "wait=1"})

    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"
