"""What is kept of decisions and denials: who did what to what, and when."""

from collections.abc import Mapping
from typing import Any, Protocol

from platform_gateway.identity.callers import Caller
from platform_runtime.logs import get_logger

_log = get_logger(__name__)


class AuditLog(Protocol):
    """Where entries go. A call returns once the entry is durable."""

    async def record(
        self, caller: Caller | None, action: str, target: str, *, outcome: str = "done", **details: Any
    ) -> None:
        """Keep an entry.

        Args:
            caller: who it was; None for somebody who was not let in.
            action: what was asked for: the operation's id, such as `terminateOperation`.
            target: what it was done to: an id, or a path.
            outcome: `done`, `denied`, or the type of the problem that was the answer.
            details: what else a reader needs; never a secret, never a body.
        """
        ...


class LoggedAudit:
    """Keeps entries in the process's own log."""

    async def record(
        self, caller: Caller | None, action: str, target: str, *, outcome: str = "done", **details: Any
    ) -> None:
        """Write the entry as a log line."""
        _log.info("audit", **entry(caller, action, target, outcome, details))


def entry(caller: Caller | None, action: str, target: str, outcome: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry consists of."""
    return {
        "tenant": None if caller is None else caller.tenant,
        "subject": None if caller is None else caller.subject,
        "home": None if caller is None else caller.home,
        "action": action,
        "target": target,
        "outcome": outcome,
        "details": dict(details),
    }
