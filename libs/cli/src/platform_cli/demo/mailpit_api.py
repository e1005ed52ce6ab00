"""mailpit, the mail server of the local stack: what it received, and how it can be made to fail."""

import asyncio
import time
from typing import Any

import httpx

_POLL_SECONDS = 0.1
_TEMPORARY_FAILURE = 451
"""RFC 5321: local error in processing; the sender is to try again."""


class MailpitApi:
    """Calls on one mailpit."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Take a client whose base URL is mailpit's."""
        self._client = client

    async def mails_to(self, address: str, *, at_least: int = 0, within_seconds: float = 0) -> list[dict[str, Any]]:
        """Return the mails to an address once there are enough, or as many as there are when the time is up."""
        deadline = time.monotonic() + within_seconds
        while True:
            response = await self._client.get("/api/v1/search", params={"query": f'to:"{address}"', "limit": "200"})
            response.raise_for_status()
            mails: list[dict[str, Any]] = response.json()["messages"]
            if len(mails) >= at_least or time.monotonic() > deadline:
                return mails
            await asyncio.sleep(_POLL_SECONDS)

    async def refuse_for_now(self) -> None:
        """Let every recipient be refused with a temporary failure, as a mail server in trouble does."""
        await self._set_chaos(probability=100)

    async def accept_again(self) -> None:
        """Let mail through again."""
        await self._set_chaos(probability=0)

    async def _set_chaos(self, *, probability: int) -> None:
        trigger = {"ErrorCode": _TEMPORARY_FAILURE, "Probability": probability}
        response = await self._client.put("/api/v1/chaos", json={"Recipient": trigger})
        response.raise_for_status()
