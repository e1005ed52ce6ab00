"""A Temporal that a test stops and starts again; what it keeps is in a file, so it goes on where it was."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from platform_cli.tools import temporal_server as dev_server
from tests.support.waiting import eventually


@asynccontextmanager
async def own_temporal(home: Path, port: int, ui_port: int) -> AsyncGenerator[None]:
    """Run a Temporal that the stack finds there and does not start itself."""
    process = await asyncio.create_subprocess_exec(
        dev_server.executable(),
        *("server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--ui-port", str(ui_port)),
        *("--db-filename", str(home / "temporal.sqlite3"), "--log-level", "error"),
        *dev_server.tuning_arguments(database_file=True),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: _listens(port), within_seconds=30)
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def _listens(port: int) -> bool:
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True
