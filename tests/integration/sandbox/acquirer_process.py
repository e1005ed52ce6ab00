"""The acquirer as a process of its own, which can be killed and comes back with its book."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.network import free_port
from tests.support.waiting import eventually

_READY_WITHIN_SECONDS = 40


class AcquirerProcess:
    """One acquirer with a book in a directory."""

    def __init__(self, directory: Path, *, slow_seconds: float, **settings: str) -> None:
        """Prepare to start it with more settings, by the names they have in Python; its log is in the directory too."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "acquirer.log"
        self._directory = directory
        self._environment = {
            **os.environ,
            "PARTNER_HOME": str(directory),
            "ACQUIRER_PORT": str(port),
            "ACQUIRER_SLOW_SECONDS": str(slow_seconds),
            **{f"ACQUIRER_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "platform_sandbox",
                env=self._environment,
                cwd=self._directory,
                stdout=log,
                stderr=log,
            )
        async with httpx.AsyncClient(trust_env=False) as client:

            async def is_ready() -> bool:
                return (await client.get(f"{self.url}/readyz")).is_success

            await eventually(is_ready, within_seconds=_READY_WITHIN_SECONDS, every_seconds=0.1)

    async def kill(self) -> None:
        """Kill it with -9."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(10):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def running_acquirer(
    directory: Path, *, slow_seconds: float = 3, settles_after_seconds: float = 0.3, **settings: str
) -> AsyncGenerator[AcquirerProcess]:
    """Run an acquirer while the block runs; `webhook_url="…"` sets `ACQUIRER_WEBHOOK_URL`."""
    acquirer = AcquirerProcess(
        directory, slow_seconds=slow_seconds, settles_after_seconds=str(settles_after_seconds), **settings
    )
    try:
        await acquirer.start()
        yield acquirer
    finally:
        await acquirer.stop()


async def write(
    client: httpx.AsyncClient, operation: str, verb: str, *, key: str | None = None, **body: Any
) -> httpx.Response:
    """Ask the acquirer to do something; the key is that of operation and verb unless another is given."""
    headers = {"Idempotency-Key": key or f"{operation}:{verb}"}
    return await client.post(f"/v1/operations/{operation}/{verb}", json=body or None, headers=headers)


async def authorise(
    client: httpx.AsyncClient, operation: str, token: str = "tok_ok", *, amount: int = 100, key: str | None = None
) -> httpx.Response:
    """Ask the acquirer to authorise an amount in EUR."""
    return await write(client, operation, "authorise", key=key, token=token, amountMinor=amount, currency="EUR")


async def post(client: httpx.AsyncClient, path: str, *, key: str | None = None, **body: Any) -> httpx.Response:
    """Ask the acquirer for something else; the key is that of the path unless another is given."""
    return await client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": key or path})


async def captured(client: httpx.AsyncClient, operation: str, token: str = "tok_ok", *, amount: int = 100) -> None:
    """Authorise and capture an amount in EUR."""
    (await authorise(client, operation, token, amount=amount)).raise_for_status()
    (await write(client, operation, "capture")).raise_for_status()


async def journal(client: httpx.AsyncClient, operation: str) -> list[str]:
    """Return the verbs that were done to an operation."""
    operations = (await client.get("/v1/book")).json()["operations"]
    return [entry["verb"] for each in operations if each["operation"] == operation for entry in each["journal"]]
