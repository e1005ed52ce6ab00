"""The ledger can be checked, its balances made anew, and an independent program agrees with the export."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from payment_service.domain.charges import ChargeDetails, ChargeStatus, Share
from payment_service.domain.ledger import TransactionKey, TransactionKind, capture_transaction, reversal
from payment_service.persistence.charges import SqlCharges
from payment_service.persistence.ledger import find, post
from payment_service.persistence.ledger_check import SqlLedgerCheck
from payment_service.tools import ledger
from platform_contracts.money import Money
from platform_runtime.database import Database
from tests.integration.payment.samples import NOW
from tests.support.ledger_export import bean_check

CURRENCIES = (("EUR", 2), ("JPY", 0), ("KWD", 3))


@pytest.fixture
async def posted(database: Database) -> Database:
    """Return a database whose ledger has captures in three currencies over several days, some of them reversed."""
    dice = random.Random(7)
    charges = SqlCharges(database)
    for number in range(60):
        currency, exponent = dice.choice(CURRENCIES)
        amounts = [
            Money(minor_units=dice.randint(1, 10_000), currency=currency, exponent=exponent)
            for _ in range(dice.randint(1, 3))
        ]
        details = ChargeDetails(
            payment_token="tok_ok",
            amount=amounts[0].model_copy(update={"minor_units": sum(amount.minor_units for amount in amounts)}),
            shares=tuple(Share(seller=f"9-seller-{seller}", amount=amount) for seller, amount in enumerate(amounts)),
        )
        now = NOW + timedelta(hours=7 * number)
        charge, _ = await charges.begin(
            tenant="buyers", operation_id=f"p-{number}", details=details, provider="acquirer", now=now
        )
        charge = await charges.move(charge, to=ChargeStatus.AUTHORISED, now=now)
        captured = capture_transaction(
            tenant="buyers",
            operation_id=f"p-{number}",
            provider="acquirer",
            details=details,
            fee_basis_points=1_234,
            now=now,
        )
        await charges.capture(charge, transaction=captured)
        if number % 5 == 0:
            async with database.write() as connection:
                kind = TransactionKind.CORRECTION
                await post(connection, reversal(captured, operation_id=f"p-{number}", kind=kind, now=now))
    return database


def _key(operation_id: str, kind: TransactionKind) -> TransactionKey:
    return TransactionKey(tenant="buyers", operation_id=operation_id, kind=kind)


async def _exported(database: Database, capsys: pytest.CaptureFixture[str], directory: Path) -> Path:
    capsys.readouterr()
    assert await ledger(database, ["export"]) == 0
    file = directory / "ledger.beancount"
    file.write_text(capsys.readouterr().out)
    return file


async def test_independent_program_finds_the_exported_ledger_in_order(
    posted: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = await _exported(posted, capsys, tmp_path)

    checked = bean_check(file)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert file.read_text().count("balance ") >= len(CURRENCIES) * 3


async def test_independent_program_notices_one_minor_unit_in_a_posting(
    posted: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = await _exported(posted, capsys, tmp_path)
    lines = file.read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if line.endswith(" EUR") and line.startswith("  Assets"))
    account, amount, currency = lines[place].split()
    lines[place] = f"  {account}  {float(amount) + 0.01:.2f} {currency}"
    file.write_text("\n".join(lines))

    checked = bean_check(file)

    assert checked.returncode != 0
    assert "does not balance" in checked.stderr


async def test_independent_program_notices_one_minor_unit_in_a_balance(
    posted: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async with posted.write() as connection:
        await connection.execute(
            text("UPDATE ledger_balances SET minor_units = minor_units + 1 WHERE account = 'platform_fees'")
        )
    file = await _exported(posted, capsys, tmp_path)

    checked = bean_check(file)

    assert checked.returncode != 0
    assert "Balance failed for 'Income:Fees'" in checked.stderr


async def test_export_of_an_empty_ledger_is_a_file_without_entries(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    checked = bean_check(await _exported(database, capsys, tmp_path))

    assert checked.returncode == 0


async def test_check_finds_nothing_in_a_ledger_that_is_in_order(
    posted: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await ledger(posted, ["check"])

    assert (code, capsys.readouterr().out) == (0, "0 differences\n")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE ledger_balances SET minor_units = minor_units + 1 WHERE account = 'platform_fees' AND currency = 'EUR'",
        "DELETE FROM ledger_balances WHERE account = 'platform_fees' AND currency = 'EUR'",
        "INSERT INTO ledger_balances VALUES ('nobody', 'posted', 'EUR', 2, 5, '2026-01-02 03:04:05')",
    ],
    ids=["changed", "lost", "made up"],
)
async def test_balances_that_drifted_are_found_and_made_anew(
    posted: Database, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    async with posted.write() as connection:
        await connection.execute(text(damage))

    found = await ledger(posted, ["check"])
    rebuilt = await ledger(posted, ["rebuild"])
    found_after = await ledger(posted, ["check"])

    assert (found, rebuilt, found_after) == (1, 0, 0)
    assert "balance " in capsys.readouterr().out


async def test_reversal_can_be_read_back_and_nothing_is_reversed_twice(posted: Database) -> None:
    async with posted.read() as connection:
        captured = await find(connection, _key("p-5", TransactionKind.CAPTURE))
        correction = await find(connection, _key("p-5", TransactionKind.CORRECTION))
    assert captured is not None
    assert correction is not None
    again = reversal(captured, operation_id="another", kind=TransactionKind.CORRECTION, now=NOW)

    with pytest.raises(IntegrityError):
        async with posted.write() as connection:
            await post(connection, again)

    assert correction.reverses == captured.key
    assert not await SqlLedgerCheck(posted).differences()
