"""What the integration tests of the user service ask for again and again."""

from dataclasses import dataclass

import httpx

MIGRATIONS = "user_service.persistence.migrations"


@dataclass(frozen=True)
class Mailpit:
    """A running mail server, and what it can be asked."""

    port: int
    api: httpx.AsyncClient

    async def mails(self, notification_id: str) -> list[dict[str, str]]:
        """Return the mails of one notification, each with its headers and its text."""
        found = (await self.api.get("/api/v1/messages", params={"limit": 500})).json()["messages"]
        mails: list[dict[str, str]] = []
        for each in found:
            headers = (await self.api.get(f"/api/v1/message/{each['ID']}/headers")).json()
            if headers.get("X-Notification-Id") == [notification_id]:
                text = (await self.api.get(f"/api/v1/message/{each['ID']}")).json()["Text"]
                mails.append({name: values[0] for name, values in headers.items()} | {"text": text})
        return mails

    async def fail(self, trigger: str, code: int) -> None:
        """Answer a step of every mail with this code from now on."""
        response = await self.api.put("/api/v1/chaos", json={trigger: {"ErrorCode": code, "Probability": 100}})
        response.raise_for_status()

    async def work(self) -> None:
        """Take mails again."""
        (await self.api.put("/api/v1/chaos", json={})).raise_for_status()
