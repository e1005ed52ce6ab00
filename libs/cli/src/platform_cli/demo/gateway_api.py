"""The gateway as the demo calls it: plain HTTP, as any client would."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

_CLOSED = {"COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT", "CONTINUED_AS_NEW"}
_POLL_SECONDS = 0.1


class GatewayApi:
    """Calls on one gateway, for one account."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Take a client whose base URL is the gateway's and whose headers hold the API key, if there is one."""
        self._client = client

    async def onboard(self, *, user_id: str, email: str, name: str) -> httpx.Response:
        """Onboard a user and wait for the result."""
        return await self._client.post(
            "/api/temporal/onboarding/execute", json={"userId": user_id, "email": email, "name": name}
        )

    async def notify(self, body: dict[str, str]) -> httpx.Response:
        """Start a notification."""
        return await self._client.post("/api/temporal/notification/start", json=body)

    async def cancel(self, workflow_id: str) -> httpx.Response:
        """Ask for a workflow to be cancelled."""
        return await self._client.post(f"/api/temporal/workflow/{workflow_id}/cancel")

    async def status(self, workflow_id: str) -> dict[str, Any]:
        """Return how a workflow is.

        Raises:
            httpx.HTTPStatusError: the gateway does not know it, or cannot tell.
        """
        response = await self._client.get(f"/api/temporal/workflow/{workflow_id}/status")
        response.raise_for_status()
        return response.json()

    async def status_when(
        self, workflow_id: str, holds: Callable[[dict[str, Any]], bool], *, within_seconds: float
    ) -> dict[str, Any]:
        """Return the status as soon as something holds for it, or as it is when the time is up."""
        deadline = time.monotonic() + within_seconds
        while True:
            status = await self.status(workflow_id)
            if holds(status) or time.monotonic() > deadline:
                return status
            await asyncio.sleep(_POLL_SECONDS)

    async def status_when_closed(self, workflow_id: str, *, within_seconds: float = 30) -> dict[str, Any]:
        """Return the status once the workflow has closed, or as it is when the time is up."""
        return await self.status_when(
            workflow_id, lambda status: status["status"] in _CLOSED, within_seconds=within_seconds
        )

    async def inbox(self, user_id: str) -> list[dict[str, Any]]:
        """Return the messages in a user's inbox, newest first."""
        response = await self._client.get(f"/v1/users/{user_id}/inbox")
        response.raise_for_status()
        return response.json()["messages"]

    async def counts(self, event_type: str, *, since: str) -> int:
        """Return how often something has been counted in the hours since then."""
        response = await self._client.get(
            "/v1/analytics/event-counts", params={"granularity": "hour", "type": event_type, "since": since}
        )
        response.raise_for_status()
        return sum(each["count"] for each in response.json()["counts"])
