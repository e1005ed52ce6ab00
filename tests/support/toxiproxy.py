"""Toxiproxy, a TCP proxy that holds, loses and cuts what passes it when a test says so."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule
from tests.support.network import free_row
from tests.support.waiting import eventually

_VERSION = "2.12.0"
# Longer than any test: until `heal`.
_HELD_MILLISECONDS = 600_000

Direction = Literal["upstream", "downstream"]
"""Requests go upstream, answers downstream."""

TOXIPROXY = Tool(
    name="toxiproxy-server",
    version=_VERSION,
    override_variable="PARTNER_TOXIPROXY_BIN",
    version_arguments=("-version",),
    advice="`brew install shopify/shopify/toxiproxy`, or see https://github.com/Shopify/toxiproxy, or install Go 1.25 "
    "or newer",
    recipe=GoModule(
        module="github.com/Shopify/toxiproxy/v2",
        version=f"v{_VERSION}",
        checksum="h1:d1x++lYZg/zijXPPcv7PH0MvHMzEI5aX/YuUi/Sw+yg=",
        go_mod_checksum="h1:R9Z38Pw6k2cGZWXHe7tbxjGW9azmY1KbDQJ1kd+h7Tk=",
        package="github.com/Shopify/toxiproxy/v2/cmd/server",
        ldflags=f"-s -w -X github.com/Shopify/toxiproxy/v2.Version={_VERSION}",
    ),
)


def executable() -> Path:
    """Return the `toxiproxy-server` binary, building it the first time (under a minute).

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    return find_or_get(TOXIPROXY)


@dataclass(frozen=True)
class FaultProxy:
    """A way to another address that can be made worse; every fault lasts until `heal`."""

    address: str
    _api: httpx.AsyncClient

    async def hold(self, direction: Direction) -> None:
        """Keep what comes, and pass it on in full once healed, also for a sender that has gone meanwhile."""
        await self._add("latency", direction, latency=_HELD_MILLISECONDS)

    async def lose(self, direction: Direction) -> None:
        """Take what comes and drop it; nobody is told, and connections stay open until healed."""
        await self._add("timeout", direction, timeout=0)

    async def heal(self) -> None:
        """Let everything pass again: connections that lost something are closed, what was held is passed on."""
        (await self._api.post("/reset")).raise_for_status()

    async def _add(self, kind: str, direction: Direction, **attributes: int) -> None:
        toxic = {"name": f"{kind}-{direction}", "type": kind, "stream": direction, "attributes": attributes}
        (await self._api.post("/proxies/way/toxics", json=toxic)).raise_for_status()


@asynccontextmanager
async def fault_proxy(address: str) -> AsyncGenerator[FaultProxy]:
    """Run a toxiproxy with one way to the address, without a fault at first."""
    port, way_port = free_row(1), free_row(1)
    process = await asyncio.create_subprocess_exec(
        executable(),
        *("-host", "127.0.0.1", "-port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as api:

            async def made() -> bool:
                way = {"name": "way", "listen": f"127.0.0.1:{way_port}", "upstream": address, "enabled": True}
                return (await api.post("/proxies", json=way)).is_success

            await eventually(made, within_seconds=30)
            yield FaultProxy(f"127.0.0.1:{way_port}", api)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)
