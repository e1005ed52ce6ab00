"""Whether a Temporal answers, and whether what answers is Temporal."""

import asyncio
import logging

from temporalio.client import Client
from temporalio.service import RetryConfig, RPCError

from platform_cli.stack.network import Address, parse_address
from platform_runtime.settings import TemporalSettings, load_settings
from platform_runtime.temporal_client import connection_options

_TIMEOUT_SECONDS = 5.0
_SHOWN_CHARACTERS = 160

# The bridge tells about every refused connection; here a refused connection is an expected answer.
logging.getLogger("temporal_sdk_bridge").setLevel(logging.CRITICAL)


def temporal_address() -> Address:
    """Return where Temporal is by TEMPORAL_ADDRESS, the SDK's profile file, or the default.

    Raises:
        SystemExit: with code 2, after one line, when those settings are wrong.
    """
    target = connection_options(load_settings(TemporalSettings)).get("target_host") or "localhost:7233"
    return parse_address(target, variable="TEMPORAL_ADDRESS", default_port=7233)


async def connect() -> Client:
    """Connect as the platform's processes do, but with little patience.

    Raises:
        RuntimeError: nothing answers.
        TimeoutError: nothing answers in time.
    """
    options = connection_options(load_settings(TemporalSettings))
    impatient = RetryConfig(max_retries=1, max_elapsed_time_millis=1_000)
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        return await Client.connect(**options, retry_config=impatient)


async def temporal_problem() -> str | None:
    """Return why Temporal cannot be used, None when it serves our namespace."""
    try:
        client = await connect()
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            if not await client.service_client.check_health():
                return "it is not serving"
            # A listing of one entry is what needs the namespace to be there.
            async for _ in client.list_workflows(limit=1, page_size=1):
                break
    except (RuntimeError, RPCError, TimeoutError) as error:
        # What the SDK says goes on for lines; how it begins is what tells.
        return " ".join(str(error).split())[:_SHOWN_CHARACTERS] or type(error).__name__
    return None
