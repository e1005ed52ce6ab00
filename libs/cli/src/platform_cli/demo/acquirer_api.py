"""The acquirer of the local stack: its own book, and how it can be slowed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Operation:
    """What the acquirer's book says of one purchase."""

    purchase_id: str
    status: str
    captured: int
    """Minor units that were taken, by the journal of what was done."""
    captures: int
    """How often they were taken: never more than once."""


class AcquirerApi:
    """Calls on one acquirer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Take a client whose base URL is the acquirer's."""
        self._client = client

    async def book(self, tenant: str) -> dict[str, Operation]:
        """Return every operation of an account, by purchase id."""
        response = await self._client.get("/v1/book", params={"tenant": tenant})
        response.raise_for_status()
        found = (_operation(entry) for entry in response.json()["operations"])
        return {operation.purchase_id: operation for operation in found}

    @asynccontextmanager
    async def slowed(self, seconds: float) -> AsyncGenerator[None]:
        """Let every request wait that long while the block runs."""
        response = await self._client.put("/v1/faults", json={"delaySeconds": seconds})
        response.raise_for_status()
        try:
            yield
        finally:
            (await self._client.delete("/v1/faults")).raise_for_status()


def _operation(entry: dict[str, Any]) -> Operation:
    taken = [each["amountMinor"] for each in entry["journal"] if each["verb"] == "capture"]
    return Operation(
        purchase_id=entry["operation"].partition(".")[2],
        status=entry["status"],
        captured=sum(taken),
        captures=len(taken),
    )
