"""Charges in the database: each moves once, by whichever of many came first, and is posted when it is captured."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from payment_service.domain.charges import ChargeStatus, StoredCharge
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger import SqlLedger, post
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS, LEDGER_TRANSACTIONS
from platform_contracts.money import Money
from platform_runtime.database import Database
from platform_runtime.migrations import migrate
from tests.fakes.payment import euros
from tests.integration.payment.samples import MIGRATIONS, NOW, captured, details

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def charges(database: Database) -> SqlCharges:
    return SqlCharges(database)


async def _begin(charges: SqlCharges, *shares: int, operation_id: str = "p-1") -> StoredCharge:
    charge, _ = await charges.begin(
        tenant="buyers",
        operation_id=operation_id,
        details=details(*(shares or (1_500, 500))),
        provider="acquirer",
        now=NOW,
    )
    return charge


async def _authorised(charges: SqlCharges, *shares: int, operation_id: str = "p-1") -> StoredCharge:
    charge = await _begin(charges, *shares, operation_id=operation_id)
    return await charges.move(charge, to=ChargeStatus.AUTHORISED, now=NOW)


async def _posted(database: Database) -> tuple[int, int]:
    """Return how many transactions there are, and what all postings sum up to."""
    async with database.read() as connection:
        transactions = await connection.scalar(select(func.count()).select_from(LEDGER_TRANSACTIONS))
        total = await connection.scalar(select(func.sum(LEDGER_POSTINGS.c.minor_units)))
    return int(transactions or 0), int(total or 0)


async def test_charge_is_read_as_it_was_written(charges: SqlCharges) -> None:
    written = await _begin(charges)

    found = await charges.find(tenant="buyers", operation_id="p-1")

    assert found == written
    assert found is not None
    assert (found.status, found.details) == (ChargeStatus.AUTHORISING, details(1_500, 500))


async def test_second_beginning_finds_the_first(charges: SqlCharges) -> None:
    await _authorised(charges)

    found, is_new = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(7), provider="acquirer", now=LATER
    )

    assert not is_new
    assert (found.status, found.details) == (ChargeStatus.AUTHORISED, details(1_500, 500))


async def test_of_many_that_begin_at_once_one_is_new(charges: SqlCharges) -> None:
    begun = await asyncio.gather(
        *(
            charges.begin(
                tenant="buyers",
                operation_id="p-1",
                details=details(5),
                provider="acquirer",
                now=NOW + timedelta(seconds=number),
            )
            for number in range(20)
        )
    )

    assert sorted(is_new for _, is_new in begun) == [False] * 19 + [True]


async def test_captured_charge_is_posted_in_the_same_transaction(charges: SqlCharges, database: Database) -> None:
    charge = await _authorised(charges)

    stored = await charges.capture(charge, transaction=captured(charge))

    assert stored.status is ChargeStatus.CAPTURED
    assert await _posted(database) == (1, 0)


async def test_of_many_captures_at_once_one_is_posted(charges: SqlCharges, database: Database) -> None:
    charge = await _authorised(charges)

    stored = await asyncio.gather(*(charges.capture(charge, transaction=captured(charge)) for _ in range(20)))

    assert {each.status for each in stored} == {ChargeStatus.CAPTURED}
    assert await _posted(database) == (1, 0)


async def test_capture_that_cannot_be_posted_is_not_recorded(charges: SqlCharges, database: Database) -> None:
    charge = await _authorised(charges)
    async with database.write() as connection:
        await post(connection, captured(charge))

    with pytest.raises(IntegrityError):
        await charges.capture(charge, transaction=captured(charge))

    found = await charges.find(tenant="buyers", operation_id="p-1")
    assert found is not None
    assert found.status is ChargeStatus.AUTHORISED
    assert await _posted(database) == (1, 0)


async def test_of_many_voids_and_captures_at_once_one_kind_wins(charges: SqlCharges, database: Database) -> None:
    charge = await _authorised(charges)

    outcomes = await asyncio.gather(
        *(charges.capture(charge, transaction=captured(charge)) for _ in range(10)),
        *(charges.void(tenant="buyers", operation_id="p-1", now=LATER) for _ in range(10)),
    )

    found = await charges.find(tenant="buyers", operation_id="p-1")
    assert found is not None
    assert {each.status for each in outcomes} == {found.status}
    assert await _posted(database) == ((1, 0) if found.status is ChargeStatus.CAPTURED else (0, 0))


@pytest.mark.parametrize("late", [ChargeStatus.AUTHORISED, ChargeStatus.UNKNOWN, ChargeStatus.DECLINED])
async def test_nothing_moves_a_voided_charge(charges: SqlCharges, late: ChargeStatus) -> None:
    charge = await _begin(charges)
    await charges.void(tenant="buyers", operation_id="p-1", now=NOW)

    stored = await charges.move(charge, to=late, now=LATER)

    assert stored.status is ChargeStatus.VOIDED
    assert stored.details == charge.details


async def test_void_of_what_was_never_begun_stands_in_the_way_of_a_late_beginning(charges: SqlCharges) -> None:
    await charges.void(tenant="buyers", operation_id="p-1", now=NOW)

    found, is_new = await charges.begin(
        tenant="buyers", operation_id="p-1", details=details(5), provider="acquirer", now=LATER
    )

    assert not is_new
    assert (found.status, found.details) == (ChargeStatus.VOIDED, None)


async def test_same_operation_of_another_tenant_is_another_charge(charges: SqlCharges, database: Database) -> None:
    await _begin(charges)
    other, is_new = await charges.begin(
        tenant="other", operation_id="p-1", details=details(5), provider="acquirer", now=NOW
    )

    await charges.move(other, to=ChargeStatus.DECLINED, now=NOW)

    assert is_new
    async with database.read() as connection:
        rows = (await connection.execute(select(CHARGES.c.tenant, CHARGES.c.status).order_by(CHARGES.c.tenant))).all()
    assert [tuple(row) for row in rows] == [("buyers", "authorising"), ("other", "declined")]


async def test_balance_is_that_of_the_moment(charges: SqlCharges, database: Database) -> None:
    first = await _authorised(charges, 1_500, 500, operation_id="p-1")
    second = await _authorised(charges, 1_000, operation_id="p-2")
    await charges.capture(first, transaction=captured(first, now=NOW))
    await charges.capture(second, transaction=captured(second, now=LATER))
    ledger = SqlLedger(database)

    balances = [
        await ledger.credit_balances("partner_payable:seller-0", at=at)
        for at in (NOW - timedelta(microseconds=1), NOW, LATER - timedelta(microseconds=1), LATER)
    ]

    assert balances == [[], [euros(1_350)], [euros(1_350)], [euros(2_250)]]


async def test_balance_has_an_amount_for_each_currency(charges: SqlCharges, database: Database) -> None:
    charge = await _authorised(charges, 1_500)
    await charges.capture(charge, transaction=captured(charge))
    yen = details(1_000)
    in_yen = Money(minor_units=1_000, currency="JPY", exponent=0)
    yen = type(yen)(
        payment_token="tok_ok",
        amount=in_yen,
        shares=tuple(type(share)(seller=share.seller, amount=in_yen) for share in yen.shares),
    )
    other, _ = await charges.begin(tenant="buyers", operation_id="p-2", details=yen, provider="acquirer", now=NOW)
    other = await charges.move(other, to=ChargeStatus.AUTHORISED, now=NOW)
    await charges.capture(other, transaction=captured(other))

    balances = await SqlLedger(database).credit_balances("partner_payable:seller-0", at=NOW)

    assert balances == [euros(1_350), Money(minor_units=900, currency="JPY", exponent=0)]


async def test_balance_reads_nothing_but_its_index(tmp_path: Path) -> None:
    # On SQLite alone: the planner of PostgreSQL decides by the size of the table.
    url = f"sqlite:///{tmp_path}/plan.sqlite3"
    migrate(url, MIGRATIONS)
    query = (
        "EXPLAIN QUERY PLAN SELECT currency, exponent, sum(minor_units) FROM ledger_postings"
        " WHERE account = 'a' AND posted_at <= '2026-01-01' GROUP BY currency, exponent"
    )

    async with Database.opened(url) as database, database.read() as connection:
        plan = " ".join(str(row) for row in (await connection.exec_driver_sql(query)).all())

    assert "USING COVERING INDEX" in plan
