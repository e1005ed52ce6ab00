"""API keys: what one looks like, what it may do, and until when it works."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from platform_gateway.identity.callers import SCOPES_OF, STAFF_TENANT, Caller, Role, Scope

PREFIX: Final = "pp_live_"
"""What every key begins with, so that a person and a secret scanner know one when they see it."""

_SECRET_BYTES: Final = 32
_KEY_ID_BYTES: Final = 8
_TEXT: Final = re.compile(rf"{PREFIX}([0-9a-f]{{16}})_([A-Za-z0-9_-]{{43}})")


class GrantError(ValueError):
    """A key was to be given what its role does not have, or what its giver does not have."""


@dataclass(frozen=True)
class GivenKey:
    """A key as somebody presents it: the part that names it, and the part that proves it."""

    key_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key."""
        return f"{PREFIX}{self.key_id}_{self.secret}"

    @property
    def secret_sha256(self) -> str:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as the gateway knows it: everything but its secret."""

    key_id: str
    tenant: str
    secret_sha256: str = field(repr=False)
    role: Role
    scopes: frozenset[Scope] | None = None
    """Narrower than the role's; None: whatever the role may do."""
    name: str | None = None
    """What people call it."""
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    successor: str | None = None
    predecessor: str | None = None

    @property
    def effective_scopes(self) -> frozenset[Scope]:
        """What its holder may do."""
        of_role = SCOPES_OF[self.role]
        return of_role if self.scopes is None else of_role & self.scopes

    def fault(self, given: GivenKey, *, now: datetime) -> str | None:
        """Return why the presented key does not let anybody in, or None.

        The secret comes first: who does not have it learns nothing about the key, in whatever time it takes.
        """
        if not hmac.compare_digest(given.secret_sha256, self.secret_sha256):
            return "wrong_secret"
        if self.revoked_at is not None:
            return "revoked"
        return None if self.works(now=now) else "expired"

    def works(self, *, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def caller(self) -> Caller:
        """Return who presents it."""
        return Caller(
            tenant=self.tenant,
            subject=f"key:{self.key_id}",
            scopes=self.effective_scopes,
            is_staff=self.tenant == STAFF_TENANT,
        )


def new_key() -> GivenKey:
    """Return a key that nobody has."""
    return GivenKey(secrets.token_hex(_KEY_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))


def parse_key(text: str) -> GivenKey | None:
    """Return the parts of a key, or None when this is none."""
    found = _TEXT.fullmatch(text)
    return None if found is None else GivenKey(found[1], found[2])


def checked_scopes(role: Role, scopes: Iterable[Scope] | None) -> frozenset[Scope] | None:
    """Return the narrowed scopes of a key, or None when it has all of its role's.

    Raises:
        GrantError: when one is not the role's, or there is none at all.
    """
    if scopes is None:
        return None
    wanted = frozenset(scopes)
    if not wanted:
        raise GrantError("a key without scopes could do nothing")
    foreign = wanted - SCOPES_OF[role]
    if foreign:
        raise GrantError(f"the role {role} does not have {', '.join(sorted(foreign))}")
    return wanted


def missing_scopes(granter: Caller, role: Role, scopes: frozenset[Scope] | None) -> frozenset[Scope]:
    """Return what a key would allow and the one who gives it may not do; a key is never more than its giver."""
    return (SCOPES_OF[role] if scopes is None else scopes) - granter.scopes
