"""Several workers share one database, a SQLite file included."""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import func, select

from payment_service.domain.charges import ChargeStatus
from payment_service.persistence.tables import CHARGES, LEDGER_POSTINGS, LEDGER_TRANSACTIONS
from platform_runtime.database import Database
from tests.integration.payment import charger

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 50


async def test_three_processes_capture_and_void_the_same_charges(database: Database, database_url: str) -> None:
    command = (sys.executable, "-m", "tests.integration.payment.charger", database_url)
    processes = [
        await asyncio.create_subprocess_exec(*command, name, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        for name in ("captures", "captures too", "voids")
    ]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            errors = [(await process.communicate())[1].decode() for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    async with database.read() as connection:
        statuses = list((await connection.execute(select(CHARGES.c.status))).scalars())
        posted = await connection.scalar(select(func.count()).select_from(LEDGER_TRANSACTIONS))
        total = await connection.scalar(select(func.sum(LEDGER_POSTINGS.c.minor_units)))
    assert len(statuses) == charger.CHARGES
    assert set(statuses) <= {ChargeStatus.CAPTURED, ChargeStatus.VOIDED}
    assert posted == statuses.count(ChargeStatus.CAPTURED)
    assert int(total or 0) == 0
