"""An account of a test's own, so that lists hold nothing but what the test has started."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.gateway.api import asked_until, new_user_id, opened_api

_KEY = "key-of-the-account"


@asynccontextmanager
async def own_tenant(client: Client, **options: Any) -> AsyncGenerator[httpx.AsyncClient]:
    """Yield a client of the API whose account nobody else has, and end what it has left open."""
    tenant = f"t-{uuid4().hex[:12]}"
    headers = {"X-API-Key": _KEY}
    async with opened_api(client, api_key=_KEY, tenant=tenant, headers=headers, **options) as api:
        yield api
    # As it comes from the server: the SDK's own list knows no paused workflows.
    left = await client.workflow_service.list_workflow_executions(
        ListWorkflowExecutionsRequest(
            namespace=client.namespace, query=f"WorkflowId STARTS_WITH '{tenant}:' AND CloseTime IS NULL"
        )
    )
    for info in left.executions:
        # It may have ended since it was listed.
        with suppress(RPCError):
            await client.get_workflow_handle(info.execution.workflow_id).terminate()


async def onboarding_of(api: httpx.AsyncClient, name: str) -> str:
    """Start an onboarding that does what its name says; return its workflow id."""
    answer = await api.post(f"/v1/users/{new_user_id()}/onboarding", json={"email": "a@example.com", "name": name})
    workflow_id: str = answer.json()["workflowId"]
    return workflow_id


async def listed_when(api: httpx.AsyncClient, query: str, *, count: int) -> dict[str, Any]:
    """Return a page of the list once it has so many operations: they show some time after their start."""
    answer = await asked_until(
        lambda: api.get(f"/v1/operations?{query}"),
        lambda answer: answer.status_code != 200 or len(answer.json()["operations"]) == count,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids_of(page: dict[str, Any]) -> set[str]:
    """Return the workflow ids of a page."""
    return {operation["workflowId"] for operation in page["operations"]}
