"""The ports behind which the gateway's database is: API keys, and the audit log as it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from platform_gateway.identity.api_keys import ApiKey


class KeyStore(Protocol):
    """Where API keys are kept; a call that changes something returns once that is durable."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, whosever it is; None when there is none."""
        ...

    async def page(self, tenant: str | None, *, after: tuple[datetime, str] | None, limit: int) -> Sequence[ApiKey]:
        """Return the next keys of an account, newest first; None for the tenant: of every account."""
        ...

    async def rotate(self, key: ApiKey, successor: ApiKey, *, ends_at: datetime, now: datetime) -> bool:
        """Keep the successor and give the key its end; return False, and change nothing, when that cannot be.

        It cannot when the key does not work any more, or when another one of the same rotation does: there are two at
        most. Of two rotations at once one is done.
        """
        ...

    async def revoke(self, key_id: str, *, now: datetime) -> None:
        """End a key for good; one that is revoked already stays as it is."""
        ...


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What was kept of one decision or denial."""

    entry_id: int
    recorded_at: datetime
    tenant: str | None
    subject: str | None
    home: str | None
    action: str
    target: str
    outcome: str
    details: Mapping[str, Any]
    trace_id: str | None


class AuditReader(Protocol):
    """The audit log, to be read."""

    async def page(self, tenant: str | None, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """Return the next entries about an account, newest first; None for the tenant: all there are."""
        ...
