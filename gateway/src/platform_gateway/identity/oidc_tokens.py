"""Tokens of an OIDC issuer as proof of who calls."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import jwt

from platform_contracts.identifiers import TENANT_PATTERN
from platform_gateway.identity.callers import SCOPES_OF, STAFF_TENANT, Caller, Role, Scope
from platform_gateway.identity.oidc_keys import IssuerKeys
from platform_runtime.logs import get_logger

_REQUIRED_CLAIMS: Final = ("iss", "aud", "exp", "sub")
_MAX_SUBJECT_CHARACTERS: Final = 255
_ROLES: Final = {role.value: role for role in Role}

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class TokenRules:
    """Which tokens count, and what they say."""

    issuer: str
    audience: str
    algorithms: Sequence[str]
    """Asymmetric ones only: a public key must never be taken for a shared secret."""
    types: frozenset[str]
    """What `typ` may be, in lower case: an ID token is not for an API."""
    tenant_claim: str
    role_claim: str
    leeway_seconds: float


class OidcTokens:
    """The proof by a token that the issuer has signed.

    The key is found by its id among the issuer's, and nowhere else: what a token itself says about keys (`jwk`, `jku`,
    `x5u`, `x5c`) is not looked at.
    """

    def __init__(self, keys: IssuerKeys, rules: TokenRules) -> None:
        """Take tokens by these keys and rules."""
        self._keys = keys
        self._rules = rules

    async def __call__(self, token: str) -> Caller | None:
        """Return who the token was made for; None when it lets nobody in.

        Raises:
            Problem: `IDENTITY_AWAY` when its key is not known here and the issuer does not answer.
        """
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ")
            if not isinstance(algorithm, str) or not isinstance(key_id, str):
                return None
            if algorithm not in self._rules.algorithms:
                return None
            if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in self._rules.types:
                return None
            key = await self._keys.get(key_id)
            # A key may be for one algorithm alone; PyJWK would use the one it is given here.
            if key is None or key.get("alg", algorithm) != algorithm:
                return None
            claims: Mapping[str, Any] = jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm=algorithm),
                algorithms=[algorithm],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=self._rules.leeway_seconds,
                options={"require": list(_REQUIRED_CLAIMS), "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, ArithmeticError, RecursionError) as error:
            # Beside the library's own: a header nested without end, or a moment that no number is.
            _log.info("token.refused", error=type(error).__name__)
            return None
        return self._caller(claims)

    def _caller(self, claims: Mapping[str, Any]) -> Caller | None:
        tenant, subject = claims.get(self._rules.tenant_claim), claims["sub"]
        scopes = _scopes(claims.get(self._rules.role_claim))
        if not isinstance(tenant, str) or re.fullmatch(TENANT_PATTERN, tenant) is None or not scopes:
            _log.info("token.refused", error="no account or no role")
            return None
        if not subject or len(subject) > _MAX_SUBJECT_CHARACTERS:
            return None
        return Caller(tenant=tenant, subject=f"user:{subject}", scopes=scopes, is_staff=tenant == STAFF_TENANT)


def _scopes(roles: object) -> frozenset[Scope]:
    """Return what the roles together may do; issuers give one as a text and several as a list."""
    named = cast("list[object]", roles) if isinstance(roles, list) else [roles]
    known = [_ROLES[role] for role in named if isinstance(role, str) and role in _ROLES]
    return frozenset[Scope]().union(*(SCOPES_OF[role] for role in known))
