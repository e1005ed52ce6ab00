"""One more gateway process on a platform that runs: behind another address, or for another account."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.gateway.gateway_process import running_gateway
from tests.support.platform import Platform

_SERVICES = ("USER", "PAYMENT", "LISTING", "ANALYTICS")


@asynccontextmanager
async def another_gateway(platform: Platform, directory: Path, **environment: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Run one more gateway on the platform's Temporal and views, and yield a client of it.

    Args:
        platform: what it works for.
        directory: where its log goes.
        environment: its settings; those of the platform's own gateway are not taken over.
    """
    home = Path(platform.environment["PARTNER_HOME"])
    variables = {
        "PARTNER_HOME": str(home),
        "TEMPORAL_ADDRESS": platform.environment["TEMPORAL_ADDRESS"],
        "SERVICE_TOKEN": (home / "service-token").read_text().strip(),
        **{
            f"{service}_VIEWS_URL": f"http://127.0.0.1:{platform.environment[f'{service}_INTERNAL_PORT']}"
            for service in _SERVICES
        },
    }
    key = environment.get("GATEWAY_API_KEY")
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with (
        running_gateway(directory, **variables, **environment) as gateway,
        httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=40, trust_env=False) as client,
    ):
        yield client
