"""A start without an answer is tried again: what another request has started meanwhile is told from the own start."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from tests.gateway.api import closed_status, new_user_id, notification, opened_api

START = "/api/temporal/notification/start"

Meanwhile = Callable[[], Awaitable[object]]


class _FirstAnswerIsLost(Interceptor):
    """Leaves the first start of a client without an answer, whether or not the server has got it."""

    def __init__(self, *, arrives: bool, meanwhile: Meanwhile) -> None:
        self.starts = 0
        self._arrives = arrives
        self._meanwhile = meanwhile

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's own word
        return _Outbound(next, self)

    async def start(self, send: Callable[[], Awaitable[WorkflowHandle[Any, Any]]]) -> WorkflowHandle[Any, Any]:
        self.starts += 1
        if self.starts > 1:
            return await send()
        if self._arrives:
            await send()
        await self._meanwhile()
        raise RPCError("the connection is gone", RPCStatusCode.UNAVAILABLE, b"")


class _Outbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, fault: _FirstAnswerIsLost) -> None:  # noqa: A002 - the SDK's own word
        super().__init__(next)
        self._fault = fault

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's own word
        return await self._fault.start(lambda: super(_Outbound, self).start_workflow(input))


@asynccontextmanager
async def _unlucky_api(client: Client, fault: _FirstAnswerIsLost) -> AsyncGenerator[httpx.AsyncClient]:
    config = client.config()
    config["interceptors"] = [*config["interceptors"], fault]
    async with opened_api(Client(**config)) as api:
        yield api


async def _nothing() -> None:
    """Let nothing happen meanwhile."""


async def test_a_start_that_another_request_has_overtaken_is_a_repeat(api: httpx.AsyncClient, client: Client) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}
    others: list[httpx.Response] = []

    async def overtaken() -> None:
        others.append(await api.post(START, json=body, headers=headers))

    fault = _FirstAnswerIsLost(arrives=False, meanwhile=overtaken)
    async with _unlucky_api(client, fault) as unlucky_api:
        answer = await unlucky_api.post(START, json=body, headers=headers)

    assert fault.starts == 2
    assert answer.status_code == 202
    assert answer.json() == others[0].json()
    assert "idempotent-replayed" not in others[0].headers
    assert answer.headers["idempotent-replayed"] == "true"


async def test_a_retry_that_meets_its_own_start_is_no_repeat(client: Client) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}
    fault = _FirstAnswerIsLost(arrives=True, meanwhile=_nothing)

    async with _unlucky_api(client, fault) as unlucky_api:
        answer = await unlucky_api.post(START, json=body, headers=headers)
        again = await unlucky_api.post(START, json=body, headers=headers)

    assert fault.starts == 3
    assert answer.status_code == 202
    assert "idempotent-replayed" not in answer.headers
    assert again.json() == answer.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_request_that_finds_the_start_of_an_unanswered_one_is_the_repeat(
    api: httpx.AsyncClient, client: Client
) -> None:
    body, headers = notification(), {"Idempotency-Key": new_user_id()}
    others: list[httpx.Response] = []

    async def repeated() -> None:
        others.append(await api.post(START, json=body, headers=headers))

    async with _unlucky_api(client, _FirstAnswerIsLost(arrives=True, meanwhile=repeated)) as unlucky_api:
        answer = await unlucky_api.post(START, json=body, headers=headers)

    assert "idempotent-replayed" not in answer.headers
    assert others[0].json() == answer.json()
    assert others[0].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("arrives", [True, False], ids=["its own", "another's"])
async def test_a_start_that_has_ended_meanwhile_is_told_apart_too(
    served_api: httpx.AsyncClient, client: Client, *, arrives: bool
) -> None:
    body, key = notification(type="sms"), new_user_id()
    headers = {"Idempotency-Key": key}

    async def ended() -> None:
        other = await served_api.post(START, json=body, headers=headers)
        await closed_status(served_api, other.json()["workflowId"])

    async with _unlucky_api(client, _FirstAnswerIsLost(arrives=arrives, meanwhile=ended)) as unlucky_api:
        answer = await unlucky_api.post(START, json=body, headers=headers)

    assert answer.json()["status"] == "FAILED"
    assert ("idempotent-replayed" in answer.headers) is not arrives
