"""stripe-mock, which checks requests by the form of Stripe's API and answers with samples: it remembers nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from platform_cli.tools.finder import Tool, find_or_get
from platform_cli.tools.go_build import GoModule
from tests.support.network import free_row
from tests.support.waiting import eventually

_VERSION = "0.203.0"

STRIPE_MOCK = Tool(
    name="stripe-mock",
    version=_VERSION,
    override_variable="PARTNER_STRIPE_MOCK_BIN",
    version_arguments=("-version",),
    advice="`brew install stripe/stripe-mock/stripe-mock`, or see https://github.com/stripe/stripe-mock, or install Go "
    "1.25 or newer",
    recipe=GoModule(
        module="github.com/stripe/stripe-mock",
        version=f"v{_VERSION}",
        checksum="h1:EzW7nb/fphqcAkgVRHAaC88OaAZo6SBWSl54cflDTio=",
        go_mod_checksum="h1:bnoqWmozYcRwQjiZ+w/Rm5Mxs76IAPNQFmoPJMxgAXM=",
        package="github.com/stripe/stripe-mock",
        ldflags=f"-s -w -X main.version={_VERSION}",
    ),
)


def executable() -> Path:
    """Return the `stripe-mock` binary, building it the first time (under half a minute).

    Raises:
        ToolUnavailableError: no way led to it; the text says what to install.
    """
    return find_or_get(STRIPE_MOCK)


@asynccontextmanager
async def running_stripe_mock() -> AsyncGenerator[str]:
    """Run a stripe-mock while the block runs; its URL."""
    port = free_row(2)
    process = await asyncio.create_subprocess_exec(
        executable(),
        # Without a port of its own for this too, two of them would want the same.
        *("-http-addr", f"127.0.0.1:{port}", "-https-addr", f"127.0.0.1:{port + 1}"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:

            async def is_ready() -> bool:
                return (await client.get(f"{url}/v1/balance", auth=("sk_test_ready", ""))).is_success

            await eventually(is_ready, within_seconds=40, every_seconds=0.1)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
