import asyncio
import sys
from pathlib import Path

from analytics_service.domain.periods import Granularity
from platform_runtime.database import Database
from tests.integration.analytics.samples import counts_of, roll_up

ROOT = Path(__file__).parents[3]


async def test_three_processes_report_and_count_in_one_database(database: Database, database_url: str) -> None:
    command = (sys.executable, "-m", "tests.integration.analytics.reporter", database_url)
    processes = [
        await asyncio.create_subprocess_exec(*command, name, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        for name in ("one", "two", "three")
    ]
    try:
        async with asyncio.timeout(50):
            errors = [(await process.communicate())[1].decode() for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()

    await roll_up(database)

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    counts = await counts_of(database, ["acme"])
    # Of each batch five events of each process, and five that all of them report.
    assert sum(counts.values()) == 40 * (3 * 5 + 5)
    await roll_up(database, Granularity.DAY)
    assert sum((await counts_of(database, ["acme"], Granularity.DAY)).values()) == 40 * (3 * 5 + 5)
