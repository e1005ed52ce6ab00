"""Sends the acquirer's events to whoever is set to get them: signed, and again until it is accepted."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
from standardwebhooks.webhooks import Webhook

from platform_runtime.logs import get_logger
from platform_sandbox.misbehaviour import Misbehaviour
from platform_sandbox.outbox import Outbox, Pending

_log = get_logger(__name__)

_TIMEOUT_SECONDS: Final = 5.0
_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 60.0
_LOOKS_EVERY_SECONDS: Final = 0.25
"""How late an event may be whose time has come while nothing else was written."""


def wait_before(attempt: int) -> timedelta:
    """Return how long to wait before an attempt, the first repeat being 1: twice as long each time, up to a minute."""
    doublings = min(attempt - 1, 10)
    return timedelta(seconds=min(_FIRST_WAIT_SECONDS * 2**doublings, _LONGEST_WAIT_SECONDS))


class Webhooks:
    """Sends one event after the other, each until the receiver answers 2xx: at least once, as the outbox says."""

    def __init__(
        self, outbox: Outbox, misbehaviour: Misbehaviour, http: httpx.AsyncClient, *, url: str, secret: str
    ) -> None:
        """Send to the URL, signed with the secret (`whsec_` and base64)."""
        self._outbox = outbox
        self._misbehaviour = misbehaviour
        self._http = http
        self._url = url
        self._signer = Webhook(secret)

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            self._outbox.changed.clear()
            due = await self._outbox.due(datetime.now(UTC))
            for event in due:
                await self._send(event)
            if not due:
                await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_LOOKS_EVERY_SECONDS):
                await self._outbox.changed.wait()
        except TimeoutError:
            return

    async def _send(self, event: Pending) -> None:
        problem = await self._problem(event)
        now = datetime.now(UTC)
        if problem is None:
            await self._outbox.accepted(event, fate=self._misbehaviour.fate_of(event.about), now=now)
            return
        again_at = now + wait_before(event.attempts + 1)
        _log.warning("webhook.not_accepted", event_id=event.event_id, attempts=event.attempts + 1, problem=problem)
        await self._outbox.not_accepted(event, again_at=again_at)

    async def _problem(self, event: Pending) -> str | None:
        """Send it once; return why it was not accepted, None when it was."""
        sent_at = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._signer.sign(event.event_id, sent_at, event.body),
        }
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                answer = await self._http.post(
                    self._url, content=event.body.encode(), headers=headers, timeout=_TIMEOUT_SECONDS
                )
        except (httpx.TransportError, TimeoutError) as error:
            return type(error).__name__
        return None if answer.is_success else f"status {answer.status_code}"
