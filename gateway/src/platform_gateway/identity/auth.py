"""Who calls: by an API key of the database, by the one static key, or by a token of an OIDC issuer."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer
from pydantic import SecretStr

from platform_gateway.identity.acting import acting_for
from platform_gateway.identity.api_keys import PREFIX
from platform_gateway.identity.audit import AuditLog
from platform_gateway.identity.callers import Caller, caller_with_every_scope
from platform_gateway.identity.identity_settings import OPEN_TENANT
from platform_gateway.problems import Kind, Problem
from platform_gateway.protection.tenant_limits import TenantLimits

documented_bearer = HTTPBearer(auto_error=False, description="An API key, or a token of the OIDC issuer.")
documented_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, as a header of its own.")
"""For the documentation; `Authentication` decides, before anything else of the request is read."""

Proof = Callable[[str], Awaitable[Caller | None]]
"""Returns whose credentials these are; None when they let nobody in. May raise a `Problem` when it cannot tell."""

_TOKEN_DOTS: Final = 2
"""A signed token has three parts."""


class Authentication:
    """Asks one proof after the other whose credentials a request carries, and for whom its caller acts.

    Args:
        audit: where denials and decisions of the routes behind it are kept.
        limits: what each account may ask of this process; None: anything.
        static_key: the one key of a small installation; None: there is none.
        tenant: the account of that key.
        keys: the keys of the database; None: none is asked for.
        tokens: the tokens of an issuer; None: none is asked for.
        is_open: whether everybody is let in, as the account `demo`, whatever they present.
    """

    def __init__(
        self,
        audit: AuditLog,
        *,
        limits: TenantLimits | None = None,
        static_key: SecretStr | None = None,
        tenant: str = OPEN_TENANT,
        keys: Proof | None = None,
        tokens: Proof | None = None,
        is_open: bool = False,
    ) -> None:
        self.audit = audit
        self._limits = limits or TenantLimits()
        self._static_key = static_key
        self._tenant = tenant
        self._keys = keys
        self._tokens = tokens
        self._is_open = is_open

    async def __call__(self, request: Request) -> Caller:
        """Return the caller, whose request counts for the account that they belong to.

        Raises:
            Problem: `UNAUTHENTICATED`, with the same answer whatever was wrong; `FOREIGN_ACCOUNT`; `RATE_LIMITED` or
                `TOO_MANY_IN_FLIGHT`; `IDENTITY_AWAY` when it cannot be told now.
        """
        if self._is_open:
            caller = caller_with_every_scope(OPEN_TENANT, subject="anyone", is_staff=True)
        else:
            caller = await self._known(request)
        request.state.admission = self._limits.admit(caller.tenant)
        return await acting_for(request, caller, self.audit)

    async def _known(self, request: Request) -> Caller:
        bearer, key = _presented(request)
        given = key if bearer is None else bearer
        caller: Caller | None = None
        if given is None:
            raise unauthenticated()
        # Compared as bytes and in constant time: a wrong key takes as long as a nearly right one.
        static = self._static_key
        if static is not None and hmac.compare_digest(given.encode(), static.get_secret_value().encode()):
            caller = caller_with_every_scope(self._tenant, subject="static-key", is_staff=True)
        elif given.startswith(PREFIX):
            caller = None if self._keys is None else await self._keys(given)
        elif bearer is not None and self._tokens is not None and bearer.count(".") == _TOKEN_DOTS:
            caller = await self._tokens(bearer)
        if caller is None:
            raise unauthenticated()
        return caller


def unauthenticated() -> Problem:
    """Return the one answer to everybody who is not let in: what was wrong is for the audit log."""
    return Problem(
        Kind.UNAUTHENTICATED,
        "Send `Authorization: Bearer <key or token>` or `X-API-Key: <key>`.",
        headers={"WWW-Authenticate": 'Bearer realm="partner-platform"'},
    )


def _presented(request: Request) -> tuple[str | None, str | None]:
    """Return what `Authorization: Bearer` and what `X-API-Key` have; the first one counts."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else None
    return bearer, request.headers.get("X-API-Key")
