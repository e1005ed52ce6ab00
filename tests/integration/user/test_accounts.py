"""Accounts in the database: created and activated once, by whichever of many came first."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from platform_runtime.database import Database
from user_service.domain.accounts import AccountDetails, AccountDetailsDifferError, AccountStatus, Recipient
from user_service.persistence.accounts import SqlAccounts
from user_service.persistence.tables import ACCOUNTS, PREFERENCES

ADA = AccountDetails(email="ada@example.com", name="Ada Łovelace")
EVE = AccountDetails(email="eve@example.com", name="Eve")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def accounts(database: Database) -> SqlAccounts:
    return SqlAccounts(database)


async def _create(accounts: SqlAccounts, details: AccountDetails = ADA, *, now: datetime = NOW) -> None:
    await accounts.create(tenant="acme", user_id="u-1", details=details, now=now)


async def _activate(accounts: SqlAccounts, *, now: datetime = NOW) -> datetime:
    return await accounts.activate(tenant="acme", user_id="u-1", now=now)


async def _stored_details(database: Database) -> list[tuple[str, str, str]]:
    async with database.read() as connection:
        rows = await connection.execute(select(ACCOUNTS.c.tenant, ACCOUNTS.c.email, ACCOUNTS.c.name))
    return [(row.tenant, row.email, row.name) for row in rows]


async def test_new_account_is_pending_and_takes_no_mail(accounts: SqlAccounts) -> None:
    await _create(accounts)

    found = await accounts.find(tenant="acme", user_id="u-1")
    assert found is not None
    assert (found.status, found.created_at, found.email_enabled) == (AccountStatus.PENDING, NOW, None)
    assert await accounts.recipient(tenant="acme", user_id="u-1") is None


async def test_creating_again_changes_nothing(accounts: SqlAccounts, database: Database) -> None:
    await _create(accounts)
    await _create(accounts, now=LATER)

    found = await accounts.find(tenant="acme", user_id="u-1")
    assert found is not None
    assert found.created_at == NOW
    assert len(await _stored_details(database)) == 1


async def test_pending_account_takes_the_details_of_the_next_try(accounts: SqlAccounts, database: Database) -> None:
    await _create(accounts, EVE)
    await _create(accounts, ADA)

    assert await _stored_details(database) == [("acme", ADA.email, ADA.name)]


async def test_active_account_keeps_its_details(accounts: SqlAccounts, database: Database) -> None:
    await _create(accounts)
    await _activate(accounts)

    await _create(accounts)
    with pytest.raises(AccountDetailsDifferError):
        await _create(accounts, EVE)

    assert await _stored_details(database) == [("acme", ADA.email, ADA.name)]


async def test_activation_gives_preferences_and_a_moment_that_stays(accounts: SqlAccounts) -> None:
    await _create(accounts)

    first = await _activate(accounts)
    again = await _activate(accounts, now=LATER)

    assert first == again == NOW
    assert await accounts.recipient(tenant="acme", user_id="u-1") == Recipient(
        email=ADA.email, name=ADA.name, email_enabled=True
    )
    found = await accounts.find(tenant="acme", user_id="u-1")
    assert found is not None
    assert (found.status, found.email_enabled) == (AccountStatus.ACTIVE, True)


async def test_activating_again_keeps_the_preference_that_was_set_meanwhile(
    accounts: SqlAccounts, database: Database
) -> None:
    await _create(accounts)
    await _activate(accounts)
    async with database.write() as connection:
        await connection.execute(update(PREFERENCES).values(email_enabled=False))

    await _activate(accounts)

    recipient = await accounts.recipient(tenant="acme", user_id="u-1")
    assert recipient is not None
    assert not recipient.email_enabled


async def test_account_that_is_not_there_cannot_be_activated(accounts: SqlAccounts) -> None:
    with pytest.raises(LookupError):
        await _activate(accounts)


async def test_same_user_id_of_another_tenant_is_another_user(accounts: SqlAccounts, database: Database) -> None:
    await _create(accounts, ADA)
    await accounts.create(tenant="other", user_id="u-1", details=EVE, now=NOW)
    await _activate(accounts)

    assert sorted(await _stored_details(database)) == [
        ("acme", ADA.email, ADA.name),
        ("other", EVE.email, EVE.name),
    ]
    assert await accounts.recipient(tenant="other", user_id="u-1") is None


async def test_of_many_at_once_one_creates_and_one_activates(accounts: SqlAccounts, database: Database) -> None:
    moments = [NOW + timedelta(seconds=number) for number in range(20)]

    await asyncio.gather(*(_create(accounts, now=moment) for moment in moments))
    activated = await asyncio.gather(*(_activate(accounts, now=moment) for moment in moments))

    assert len(set(activated)) == 1
    assert len(await _stored_details(database)) == 1


async def test_details_of_an_account_that_becomes_active_meanwhile_are_one_of_both(
    accounts: SqlAccounts, database: Database
) -> None:
    await _create(accounts, ADA)

    outcomes = await asyncio.gather(
        *(_create(accounts, EVE) for _ in range(10)), _activate(accounts), return_exceptions=True
    )

    (stored,) = await _stored_details(database)
    refusals = [each for each in outcomes if isinstance(each, AccountDetailsDifferError)]
    # Nobody was told that its details are stored when they are not, and nobody was refused without need.
    assert len(refusals) == (0 if stored == ("acme", EVE.email, EVE.name) else 10)
    assert not [each for each in outcomes if isinstance(each, Exception) and each not in refusals]
