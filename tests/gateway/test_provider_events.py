"""Providers prove themselves by their signature alone; what is theirs is durable before they are told so."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from platform_contracts.payment.provider_event import ProviderEventInput, provider_event_workflow_id
from platform_runtime.settings import TemporalSettings
from platform_runtime.temporal_client import connect
from tests.gateway.api import opened_api
from tests.gateway.provider_signatures import (
    ACQUIRER,
    ACQUIRER_SECRET,
    OTHER_SECRET,
    STRIPE,
    STRIPE_SECRET,
    event_bytes,
    new_event_id,
    standard_headers,
    stripe_headers,
)
from tests.gateway.test_temporal_away import lazily_connected
from tests.support.network import free_port
from tests.support.waiting import eventually

SECRETS: dict[str, Any] = {"acquirer_webhook_secrets": ACQUIRER_SECRET, "stripe_webhook_secrets": STRIPE_SECRET}
GUARDED: dict[str, Any] = {"api_key": "key-of-acme", "tenant": "acme"}


@pytest.fixture(scope="module")
async def api(client: Client) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client of an API that asks everybody else for a key; no payment worker runs."""
    async with opened_api(client, **SECRETS, **GUARDED) as api:
        yield api


async def _started(client: Client, event_id: str, provider: str = "acquirer") -> ProviderEventInput | None:
    """Return what the workflow of the event was started with; None when there is none."""
    handle = client.get_workflow_handle(provider_event_workflow_id(provider=provider, event_id=event_id))
    try:
        history = await handle.fetch_history()
    except RPCError:
        return None
    payloads = history.events[0].workflow_execution_started_event_attributes.input.payloads
    [event] = await client.data_converter.decode(payloads, [ProviderEventInput])
    return event


async def _sent(api: httpx.AsyncClient, event_id: str, body: bytes | None = None, **changes: Any) -> httpx.Response:
    body = event_bytes(event_id) if body is None else body
    return await api.post(ACQUIRER, content=body, headers=standard_headers(event_id, body, **changes))


async def test_event_that_is_signed_is_durable_to_the_byte_before_it_is_acknowledged(
    api: httpx.AsyncClient, client: Client
) -> None:
    event_id = new_event_id()
    body = b'{ "id":"elsewhere",  "name":"J\xc3\xb6rg" }\n'

    answer = await _sent(api, event_id, body)

    assert answer.status_code == 202
    assert answer.json() == {"eventId": event_id}
    event = await _started(client, event_id)
    assert event is not None
    assert (event.provider, event.event_id, event.body) == ("acquirer", event_id, body)


async def test_event_of_stripe_is_taken_in_by_the_id_in_its_body(api: httpx.AsyncClient, client: Client) -> None:
    event_id = new_event_id()
    body = event_bytes(event_id)

    answer = await api.post(STRIPE, content=body, headers=stripe_headers(body))

    assert answer.status_code == 202
    event = await _started(client, event_id, "stripe")
    assert event is not None
    assert event.body == body


async def test_same_event_sent_three_times_at_once_starts_once_and_is_acknowledged_each_time(
    api: httpx.AsyncClient, client: Client
) -> None:
    event_id = new_event_id()

    answers = await asyncio.gather(*(_sent(api, event_id, event_bytes(event_id, copy=copy)) for copy in range(3)))

    assert {answer.status_code for answer in answers} == {202}
    workflow_id = provider_event_workflow_id(provider="acquirer", event_id=event_id)

    async def runs() -> int:
        return (await client.count_workflows(f'WorkflowId = "{workflow_id}"')).count

    assert await eventually(runs, within_seconds=10) == 1


def _without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


def _with(name: str, value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**headers, name: value}


REFUSED: dict[str, Callable[[str, bytes], dict[str, str]]] = {
    "no headers": lambda event_id, body: {},
    "no id": lambda event_id, body: _without("webhook-id")(standard_headers(event_id, body)),
    "no time": lambda event_id, body: _without("webhook-timestamp")(standard_headers(event_id, body)),
    "no signature": lambda event_id, body: _without("webhook-signature")(standard_headers(event_id, body)),
    "time that is none": lambda event_id, body: _with("webhook-timestamp", "nan")(standard_headers(event_id, body)),
    "time of another": lambda event_id, body: _with("webhook-timestamp", "1")(standard_headers(event_id, body)),
    "id of another": lambda event_id, body: _with("webhook-id", "evt_x")(standard_headers(event_id, body)),
    "signature that is none": lambda event_id, body: _with("webhook-signature", "v1")(standard_headers(event_id, body)),
    "other version": lambda event_id, body: {
        **standard_headers(event_id, body),
        "webhook-signature": standard_headers(event_id, body)["webhook-signature"].replace("v1,", "v2,"),
    },
    "forged": lambda event_id, body: standard_headers(event_id, body, secret=OTHER_SECRET),
    "stale": lambda event_id, body: standard_headers(event_id, body, seconds_ago=310),
    "to come": lambda event_id, body: standard_headers(event_id, body, seconds_ago=-310),
    "another byte": lambda event_id, body: standard_headers(event_id, body + b" "),
    "an api key": lambda event_id, body: {"X-API-Key": "key-of-acme"},
}


async def test_whatever_is_wrong_the_answer_is_the_same_and_nothing_starts(
    api: httpx.AsyncClient, client: Client
) -> None:
    events = {name: new_event_id() for name in REFUSED}

    answers = [
        await api.post(ACQUIRER, content=event_bytes(event_id), headers=REFUSED[name](event_id, event_bytes(event_id)))
        for name, event_id in events.items()
    ]

    assert {answer.status_code for answer in answers} == {400}
    bodies = [{**answer.json(), "traceId": None} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["type"] == "unverified_event"
    assert [await _started(client, event_id) for event_id in events.values()] == [None] * len(events)


STRIPE_REFUSED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "no header": lambda body: {},
    "no time": lambda body: {"Stripe-Signature": stripe_headers(body)["Stripe-Signature"].partition(",")[2]},
    "two times": lambda body: {"Stripe-Signature": f"t=1,{stripe_headers(body)['Stripe-Signature']}"},
    "scheme of the tests": lambda body: {
        "Stripe-Signature": stripe_headers(body)["Stripe-Signature"].replace("v1=", "v2=").replace("v0=00", "v0=v1")
    },
    "forged": lambda body: stripe_headers(body, secret=ACQUIRER_SECRET),
    "stale": lambda body: stripe_headers(body, seconds_ago=310),
    "to come": lambda body: stripe_headers(body, seconds_ago=-310),
    "another byte": lambda body: stripe_headers(body + b" "),
    "no ascii": lambda body: {"Stripe-Signature": "t=\u00b2,v1=\u00e9"},
}


async def test_event_in_the_name_of_stripe_is_refused_alike(api: httpx.AsyncClient) -> None:
    body = event_bytes(new_event_id())

    answers = [
        await api.post(
            STRIPE,
            content=body,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers(body).items()],
        )
        for headers in STRIPE_REFUSED.values()
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(400, "unverified_event")}


async def test_event_within_the_tolerance_is_taken_either_way(client: Client) -> None:
    async with opened_api(client, **SECRETS, provider_event_tolerance_seconds=20) as api:
        statuses = [
            (await _sent(api, new_event_id(), seconds_ago=seconds)).status_code for seconds in (10, -10, 30, -30)
        ]

    assert statuses == [202, 202, 400, 400]


@pytest.mark.parametrize("secret", [ACQUIRER_SECRET, OTHER_SECRET])
async def test_old_and_new_secret_work_while_one_replaces_the_other(client: Client, secret: str) -> None:
    async with opened_api(client, acquirer_webhook_secrets=f"{ACQUIRER_SECRET}, {OTHER_SECRET}") as api:
        answer = await _sent(api, new_event_id(), secret=secret)

    assert answer.status_code == 202


async def test_sender_that_signs_with_two_secrets_is_known_by_either(api: httpx.AsyncClient) -> None:
    event_id = new_event_id()
    body = event_bytes(event_id)
    both = " ".join(
        standard_headers(event_id, body, secret=secret)["webhook-signature"]
        for secret in (OTHER_SECRET, ACQUIRER_SECRET)
    )

    answer = await api.post(
        ACQUIRER, content=body, headers={**standard_headers(event_id, body), "webhook-signature": both}
    )

    assert answer.status_code == 202


@pytest.mark.parametrize("body", [b"not json", b"[1]", b'{"id": 5}', b"[" * 30_000, b""])
async def test_signed_event_that_says_no_id_is_kept_under_what_it_is(
    api: httpx.AsyncClient, client: Client, body: bytes
) -> None:
    answer = await api.post(STRIPE, content=body, headers=stripe_headers(body))

    assert answer.status_code == 202
    event_id = answer.json()["eventId"]
    assert event_id.startswith("body-")
    event = await _started(client, event_id, "stripe")
    assert event is not None
    assert event.body == body


async def test_id_that_fits_into_no_path_has_another_name(api: httpx.AsyncClient) -> None:
    answers = [await _sent(api, f"evt:{'x' * 300}/1") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert {answer.json()["eventId"][:3] for answer in answers} == {"id-"}
    assert len({answer.json()["eventId"] for answer in answers}) == 1


async def test_body_beyond_the_bound_is_413(api: httpx.AsyncClient) -> None:
    body = b"x" * (64 * 1024 + 1)

    answer = await _sent(api, new_event_id(), body)

    assert answer.status_code == 413


@pytest.mark.parametrize("provider", ["bank", "ACQUIRER", "stripe"])
async def test_provider_that_is_unknown_or_has_no_secret_is_404(client: Client, provider: str) -> None:
    body = event_bytes(new_event_id())
    async with opened_api(client, acquirer_webhook_secrets=ACQUIRER_SECRET) as api:
        answer = await api.post(f"/v1/provider-events/{provider}", content=body, headers=stripe_headers(body))

    assert answer.status_code == 404
    assert answer.json()["type"] == "not_found"


async def test_more_than_the_providers_rate_is_429_and_forgeries_do_not_count(client: Client) -> None:
    async with opened_api(client, **SECRETS, provider_event_rate="2/minute", rate_limit="1/minute") as api:
        forged = [await _sent(api, new_event_id(), secret=OTHER_SECRET) for _ in range(4)]
        signed = [await _sent(api, new_event_id()) for _ in range(3)]
        body = event_bytes(new_event_id())
        of_another = await api.post(STRIPE, content=body, headers=stripe_headers(body))

    assert [answer.status_code for answer in forged] == [400] * 4
    assert [answer.status_code for answer in signed] == [202, 202, 429]
    assert int(signed[-1].headers["retry-after"]) > 0
    assert of_another.status_code == 202


async def test_more_at_once_than_a_provider_may_have_are_429_before_anything_is_read(client: Client) -> None:
    may_end = asyncio.Event()
    is_reading = asyncio.Event()

    async def slowly() -> AsyncGenerator[bytes]:
        is_reading.set()
        yield b"{"
        await may_end.wait()
        yield b"}"

    async with opened_api(client, **SECRETS, provider_events_in_flight=1) as api, asyncio.timeout(20):
        first = asyncio.create_task(api.post(ACQUIRER, content=slowly()))
        await is_reading.wait()
        second = await _sent(api, new_event_id())
        may_end.set()
        statuses = ((await first).status_code, second.status_code, (await _sent(api, new_event_id())).status_code)

    assert statuses == (400, 429, 202)


async def test_body_that_does_not_come_gives_its_place_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_gateway.routes.provider_events.BODY_WITHIN_SECONDS", 0.2)

    async def never() -> AsyncGenerator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with opened_api(client, **SECRETS, provider_events_in_flight=1) as api, asyncio.timeout(20):
        slow = await api.post(ACQUIRER, content=never())
        next_one = await _sent(api, new_event_id())

    assert (slow.status_code, slow.json()["type"]) == (408, "request_timeout")
    assert next_one.status_code == 202


async def test_without_temporal_the_provider_is_told_to_send_it_again() -> None:
    away = await lazily_connected(f"127.0.0.1:{free_port()}")

    async with opened_api(away, **SECRETS) as api, asyncio.timeout(15):
        answer = await _sent(api, new_event_id())

    assert answer.status_code == 503
    assert answer.json()["type"] == "temporal_unavailable"
    assert int(answer.headers["retry-after"]) > 0


async def test_event_that_was_sent_while_temporal_was_away_is_taken_when_it_comes_again(
    api: httpx.AsyncClient, client: Client
) -> None:
    event_id = new_event_id()
    away = await connect(TemporalSettings(address=f"127.0.0.1:{free_port()}"), lazy=True)
    async with opened_api(away, **SECRETS) as without_temporal:
        refused = await _sent(without_temporal, event_id)

    accepted = await _sent(api, event_id)

    assert (refused.status_code, accepted.status_code) == (503, 202)
    assert await _started(client, event_id) is not None


async def test_redrive_is_for_staff_and_each_order_is_one_of_its_own(api: httpx.AsyncClient, client: Client) -> None:
    event_id = new_event_id()
    order = {"reason": "The adapter is mended."}
    path = f"{ACQUIRER}/{event_id}/redrive"

    nobody = await api.post(path, json=order)
    headers = {"X-API-Key": "key-of-acme", "Idempotency-Key": f'"{event_id}"'}
    first, repeated = [await api.post(path, json=order, headers=headers) for _ in range(2)]
    another = await api.post(path, json=order, headers={"X-API-Key": "key-of-acme"})

    assert nobody.status_code == 401
    assert (first.status_code, repeated.status_code, another.status_code) == (202, 202, 202)
    assert repeated.headers["idempotent-replayed"] == "true"
    assert first.json()["workflowId"] != another.json()["workflowId"]
    started = await client.get_workflow_handle(first.json()["workflowId"]).fetch_history()
    payloads = started.events[0].workflow_execution_started_event_attributes.input.payloads
    [event] = await client.data_converter.decode(payloads, [ProviderEventInput])
    assert event.body is None
    assert event.redrive is not None
    assert (event.redrive.operator_id, event.redrive.reason) == ("static-key", order["reason"])
