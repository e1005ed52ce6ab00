"""The main job, `partner demo`: bring up what does not run, tell the story, show what happened."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from platform_cli.demo.acquirer_api import AcquirerApi
from platform_cli.demo.gateway_api import GatewayApi
from platform_cli.demo.mailpit_api import MailpitApi
from platform_cli.demo.market_story import MarketStory
from platform_cli.demo.outcomes import Outcomes
from platform_cli.demo.story import Story
from platform_cli.errors import StackError
from platform_cli.jaeger_traces import Trace, read_trace, span_tree
from platform_cli.settings import StackSettings
from platform_cli.stack.local_stack import LocalStack
from platform_runtime.settings import TemporalSettings, load_settings
from platform_runtime.temporal_client import connect

_ONBOARDING_SERVICES: Final = frozenset({"gateway", "user", "analytics"})
_PURCHASE_SERVICES: Final = _ONBOARDING_SERVICES | {"listing", "payment"}
_TRACED_WITHIN_SECONDS: Final = 30.0
_ANSWER_WITHIN_SECONDS: Final = 30.0


def run_demo(settings: StackSettings, console: Console, *, keep: bool) -> bool:
    """Run the demo and return whether everything was as expected.

    Args:
        settings: of the local stack.
        console: where to print.
        keep: leave the stack running that was started for the demo.

    Raises:
        StackError: the stack did not come up, or a part that the demo needs is not there.
    """
    stack = LocalStack(settings)
    try:
        console.print("Bringing up the platform ...")
        status = stack.ensure_running()
        missing = [name for name in ("gateway", "mail", "traces", "acquirer") if name not in status.urls]
        if missing:
            raise StackError(f"the demo reads {' and '.join(missing)} back, but there is no page of it to read")
        good = asyncio.run(tell(status.urls, _api_key(), console))
        console.print("\n[bold]Where to look[/bold]" + ("" if keep or not stack.started else " (with --keep)"))
        for name, url in status.urls.items():
            console.print(f"  {name:<9} {url}")
        return good
    finally:
        if not keep:
            stack.stop_what_was_started()


async def tell(urls: Mapping[str, str], api_key: str | None, console: Console) -> bool:
    """Tell the story to a platform that runs, and return whether everything was as expected.

    Args:
        urls: where `gateway`, `mail`, `traces` and `acquirer` are; Temporal is where the environment says.
        api_key: what the gateway asks for; None when it asks for nothing.
        console: where to print.
    """
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with (
        httpx.AsyncClient(base_url=urls["gateway"], headers=headers, timeout=_ANSWER_WITHIN_SECONDS) as http,
        httpx.AsyncClient(base_url=urls["mail"], timeout=_ANSWER_WITHIN_SECONDS) as mail,
        httpx.AsyncClient(base_url=urls["acquirer"], timeout=_ANSWER_WITHIN_SECONDS) as acquirer,
        httpx.AsyncClient(base_url=urls["traces"], timeout=_ANSWER_WITHIN_SECONDS) as jaeger,
    ):
        gateway = GatewayApi(http)
        temporal = await connect(load_settings(TemporalSettings))
        user = Story(gateway, MailpitApi(mail), temporal)
        await user.tell()
        market = MarketStory(http, gateway, AcquirerApi(acquirer), user.outcomes, tenant=_tenant())
        await market.tell()
        onboarding = await _trace(jaeger, user.onboarding_trace_id, _ONBOARDING_SERVICES, "onboarding", user.outcomes)
        purchase = await _trace(jaeger, market.purchase_trace_id, _PURCHASE_SERVICES, "purchase", user.outcomes)
        console.print()
        console.print(user.outcomes.table())
        for name, trace in (("onboarding", onboarding), ("purchase", purchase)):
            if trace is not None:
                console.print(f"\n[bold]The {name}, as one trace[/bold]")
                console.print(span_tree(trace))
        return user.outcomes.all_as_expected


async def _trace(
    jaeger: httpx.AsyncClient, trace_id: str | None, services: frozenset[str], name: str, outcomes: Outcomes
) -> Trace | None:
    """Read a trace back once it is complete, and note whether it is."""

    def is_complete(trace: Trace) -> bool:
        return trace.services >= services and len(trace.roots) == 1

    trace = None
    if trace_id is not None:
        trace = await read_trace(jaeger, trace_id, until=is_complete, within_seconds=_TRACED_WITHIN_SECONDS)
    expected = f"one trace, one root, over {', '.join(sorted(services))}"
    outcomes.note(
        f"read the trace of the {name} back",
        expected=expected,
        seen=expected if trace is not None and is_complete(trace) else _describe(trace),
    )
    return trace


def _describe(trace: Trace | None) -> str:
    if trace is None:
        return "no trace id"
    return f"{len(trace.spans)} spans, {len(trace.roots)} roots, over {', '.join(sorted(trace.services)) or 'nothing'}"


def _api_key() -> str | None:
    """Return the key that the gateway asks for, from where the gateway has it; None when it asks for none."""
    file = os.environ.get("GATEWAY_API_KEY_FILE")
    key = Path(file).read_text().strip() if file else os.environ.get("GATEWAY_API_KEY")
    return key or None


def _tenant() -> str:
    """Return the account that the demo calls for."""
    return os.environ.get("GATEWAY_TENANT") or "demo"
