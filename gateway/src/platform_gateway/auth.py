"""Who calls."""

import hmac

from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer
from pydantic import SecretStr

from platform_gateway.callers import Caller, caller_with_every_scope
from platform_gateway.problems import Kind, Problem
from platform_gateway.settings import OPEN_TENANT

documented_bearer = HTTPBearer(auto_error=False, description="The API key.")
documented_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="The API key, as a header of its own.")
"""For the documentation; `ApiKey` decides, before anything else of the request is read."""


class ApiKey:
    """One key for one account; without a key everybody is the account `demo`."""

    def __init__(self, key: SecretStr | None, *, tenant: str) -> None:
        self._key = key
        self._tenant = tenant

    def __call__(self, request: Request) -> Caller:
        """Return the caller, who may do everything within the account.

        Raises:
            Problem: `UNAUTHENTICATED` without the right key.
        """
        if self._key is None:
            return caller_with_every_scope(OPEN_TENANT, subject="anyone", is_staff=True)
        given = _presented(request)
        # Compared as bytes and in constant time: a wrong key takes as long as a nearly right one.
        if given is None or not hmac.compare_digest(given.encode(), self._key.get_secret_value().encode()):
            raise Problem(
                Kind.UNAUTHENTICATED,
                "Send `Authorization: Bearer <key>` or `X-API-Key: <key>`.",
                headers={"WWW-Authenticate": 'Bearer realm="partner-platform"'},
            )
        return caller_with_every_scope(self._tenant, subject="static-key", is_staff=True)


def _presented(request: Request) -> str | None:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return request.headers.get("X-API-Key")
