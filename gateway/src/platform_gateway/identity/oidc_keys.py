"""The public keys of an OIDC issuer: fetched, kept, and fetched again when the issuer has changed them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import httpx

from platform_gateway.identity.identity_settings import is_secure_url
from platform_gateway.problems import Kind, Problem
from platform_runtime.logs import get_logger

_FETCH_WITHIN_SECONDS: Final = 2.0
_UNKNOWN_KEY_EVERY_SECONDS: Final = 60.0
"""How often a key that we do not have lets us ask again: whoever makes up key ids must not make us ask the issuer."""

_AFTER_FAILURE_SECONDS: Final = 5.0
_WITHOUT_ISSUER_SECONDS: Final = 86_400.0
"""How long keys count while the issuer is away. It may have retired one meanwhile, so it is not for good."""

_log = get_logger(__name__)

Jwk = Mapping[str, Any]


class IssuerKeys:
    """The key set of one issuer.

    Args:
        http: asks the issuer; follows no redirects.
        issuer: whose keys, as their tokens say it.
        url: where the key set is; None: where the issuer's own configuration says.
        fresh_seconds: how old the key set may be: a key that the issuer has retired counts no longer than this.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        issuer: str,
        url: str | None,
        fresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._url = url
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._keys: dict[str, Jwk] = {}
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")
        self._is_away = False
        self._fetching = asyncio.Lock()

    async def get(self, key_id: str) -> Jwk | None:
        """Return the key; None when the issuer has none of that id.

        Raises:
            Problem: `IDENTITY_AWAY` when it is not known here, and the issuer does not answer.
        """
        if self._is_due(key_id) and not (self._fetching.locked() and key_id in self._keys):
            async with self._fetching:
                # Whoever waited here may find that it has been done.
                if self._is_due(key_id):
                    await self._fetch()
        if self._clock() - self._fetched_at > max(_WITHOUT_ISSUER_SECONDS, self._fresh_seconds):
            self._keys = {}
        key = self._keys.get(key_id)
        if key is None and self._is_away:
            raise Problem(Kind.IDENTITY_AWAY)
        return key

    def _is_due(self, key_id: str) -> bool:
        now = self._clock()
        if self._is_away:
            return now - self._asked_at >= _AFTER_FAILURE_SECONDS
        if now - self._fetched_at >= self._fresh_seconds:
            return True
        return key_id not in self._keys and now - self._asked_at >= _UNKNOWN_KEY_EVERY_SECONDS

    async def _fetch(self) -> None:
        self._asked_at = self._clock()
        try:
            async with asyncio.timeout(_FETCH_WITHIN_SECONDS):
                found = await self._json(self._url or await self._discovered())
                keys = [cast("Jwk", key) for key in cast("list[object]", found["keys"]) if isinstance(key, dict)]
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            self._is_away = True
            _log.warning("oidc.keys_unavailable", issuer=self._issuer, error=type(error).__name__)
            return
        self._is_away = False
        self._fetched_at = self._asked_at
        # Keys for encryption are none of ours.
        self._keys = {str(key["kid"]): key for key in keys if "kid" in key and key.get("use", "sig") == "sig"}

    async def _discovered(self) -> str:
        configuration = await self._json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        url = configuration["jwks_uri"]
        if configuration["issuer"] != self._issuer or not isinstance(url, str) or not is_secure_url(url):
            raise ValueError(
                "the configuration is another issuer's, or names keys that anybody on the way could change"
            )
        return url

    async def _json(self, url: str) -> Mapping[str, Any]:
        answer = await self._http.get(url, follow_redirects=False)
        answer.raise_for_status()
        found: object = answer.json()
        if not isinstance(found, dict):
            raise ValueError("the document is no object")  # noqa: TRY004 - it is what the other side has sent
        return cast("Mapping[str, Any]", found)
