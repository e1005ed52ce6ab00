"""Which operations of a tenant are meant: a filter, the query that it makes of Temporal's visibility, and cursors."""

import base64
import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import rfc8785

from platform_gateway import bulk_contract
from platform_gateway.problems import Problem, invalid_field
from platform_runtime.page_cursor import InvalidCursorError, decode_cursor, encode_cursor

MAX_TYPE_CHARACTERS: Final = 100
TYPE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_.-]*$"
"""Names of workflow types as this platform makes them; nothing in it has a meaning in a query."""

MAX_CURSOR_CHARACTERS: Final = 2_000
"""A visibility store's own token is in it."""


class Domain(StrEnum):
    """A part of the business that runs operations."""

    USER = "user"
    PAYMENT = "payment"
    LISTING = "listing"
    ANALYTICS = "analytics"


class OpenOrClosed(StrEnum):
    """The statuses that a list can be filtered by; every server's visibility knows them."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TERMINATED = "TERMINATED"
    CONTINUED_AS_NEW = "CONTINUED_AS_NEW"
    TIMED_OUT = "TIMED_OUT"


_IN_QUERIES: Final = {
    OpenOrClosed.RUNNING: "Running",
    OpenOrClosed.COMPLETED: "Completed",
    OpenOrClosed.FAILED: "Failed",
    OpenOrClosed.CANCELED: "Canceled",
    OpenOrClosed.TERMINATED: "Terminated",
    OpenOrClosed.CONTINUED_AS_NEW: "ContinuedAsNew",
    OpenOrClosed.TIMED_OUT: "TimedOut",
}


@dataclass(frozen=True, kw_only=True)
class OperationFilter:
    """Which operations are meant; what is None or False does not matter."""

    domain: Domain | None = None
    type: str | None = None
    status: OpenOrClosed | None = None
    started_after: datetime | None = None
    """Exclusive; both moments have a time zone."""
    started_before: datetime | None = None
    """Exclusive."""
    blocked: bool = False
    """Only those that do not move, and why; visibility does not know, so each open one is asked."""

    def query(self, tenant: str, *, to_operate_on: bool = False) -> str:
        """Return the query of Temporal's visibility; it finds nothing but the tenant's own.

        With `to_operate_on` it finds open operations alone, and no bulk operation: none may end itself.

        It orders by nothing: visibility in SQLite, MySQL and PostgreSQL refuses that, and its own order is the one that
        is wanted, open ones first and then newest first.
        """
        # A workflow id begins with the tenant and the domain, so one prefix bounds both.
        prefix = f"{tenant}:" if self.domain is None else f"{tenant}:{self.domain}:"
        conditions = [f"WorkflowId STARTS_WITH '{prefix}'"]
        if self.type is not None:
            conditions.append(f"WorkflowType = '{self.type}'")
        if self.status is not None:
            conditions.append(f"ExecutionStatus = '{_IN_QUERIES[self.status]}'")
        if self.blocked or to_operate_on:
            # Not "Running": a newer server has paused ones beside them.
            conditions.append("CloseTime IS NULL")
        if to_operate_on:
            conditions.append(f"WorkflowType != '{bulk_contract.WORKFLOW_TYPE}'")
        if self.started_after is not None:
            conditions.append(f"StartTime > '{_moment(self.started_after)}'")
        if self.started_before is not None:
            conditions.append(f"StartTime < '{_moment(self.started_before)}'")
        return " AND ".join(conditions)

    def as_json(self) -> dict[str, Any]:
        """Return the filter as JSON, for logs and digests."""
        told = {name: value for name, value in asdict(self).items() if value}
        return {name: _moment(value) if isinstance(value, datetime) else value for name, value in told.items()}

    def cursor(self, tenant: str, token: bytes) -> str | None:
        """Return the cursor of the page that begins at visibility's token; None when there is no such page."""
        if not token:
            return None
        return encode_cursor(self._seal(tenant, token), base64.b64encode(token).decode())

    def token(self, tenant: str, cursor: str | None) -> bytes:
        """Return the token in a cursor.

        Raises:
            Problem: `INVALID_REQUEST` for what this filter and this tenant were not given.
        """
        if cursor is None:
            return b""
        try:
            seal, encoded = decode_cursor(cursor, parts=2)
            token = base64.b64decode(encoded, validate=True)
        except (InvalidCursorError, ValueError, RecursionError):
            raise _foreign() from None
        if seal != self._seal(tenant, token):
            raise _foreign()
        return token

    def _seal(self, tenant: str, token: bytes) -> str:
        # It tells a mistake, and is no secret: a token is a place in a list that the query bounds to the tenant anyway.
        bound = {"tenant": tenant, "filter": self.as_json(), "token": token.hex()}
        return hashlib.sha256(rfc8785.dumps(bound)).hexdigest()[:32]


def _foreign() -> Problem:
    return invalid_field("query", "cursor", "not a cursor of this list with this filter")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
