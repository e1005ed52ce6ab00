"""Several workers share one database, a SQLite file included."""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import func, select

from platform_runtime.database import Database
from tests.integration.user.writer import USERS
from user_service.persistence.tables import ACCOUNTS, DELIVERIES, INBOX_ENTRIES, PREFERENCES

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 50


async def test_three_processes_onboard_the_same_users_in_one_database(database: Database, database_url: str) -> None:
    command = (sys.executable, "-m", "tests.integration.user.writer", database_url)
    processes = [
        await asyncio.create_subprocess_exec(*command, name, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        for name in ("one", "two", "three")
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
        counts = [
            await connection.scalar(select(func.count()).select_from(table))
            for table in (ACCOUNTS, PREFERENCES, DELIVERIES, INBOX_ENTRIES)
        ]
    assert counts == [USERS, USERS, USERS, 3 * USERS]
