"""A Temporal dev server that a test can stop and start, and a wire to it that can be cut."""

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from platform_cli.tools import temporal_server as dev_server
from tests.support.network import free_port

_READY_WITHIN_SECONDS = 30


class TemporalProcess:
    """A dev server with a database file, on one port for as long as the test runs."""

    def __init__(self, executable: Path, directory: Path) -> None:
        self._executable = executable
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> Client:
        """Start the server and return a client of its own."""
        arguments = ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self.port)]
        arguments += ["--db-filename", str(self._directory / "temporal.sqlite3"), "--log-level", "never"]
        arguments += dev_server.tuning_arguments(database_file=True)
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond, and `stop` has to be synchronous
            [str(self._executable), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        async with asyncio.timeout(_READY_WITHIN_SECONDS):
            while True:
                try:
                    client = await Client.connect(self.address)
                    await client.count_workflows()
                except RuntimeError:  # an RPCError is no RuntimeError: only "nobody answers" is waited for
                    await asyncio.sleep(0.1)
                else:
                    return client

    def stop(self) -> None:
        """Kill the server, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Wire:
    """A proxy that can swallow the answers of a server while the requests go through."""

    def __init__(self) -> None:
        self.is_deaf = False
        self._writers: set[asyncio.StreamWriter] = set()

    def heal(self) -> None:
        """Let answers through again, on new connections: of the old ones a part is missing."""
        self.is_deaf = False
        for writer in self._writers:
            writer.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65_536):
                if not (answers and self.is_deaf):
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def wire_to(address: str) -> AsyncGenerator[tuple[Wire, str]]:
    """Yield a proxy to the address, and its own address."""
    wire = Wire()
    host, _, port = address.rpartition(":")
    carrying: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        for coroutine in (
            wire.carry(reader, server_writer, answers=False),
            wire.carry(server_reader, writer, answers=True),
        ):
            carrying.add(asyncio.create_task(coroutine))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield wire, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        wire.heal()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
