"""Create, rotate and revoke API keys on behalf of somebody who may."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from platform_gateway.identity.api_keys import ApiKey, GivenKey, GrantError, checked_scopes, missing_scopes, new_key
from platform_gateway.identity.callers import Caller, Role, Scope
from platform_gateway.identity.key_store import KeyStore
from platform_gateway.problems import Kind, Problem, invalid_field


async def create_key(
    store: KeyStore,
    caller: Caller,
    *,
    role: Role,
    scopes: Iterable[Scope] | None = None,
    name: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, GivenKey]:
    """Make a key of the caller's account, and return it with its text, which nobody can tell again.

    Raises:
        Problem: `INVALID_REQUEST` for a scope that the role does not have, or a past expiry; `SCOPE_NOT_OWNED` for one
            that the caller does not have.
    """
    now = _now()
    if expires_at is not None and expires_at <= now:
        raise invalid_field("body", "expiresAt", "it is past")
    try:
        narrowed = checked_scopes(role, scopes)
    except GrantError as error:
        raise invalid_field("body", "scopes", str(error)) from None
    _check_grant(caller, role, narrowed)
    given = new_key()
    key = ApiKey(
        key_id=given.key_id,
        tenant=caller.tenant,
        secret_sha256=given.secret_sha256,
        role=role,
        scopes=narrowed,
        name=name,
        created_at=now,
        created_by=caller.subject,
        expires_at=expires_at,
    )
    await store.add(key)
    return key, given


async def rotate_key(store: KeyStore, caller: Caller, key_id: str, *, overlap: timedelta) -> tuple[ApiKey, GivenKey]:
    """Make the successor of a key, which may do the same; the old one still works for the overlap.

    Raises:
        Problem: `UNKNOWN_API_KEY`; `KEY_NOT_ROTATED` when it does not work any more, or is one of two already;
            `SCOPE_NOT_OWNED` when it may do what the caller may not: they would get its successor.
    """
    key = await own_key(store, caller, key_id)
    _check_grant(caller, key.role, key.scopes)
    now = _now()
    # A first successor that was revoked: it knows how long the key was made for, which has since been given its end.
    revoked = None if key.successor is None else await store.get(key.successor)
    given = new_key()
    successor = replace(
        key,
        key_id=given.key_id,
        secret_sha256=given.secret_sha256,
        created_at=now,
        created_by=caller.subject,
        # A key that was made for a while is followed by one for as long.
        expires_at=_expiry_like(key if revoked is None else revoked, now=now),
        revoked_at=None,
        successor=None,
        predecessor=key.key_id,
    )
    if not await store.rotate(key, successor, ends_at=now + overlap, now=now):
        raise Problem(
            Kind.KEY_NOT_ROTATED,
            "It does not work any more, or another one of the same rotation still does: two are the most. "
            "Revoke that one first, or wait for its end.",
        )
    return successor, given


async def revoke_key(store: KeyStore, caller: Caller, key_id: str) -> ApiKey:
    """End a key for good, and return what it is then; one that is revoked already stays as it is.

    Raises:
        Problem: `UNKNOWN_API_KEY`.
    """
    await own_key(store, caller, key_id)
    await store.revoke(key_id, now=_now())
    return await own_key(store, caller, key_id)


async def own_key(store: KeyStore, caller: Caller, key_id: str) -> ApiKey:
    """Return a key of the caller's account.

    Raises:
        Problem: `UNKNOWN_API_KEY` for any other.
    """
    key = await store.get(key_id)
    if key is None or key.tenant != caller.tenant:
        raise Problem(Kind.UNKNOWN_API_KEY)
    return key


def _check_grant(caller: Caller, role: Role, scopes: frozenset[Scope] | None) -> None:
    missing = missing_scopes(caller, role, scopes)
    if missing:
        raise Problem(Kind.SCOPE_NOT_OWNED, f"You do not have {', '.join(sorted(missing))}.")


def _expiry_like(key: ApiKey, *, now: datetime) -> datetime | None:
    """Return the end of a key that is made now and works for as long as that one."""
    return None if key.expires_at is None else now + (key.expires_at - key.created_at)


def _now() -> datetime:
    return datetime.now(UTC)
