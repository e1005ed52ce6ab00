"""What the API takes and gives about API keys and the audit log."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, Field, StringConstraints

from platform_gateway.identity.api_keys import ApiKey, GivenKey
from platform_gateway.identity.callers import Role, Scope
from platform_gateway.identity.key_store import AuditEntry
from platform_gateway.rest_models import Line, ResourceModel, RestModel

MAX_OVERLAP_SECONDS: Final = 30 * 86_400

DEFAULT_OVERLAP_SECONDS: Final = 86_400
"""Long enough to give everybody the new key on a working day."""

KeyName = Annotated[Line, StringConstraints(min_length=1, max_length=100)]


class ApiKeyRequest(ResourceModel):
    """A new key of the caller's account."""

    # JSON has neither enumerations, nor sets, nor moments: strict as the model is, it would want them.
    role: Annotated[Role, Field(strict=False)]
    scopes: Annotated[frozenset[Annotated[Scope, Field(strict=False)]] | None, Field(strict=False, min_length=1)] = None
    """Fewer than the role's; None: whatever the role may do, also what it may do one day."""
    name: KeyName | None = None
    """What people call it."""
    expires_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    """When it stops working; None: when it is rotated or revoked."""


class RotationRequest(ResourceModel):
    """How a key is handed over to its successor."""

    overlap_seconds: Annotated[int, Field(ge=0, le=MAX_OVERLAP_SECONDS)] = DEFAULT_OVERLAP_SECONDS
    """How long the old key still works, unless it ends sooner by itself."""


class ApiKeyState(RestModel):
    """A key, without its secret."""

    key_id: str
    account: str
    name: str | None
    role: Role
    scopes: tuple[Scope, ...]
    """What it may do."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    successor: str | None
    """The key that takes over, once it has been rotated."""


class IssuedApiKey(ApiKeyState):
    """A new key. Its text is shown this one time: only a hash of it is kept."""

    api_key: str


class ApiKeysPage(RestModel):
    """A page of keys, newest first."""

    api_keys: tuple[ApiKeyState, ...]
    next_cursor: str | None


class AuditLogEntry(RestModel):
    """One decision or denial: `asked` before a thing is done, then `done`, `denied`, or the problem's type."""

    entry_id: str
    recorded_at: datetime
    account: str | None
    """Whom it is about."""
    subject: str | None
    """Who it was: `key:<id>`, `user:<sub>`, `static-key`, `local:<name>`, `anyone`."""
    home: str | None
    """The subject's own account, when staff acted for another one."""
    action: str
    target: str
    outcome: str
    details: dict[str, Any]
    trace_id: str | None


class AuditLogPage(RestModel):
    """A page of the audit log, newest first."""

    entries: tuple[AuditLogEntry, ...]
    next_cursor: str | None


def key_state(key: ApiKey) -> ApiKeyState:
    """Return a key as the API shows it."""
    return ApiKeyState(**_members(key))


def issued_key(key: ApiKey, given: GivenKey) -> IssuedApiKey:
    """Return a new key with its text."""
    return IssuedApiKey(**_members(key), api_key=given.text)


def audit_entry(entry: AuditEntry) -> AuditLogEntry:
    """Return an entry as the API shows it."""
    return AuditLogEntry(
        entry_id=str(entry.entry_id),
        recorded_at=entry.recorded_at,
        account=entry.tenant,
        subject=entry.subject,
        home=entry.home,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        details=dict(entry.details),
        trace_id=entry.trace_id,
    )


def _members(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "account": key.tenant,
        "name": key.name,
        "role": key.role,
        "scopes": tuple(sorted(key.effective_scopes)),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "successor": key.successor,
    }
