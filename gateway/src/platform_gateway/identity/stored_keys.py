"""The keys of the database as proof of who calls, in every gateway process and soon after each change."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from platform_gateway.identity.api_keys import ApiKey, parse_key
from platform_gateway.identity.audit import AuditLog
from platform_gateway.identity.auditing import DENIED, keep_if_possible
from platform_gateway.identity.callers import Caller
from platform_gateway.identity.key_store import KeyStore
from platform_gateway.problems import Kind, Problem
from platform_runtime.logs import get_logger

CACHE_SECONDS: Final = 2.0
"""How old what we know of a key may be: a revoked one is refused within five seconds in every process."""

_ANSWER_WITHIN_SECONDS: Final = 1.5
_CACHED_KEYS: Final = 10_000
_DENIAL_EVERY_SECONDS: Final = 60.0
"""How often one and the same denial of a key is kept: who knows the id of a key must not be able to fill the log."""

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_log = get_logger(__name__)


class StoredKeys:
    """The proof by a key of the database.

    Args:
        store: where the keys are.
        audit: where it is kept that a key was refused.
        clock: seconds that only grow.
    """

    def __init__(self, store: KeyStore, audit: AuditLog, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._cache: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()
        self._denied: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def __call__(self, text: str) -> Caller | None:
        """Return who has the key; None when it lets nobody in.

        Raises:
            Problem: `IDENTITY_AWAY` when the database does not answer.
        """
        given = parse_key(text)
        if given is None:
            return None
        key = await self._key(given.key_id)
        if key is None:
            return None
        reason = key.fault(given, now=datetime.now(UTC))
        if reason is None:
            return key.caller()
        await self._note_denial(key, reason)
        return None

    async def _key(self, key_id: str) -> ApiKey | None:
        # Before the database is asked: an answer is as old as its question.
        now = self._clock()
        read_at, cached = self._cache.get(key_id, (now - CACHE_SECONDS, None))
        if cached is not None and now - read_at < CACHE_SECONDS:
            return cached
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
                key = await self._store.get(key_id)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("api_keys.unavailable", error=type(error).__name__)
            raise Problem(Kind.IDENTITY_AWAY) from None
        self._cache.pop(key_id, None)
        if key is not None:
            _remember(self._cache, key_id, (now, key))
        return key

    async def _note_denial(self, key: ApiKey, reason: str) -> None:
        now = self._clock()
        if now - self._denied.get((key.key_id, reason), -_DENIAL_EVERY_SECONDS) < _DENIAL_EVERY_SECONDS:
            return
        _remember(self._denied, (key.key_id, reason), now)
        caller = Caller(tenant=key.tenant, subject=f"key:{key.key_id}", scopes=frozenset())
        await keep_if_possible(self._audit, caller, "authenticate", key.key_id, outcome=DENIED, reason=reason)


def _remember(cache: OrderedDict[KeyT, ValueT], key: KeyT, value: ValueT) -> None:
    cache[key] = value
    if len(cache) > _CACHED_KEYS:
        cache.popitem(last=False)
