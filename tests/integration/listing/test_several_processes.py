"""Several workers share one database, a SQLite file included."""

import asyncio
import sys
from pathlib import Path

from tests.integration.listing.buyer import PURCHASES
from tests.integration.listing.samples import Market, details

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 50


async def test_three_processes_make_the_same_purchases_once(market: Market, database_url: str) -> None:
    await market.publish(what=details(stock=PURCHASES))
    command = (sys.executable, "-m", "tests.integration.listing.buyer", database_url)
    processes = [
        await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE) for _ in range(3)
    ]
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            errors = [(await process.communicate())[1].decode() for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert await market.stock() == (PURCHASES // 2, 0, PURCHASES // 2)
