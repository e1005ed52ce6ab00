"""API keys in the database."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from platform_gateway.identity.api_keys import ApiKey
from platform_gateway.identity.callers import Role, Scope
from platform_gateway.persistence.tables import API_KEYS
from platform_runtime.database import Database

_KNOWN: Final = frozenset(scope.value for scope in Scope)


class SqlKeyStore:
    """The port `KeyStore` on SQLite and PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Use this database."""
        self._database = database

    async def add(self, key: ApiKey) -> None:
        """Insert a new key."""
        async with self._database.write() as connection:
            await connection.execute(insert(API_KEYS).values(_row(key)))

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id."""
        async with self._database.read() as connection:
            return await _found(connection, key_id)

    async def page(self, tenant: str | None, *, after: tuple[datetime, str] | None, limit: int) -> Sequence[ApiKey]:
        """Return the next keys, newest first."""
        keys = API_KEYS.c
        statement = select(API_KEYS).order_by(keys.created_at.desc(), keys.key_id.desc()).limit(limit)
        if tenant is not None:
            statement = statement.where(keys.tenant == tenant)
        if after is not None:
            moment, key_id = after
            # The first condition is the one that an index can begin at.
            statement = statement.where(keys.created_at <= moment, or_(keys.created_at < moment, keys.key_id < key_id))
        async with self._database.read() as connection:
            return [_key(row) for row in await connection.execute(statement)]

    async def rotate(self, key: ApiKey, successor: ApiKey, *, ends_at: datetime, now: datetime) -> bool:
        """Insert the successor and end the key, in one transaction."""
        async with self._database.write() as connection:
            current = await _found(connection, key.key_id)
            if current is None or not current.works(now=now):
                return False
            for other in (current.successor, current.predecessor):
                found = None if other is None else await _found(connection, other)
                if found is not None and found.works(now=now):
                    return False
            end = ends_at if current.expires_at is None else min(ends_at, current.expires_at)
            ended = await connection.execute(
                update(API_KEYS)
                .where(
                    API_KEYS.c.key_id == key.key_id,
                    API_KEYS.c.revoked_at.is_(None),
                    # What was seen above: whoever rotates or revokes at the same time is noticed here.
                    API_KEYS.c.successor.is_(None)
                    if current.successor is None
                    else API_KEYS.c.successor == current.successor,
                )
                .values(successor=successor.key_id, expires_at=end)
            )
            if ended.rowcount != 1:
                return False
            await connection.execute(insert(API_KEYS).values(_row(successor)))
            return True

    async def revoke(self, key_id: str, *, now: datetime) -> None:
        """Mark the key as revoked, unless it is."""
        async with self._database.write() as connection:
            await connection.execute(
                update(API_KEYS)
                .where(API_KEYS.c.key_id == key_id, API_KEYS.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )


async def _found(connection: AsyncConnection, key_id: str) -> ApiKey | None:
    row = (await connection.execute(select(API_KEYS).where(API_KEYS.c.key_id == key_id))).one_or_none()
    return None if row is None else _key(row)


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "tenant": key.tenant,
        "secret_sha256": key.secret_sha256,
        "name": key.name,
        "role": key.role.value,
        "scopes": None if key.scopes is None else json.dumps(sorted(key.scopes)),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "successor": key.successor,
        "predecessor": key.predecessor,
    }


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        tenant=row.tenant,
        secret_sha256=row.secret_sha256,
        name=row.name,
        role=Role(row.role),
        # A scope that this code does not know, of a newer gateway beside it, allows nothing here.
        scopes=None if row.scopes is None else frozenset(map(Scope, _KNOWN & set(json.loads(row.scopes)))),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        successor=row.successor,
        predecessor=row.predecessor,
    )
