"""Keys and the audit log on both databases."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from platform_gateway.identity.api_keys import ApiKey, new_key
from platform_gateway.identity.callers import Caller, Role, Scope
from platform_gateway.persistence.tables import METADATA
from platform_gateway.stores import Stores
from platform_runtime.migrations import migrate, schema_problem
from tests.gateway.api import MIGRATIONS

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
IN_AN_HOUR = NOW + timedelta(hours=1)


def a_key(tenant: str = "acme", *, created_at: datetime = NOW, scopes: frozenset[Scope] | None = None) -> ApiKey:
    given = new_key()
    return ApiKey(
        key_id=given.key_id,
        tenant=tenant,
        secret_sha256=given.secret_sha256,
        role=Role.PARTNER,
        scopes=scopes,
        created_at=created_at,
        created_by="test",
    )


def successor_of(key: ApiKey) -> ApiKey:
    return replace(a_key(), predecessor=key.key_id)


async def test_migrations_make_the_tables_that_the_code_uses(stores: Stores, database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with stores.database.read() as connection:
        found = await connection.run_sync(differences)

    assert found == []
    assert schema_problem(database_url, MIGRATIONS) is None


def test_the_database_has_keys_and_the_audit_log_and_nothing_else() -> None:
    assert METADATA.tables.keys() == {"api_keys", "audit_log"}, "what is started is Temporal's to keep"


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    before = schema_problem(empty_database_url, MIGRATIONS)
    migrate(empty_database_url, MIGRATIONS)
    migrate(empty_database_url, MIGRATIONS)

    assert before == "the database has no schema yet"
    assert schema_problem(empty_database_url, MIGRATIONS) is None


@pytest.mark.parametrize("scopes", [None, frozenset({Scope.USERS_READ, Scope.PURCHASES_READ})])
async def test_key_is_read_as_it_was_kept(stores: Stores, scopes: frozenset[Scope] | None) -> None:
    key = replace(a_key(scopes=scopes), name="warehouse", expires_at=IN_AN_HOUR)

    await stores.keys.add(key)

    assert await stores.keys.get(key.key_id) == key
    assert await stores.keys.get("0123456789abcdef") is None


async def test_scope_of_a_newer_gateway_allows_nothing(stores: Stores) -> None:
    key = a_key(scopes=frozenset({Scope.USERS_READ}))
    await stores.keys.add(key)
    async with stores.database.write() as connection:
        await connection.execute(text("""UPDATE api_keys SET scopes = '["users:read", "users:teleport"]'"""))

    found = await stores.keys.get(key.key_id)

    assert found is not None
    assert found.effective_scopes == {Scope.USERS_READ}


async def test_pages_are_newest_first_also_among_keys_of_one_moment(stores: Stores) -> None:
    keys = [a_key(created_at=NOW + timedelta(seconds=number // 2)) for number in range(6)]
    for key in [*keys, a_key("zenith")]:
        await stores.keys.add(key)

    first = await stores.keys.page("acme", after=None, limit=3)
    rest = await stores.keys.page("acme", after=(first[-1].created_at, first[-1].key_id), limit=10)
    everybodys = await stores.keys.page(None, after=None, limit=10)

    assert [*first, *rest] == sorted(keys, key=lambda key: (key.created_at, key.key_id), reverse=True)
    assert len(everybodys) == 7


async def test_of_many_rotations_at_once_one_is_done(stores: Stores) -> None:
    key = a_key()
    await stores.keys.add(key)

    done = await asyncio.gather(
        *(stores.keys.rotate(key, successor_of(key), ends_at=IN_AN_HOUR, now=NOW) for _ in range(8))
    )

    assert sorted(done) == [False] * 7 + [True]
    assert len(await stores.keys.page("acme", after=None, limit=10)) == 2


async def test_rotation_leaves_two_keys_at_most(stores: Stores) -> None:
    first = a_key()
    second, third = successor_of(first), successor_of(first)
    await stores.keys.add(first)
    await stores.keys.rotate(first, second, ends_at=IN_AN_HOUR, now=NOW)

    of_the_second = await stores.keys.rotate(second, successor_of(second), ends_at=IN_AN_HOUR, now=NOW)
    of_the_first = await stores.keys.rotate(first, third, ends_at=IN_AN_HOUR, now=NOW)
    after_its_end = await stores.keys.rotate(second, successor_of(second), ends_at=IN_AN_HOUR, now=IN_AN_HOUR)

    assert (of_the_second, of_the_first, after_its_end) == (False, False, True)


async def test_revoked_and_expired_keys_are_not_rotated(stores: Stores) -> None:
    revoked, expired = a_key(), replace(a_key(), expires_at=NOW)
    for key in (revoked, expired):
        await stores.keys.add(key)
    await stores.keys.revoke(revoked.key_id, now=NOW)
    await stores.keys.revoke(revoked.key_id, now=IN_AN_HOUR)

    done = [await stores.keys.rotate(key, successor_of(key), ends_at=IN_AN_HOUR, now=NOW) for key in (revoked, expired)]

    found = await stores.keys.get(revoked.key_id)
    assert done == [False, False]
    assert found is not None
    assert found.revoked_at == NOW


async def test_rotation_does_not_lengthen_a_life(stores: Stores) -> None:
    key = replace(a_key(), expires_at=NOW + timedelta(minutes=1))
    await stores.keys.add(key)

    await stores.keys.rotate(key, successor_of(key), ends_at=IN_AN_HOUR, now=NOW)

    found = await stores.keys.get(key.key_id)
    assert found is not None
    assert found.expires_at == key.expires_at


async def test_entry_is_read_as_it_was_kept(stores: Stores) -> None:
    caller = Caller(tenant="acme", subject="user:ada", scopes=frozenset(), home="platform")

    await stores.audit.record(caller, "buy", f"/v1/{'a' * 2_000}\x00", outcome="denied", scope="purchases:write")
    (entry,) = await stores.audit.page("acme", before=None, limit=10)

    assert (entry.tenant, entry.subject, entry.home) == ("acme", "user:ada", "platform")
    assert (entry.action, entry.outcome, entry.details) == ("buy", "denied", {"scope": "purchases:write"})
    assert len(entry.target) == 1_000
    assert datetime.now(UTC) - entry.recorded_at < timedelta(minutes=1)
    assert await stores.audit.page("zenith", before=None, limit=10) == []


async def test_entries_are_newest_first(stores: Stores) -> None:
    for number in range(5):
        await stores.audit.record(None, f"action-{number}", "target")

    first = await stores.audit.page(None, before=None, limit=2)
    rest = await stores.audit.page(None, before=first[-1].entry_id, limit=10)

    assert [entry.action for entry in [*first, *rest]] == [f"action-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET outcome = 'done'", "DELETE FROM audit_log"])
async def test_entry_cannot_be_changed(stores: Stores, statement: str) -> None:
    await stores.audit.record(None, "buy", "/v1/purchases", outcome="denied")

    with pytest.raises(SQLAlchemyError, match="append only"):
        async with stores.database.write() as connection:
            await connection.execute(text(statement))

    (entry,) = await stores.audit.page(None, before=None, limit=10)
    assert entry.outcome == "denied"
